{{/*
The ConfigMap, the Secret and what of them reaches a pod.
*/}}

{{- define "todo-lib.configMapName" -}}
{{- .Values.existingConfigMap | default (printf "%s-config" (include "todo-lib.fullname" .)) -}}
{{- end -}}

{{- define "todo-lib.secretName" -}}
{{- .Values.existingSecret | default (printf "%s-secrets" (include "todo-lib.fullname" .)) -}}
{{- end -}}

{{- /* The application's address as the browser sees it; the last one is where NOTES.txt's port-forward serves it. */ -}}
{{- define "todo-lib.publicOrigin" -}}
{{- $ingress := .Values.ingress | default dict -}}
{{- if .Values.publicOrigin -}}
{{- .Values.publicOrigin -}}
{{- else if and $ingress.enabled $ingress.host -}}
{{- printf "%s://%s" (ternary "https" "http" $ingress.tls.enabled) $ingress.host -}}
{{- else -}}
http://localhost:{{ include "todo-lib.frontendPort" . }}
{{- end -}}
{{- end -}}

{{- define "todo-lib.frontendPort" -}}
{{- $components := splitList "," (include "todo-lib.components" .) -}}
{{- if not (has "frontend" $components) -}}
3000
{{- else if include "todo-lib.suffixed" . -}}
{{- int .Values.service.frontend.port -}}
{{- else -}}
{{- int .Values.service.port -}}
{{- end -}}
{{- end -}}

{{- /* The ConfigMap's data as YAML: what the user wrote, and what is derived where it was left empty. */ -}}
{{- define "todo-lib.configData" -}}
{{- $config := dict -}}
{{- range $key, $value := .Values.config -}}
{{- if ne (toString $value) "" }}{{ $_ := set $config $key (toString $value) }}{{ end -}}
{{- end -}}
{{- $origin := include "todo-lib.publicOrigin" . -}}
{{- range $key := list "BETTER_AUTH_URL" "FRONTEND_URL" "CORS_ORIGINS" -}}
{{- if not (hasKey $config $key) }}{{ $_ := set $config $key $origin }}{{ end -}}
{{- end -}}
{{- if and (include "todo-lib.suffixed" .) (not (hasKey $config "BACKEND_URL")) -}}
{{- $_ := set $config "BACKEND_URL" (printf "http://%s:%d" .Values.service.backend.name (int .Values.service.backend.port)) -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{- /* The part of the configuration that one service uses, as YAML. */ -}}
{{- define "todo-lib.configOf" -}}
{{- $all := include "todo-lib.configData" .root | fromYaml -}}
{{- if .configKeys -}}
{{- $some := dict -}}
{{- range .configKeys }}{{ if hasKey $all . }}{{ $_ := set $some . (index $all .) }}{{ end }}{{ end -}}
{{- toYaml $some -}}
{{- else -}}
{{- toYaml $all -}}
{{- end -}}
{{- end -}}

{{- define "todo-lib.configmap" -}}
{{- if not .Values.existingConfigMap -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "todo-lib.configMapName" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "todo-lib.labels" . | nindent 4 }}
data:
  {{- range $key, $value := include "todo-lib.configData" . | fromYaml }}
  {{ $key }}: {{ $value | quote }}
  {{- end }}
{{- end -}}
{{- end -}}

{{- /* The Secret for those who give the values to helm. Its values are then part of the release's history: use existingSecret where that matters. */ -}}
{{- define "todo-lib.secret" -}}
{{- if and (not .Values.existingSecret) (include "todo-lib.secretKeysUsed" . | fromYamlArray) -}}
apiVersion: v1
kind: Secret
metadata:
  name: {{ include "todo-lib.secretName" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "todo-lib.labels" . | nindent 4 }}
type: Opaque
stringData:
  {{- include "todo-lib.secretData" . | trim | nindent 2 }}
{{- end -}}
{{- end -}}

{{- define "todo-lib.secretData" -}}
{{- range $key, $value := .Values.secrets }}
{{- if ne (toString $value) "" }}
{{ $key }}: {{ $value | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* All keys that some service takes from the Secret, as a YAML list. */ -}}
{{- define "todo-lib.secretKeysUsed" -}}
{{- $keys := list -}}
{{- $root := . -}}
{{- range $component := splitList "," (include "todo-lib.components" .) -}}
{{- $ctx := dict "root" $root "component" $component -}}
{{- include "todo-lib.load" $ctx -}}
{{- $keys = concat $keys (default list $ctx.secretKeys) -}}
{{- end -}}
{{- $keys | uniq | sortAlpha | toYaml -}}
{{- end -}}

{{- /*
The keys that a pod of this service takes from the Secret, as a YAML list. With the chart's own Secret only those that have
a value; with somebody else's all of them, where the optional ones may be missing.
*/ -}}
{{- define "todo-lib.secretKeysOf" -}}
{{- $root := .root -}}
{{- $keys := list -}}
{{- range (default list .secretKeys) -}}
{{- if or $root.Values.existingSecret (index (default dict $root.Values.secrets) .) }}{{ $keys = append $keys . }}{{ end -}}
{{- end -}}
{{- $keys | uniq | toYaml -}}
{{- end -}}

{{- /* Entries of `env` for the service's secret keys: dict root, secretKeys, secretName. */ -}}
{{- define "todo-lib.secretEnv" -}}
{{- $ctx := . -}}
{{- range include "todo-lib.secretKeysOf" . | fromYamlArray }}
- name: {{ . }}
  valueFrom:
    secretKeyRef:
      name: {{ $ctx.secretName }}
      key: {{ . }}
      {{- if and $ctx.root.Values.existingSecret (has . $ctx.root.Values.optionalSecretKeys) }}
      optional: true
      {{- end }}
{{- end }}
{{- end -}}

{{- /*
Annotations that change when what the pod reads at its start changes. For objects that the chart does not own, the cluster
is asked (empty under `helm template`); a caller that knows better gives `podAnnotations` a digest of its own.
*/ -}}
{{- define "todo-lib.checksums" -}}
{{- $ctx := . -}}
{{- if .root.Values.existingConfigMap }}
{{- $found := lookup "v1" "ConfigMap" .root.Release.Namespace .root.Values.existingConfigMap }}
{{- if $found }}
checksum/config: {{ (default dict $found.data) | toJson | sha256sum }}
{{- end }}
{{- else }}
checksum/config: {{ include "todo-lib.configOf" . | sha256sum }}
{{- end }}
{{- $keys := include "todo-lib.secretKeysOf" . | fromYamlArray }}
{{- if and .root.Values.existingSecret (not (hasKey (default dict .podAnnotations) "xtask/secret-digest")) }}
{{- $found := lookup "v1" "Secret" .root.Release.Namespace .root.Values.existingSecret }}
{{- if $found }}
{{- $used := dict }}
{{- range $keys }}{{ if hasKey (default dict $found.data) . }}{{ $_ := set $used . (index $found.data .) }}{{ end }}{{ end }}
checksum/secret: {{ $used | toJson | sha256sum }}
{{- end }}
{{- else if and (not .root.Values.existingSecret) $keys }}
{{- $used := dict }}
{{- range $keys }}{{ $_ := set $used . (index $ctx.root.Values.secrets .) }}{{ end }}
checksum/secret: {{ $used | toJson | sha256sum }}
{{- end }}
{{- end -}}
