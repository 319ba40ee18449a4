{{- define "todo-lib.notes" -}}
{{- $root := . -}}
{{- $ns := .Release.Namespace -}}
{{ .Chart.Name }} {{ .Chart.Version }}, release {{ .Release.Name }} in namespace {{ $ns }}.
{{ range $component := splitList "," (include "todo-lib.components" .) }}
{{- $ctx := dict "root" $root "component" $component }}
{{- include "todo-lib.load" $ctx }}
{{ $component }}: {{ $ctx.imageRef }}
  in the cluster   http://{{ $ctx.service.name }}.{{ $ns }}:{{ $ctx.port }}
{{- if and $root.Values.ingress (eq $component "frontend") $root.Values.ingress.enabled }}
  ingress          {{ ternary "https" "http" $root.Values.ingress.tls.enabled }}://{{ $root.Values.ingress.host }}
{{- end }}
{{- if eq $ctx.service.type "NodePort" }}
  node port        http://NODE-ADDRESS:{{ with $ctx.service.nodePort }}{{ int . }}{{ else }}PORT{{ end }}
                   minikube service {{ $ctx.service.name }} -n {{ $ns }} --url
{{- else if eq $ctx.service.type "LoadBalancer" }}
  load balancer    kubectl -n {{ $ns }} get service {{ $ctx.service.name }}
{{- end }}
  from here        kubectl -n {{ $ns }} port-forward service/{{ $ctx.service.name }} {{ $ctx.port }}:{{ $ctx.port }}
                   http://localhost:{{ $ctx.port }}
  rollout          kubectl -n {{ $ns }} rollout status deployment/{{ $ctx.name }}
  log              kubectl -n {{ $ns }} logs deployment/{{ $ctx.name }} --tail 50
{{ end }}
{{- if not .Values.existingConfigMap }}
The application expects to be opened at {{ (include "todo-lib.configData" . | fromYaml).FRONTEND_URL }}
{{- if not (or .Values.publicOrigin (dig "enabled" false (default dict .Values.ingress)) (hasKey .Values.config "FRONTEND_URL" | and (index .Values.config "FRONTEND_URL"))) }}
(nothing says where: set `publicOrigin` to the address that the browser shows,
or signing in is refused at any other one)
{{- end }}
{{- end }}
{{- if not (or .Values.existingSecret (not (include "todo-lib.secretKeysUsed" . | fromYamlArray))) }}

Secret values came by values and are stored in the release's history. To keep
them out of it, create a Secret and name it in `existingSecret`.
{{- end }}
{{- if .Values.networkPolicy.enabled }}

Network policies are on. They have an effect only where the cluster's network
plugin enforces them; minikube's default one does not.
{{- end }}

Check it: helm test {{ .Release.Name }} -n {{ $ns }} --logs
{{- end -}}
