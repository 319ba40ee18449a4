{{/*
Parts of a pod.
*/}}

{{- /* Pod Security levels as fields. Only `restricted` passes a namespace that enforces it. */ -}}
{{- define "todo-lib.podSecurityContext" -}}
{{- if eq .profile "restricted" }}
runAsNonRoot: true
{{- end }}
{{- with .runAsUser }}
runAsUser: {{ int64 . }}
runAsGroup: {{ int64 . }}
{{- end }}
{{- with .fsGroup }}
fsGroup: {{ int64 . }}
fsGroupChangePolicy: OnRootMismatch
{{- end }}
{{- if ne .profile "privileged" }}
seccompProfile:
  type: RuntimeDefault
{{- end }}
{{- end -}}

{{- define "todo-lib.containerSecurityContext" -}}
{{- if eq .profile "restricted" }}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
{{- end }}
readOnlyRootFilesystem: {{ .readOnlyRootFilesystem }}
{{- end -}}

{{- define "todo-lib.resources" -}}
{{- range $kind, $amounts := . }}
{{- if $amounts }}
{{ $kind }}:
  {{- range $what, $amount := $amounts }}
  {{- if ne (toString $amount) "" }}
  {{ $what }}: {{ $amount | toString | quote }}
  {{- end }}
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* A volume's name for a mount path. */ -}}
{{- define "todo-lib.volumeName" -}}
{{- printf "dir-%s" (regexReplaceAll "[^a-z0-9]+" (lower .) "-" | trimAll "-" | trunc 50 | trimSuffix "-") -}}
{{- end -}}

{{- define "todo-lib.volumeMounts" -}}
{{- range $path, $size := . }}
- name: {{ include "todo-lib.volumeName" $path }}
  mountPath: {{ $path }}
{{- end }}
{{- end -}}

{{- define "todo-lib.volumes" -}}
{{- range $path, $size := . }}
- name: {{ include "todo-lib.volumeName" $path }}
  emptyDir:
    sizeLimit: {{ $size | quote }}
{{- end }}
{{- end -}}

{{- /*
What every pod of these charts has: no token of the API server, no variables for every Service of the namespace, and
lookups of full names (`api.example.com`) that don't try the cluster's own domains first.
*/ -}}
{{- define "todo-lib.podCommon" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
dnsConfig:
  options:
    - name: ndots
      value: {{ .Values.dns.ndots | quote }}
{{- end -}}

{{- /* dict root, probe, path, port, component */ -}}
{{- define "todo-lib.probe" -}}
httpGet:
  path: {{ .probe.path | default .path }}
  port: http
initialDelaySeconds: {{ int .probe.initialDelaySeconds }}
periodSeconds: {{ int .probe.periodSeconds }}
timeoutSeconds: {{ int .probe.timeoutSeconds }}
failureThreshold: {{ int .probe.failureThreshold }}
{{- end -}}

{{- /* Kubernetes can sleep by itself from 1.30 on; before, the image has to have a `sleep`. */ -}}
{{- define "todo-lib.preStop" -}}
{{- $seconds := int .seconds -}}
preStop:
  {{- if semverCompare ">=1.30.0-0" .root.Capabilities.KubeVersion.Version }}
  sleep:
    seconds: {{ $seconds }}
  {{- else }}
  exec:
    command: [sleep, {{ $seconds | quote }}]
  {{- end }}
{{- end -}}

{{- /* Entries of `env` that are no secrets: PORT, unless given, is the port that the Service and the probes use. */ -}}
{{- define "todo-lib.plainEnv" -}}
{{- $env := dict "PORT" (toString .port) -}}
{{- range $key, $value := .extraEnv }}{{ $_ := set $env $key (toString $value) }}{{ end -}}
{{- range $key, $value := $env }}
- name: {{ $key }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{- /* The configuration that one service gets: all of it at once, or the keys that it lists. */ -}}
{{- define "todo-lib.configEnv" -}}
{{- $ctx := . -}}
{{- range .configKeys }}
- name: {{ . }}
  valueFrom:
    configMapKeyRef:
      name: {{ include "todo-lib.configMapName" $ctx.root }}
      key: {{ . }}
{{- end }}
{{- end -}}
