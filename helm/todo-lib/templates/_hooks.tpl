{{/*
Pods that run once: the migrations before a release, the checks of `helm test`.
*/}}

{{- define "todo-lib.migrationsName" -}}
{{- printf "%s-migrations" (include "todo-lib.fullname" .) -}}
{{- end -}}

{{- /*
Hooks run before the chart's own objects exist (on an upgrade: before they change). So the job takes nothing from them: the
configuration is written into it, and without an existing Secret it gets one of its own that goes when the hooks are done.
*/ -}}
{{- define "todo-lib.migrations" -}}
{{- $migrations := .root.Values.migrations -}}
{{- if $migrations.enabled -}}
{{- include "todo-lib.load" . -}}
{{- $values := .root.Values -}}
{{- $name := include "todo-lib.migrationsName" .root -}}
{{- $component := .component -}}
{{- $labels := dict "root" .root "component" "migrations" -}}
{{- $_ := set . "secretName" ($values.existingSecret | default $name) -}}
{{- if and (not $values.existingSecret) (include "todo-lib.secretKeysOf" . | fromYamlArray) -}}
apiVersion: v1
kind: Secret
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "todo-lib.componentLabels" $labels | nindent 4 }}
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-weight: "-10"
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
type: Opaque
stringData:
  {{- range include "todo-lib.secretKeysOf" . | fromYamlArray }}
  {{ . }}: {{ index $values.secrets . | quote }}
  {{- end }}
---
{{ end -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "todo-lib.componentLabels" $labels | nindent 4 }}
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-weight: "0"
    # A failed job stays, so that its log can be read; the next run removes it.
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
    helm.sh/hook-output-log-policy: hook-failed
spec:
  activeDeadlineSeconds: {{ int $migrations.activeDeadlineSeconds }}
  backoffLimit: {{ int $migrations.backoffLimit }}
  ttlSecondsAfterFinished: 86400
  template:
    metadata:
      labels:
        {{- include "todo-lib.podLabels" $labels | nindent 8 }}
    spec:
      {{- include "todo-lib.podCommon" .root | nindent 6 }}
      {{- if and (not $values.serviceAccount.create) $values.serviceAccount.name }}
      serviceAccountName: {{ $values.serviceAccount.name }}
      {{- end }}
      restartPolicy: Never
      securityContext:
        {{- include "todo-lib.podSecurityContext" .podSecurity | trim | nindent 8 }}
      containers:
        - name: migrations
          image: {{ .imageRef | quote }}
          imagePullPolicy: {{ .image.pullPolicy }}
          command:
            {{- toYaml $migrations.command | nindent 12 }}
          {{- if $values.existingConfigMap }}
          envFrom:
            - configMapRef:
                name: {{ $values.existingConfigMap }}
          {{- else }}
          {{- $_ := set . "extraEnv" (merge (dict) (default dict .extraEnv) (include "todo-lib.configOf" . | fromYaml)) }}
          {{- end }}
          env:
            {{- include "todo-lib.plainEnv" . | trim | nindent 12 }}
            {{- with include "todo-lib.secretEnv" . | trim }}{{ . | nindent 12 }}{{ end }}
          resources:
            {{- include "todo-lib.resources" $migrations.resources | trim | nindent 12 }}
          securityContext:
            {{- include "todo-lib.containerSecurityContext" .podSecurity | trim | nindent 12 }}
          {{- with .emptyDirs }}
          volumeMounts:
            {{- include "todo-lib.volumeMounts" . | trim | nindent 12 }}
          {{- end }}
      {{- with .emptyDirs }}
      volumes:
        {{- include "todo-lib.volumes" . | trim | nindent 8 }}
      {{- end }}
{{- end -}}
{{- end -}}

{{- /*
One request through the Service, with the service's own image: the one image that is sure to be on the node. The pod stays
until the next run, or `helm test --logs` would find no log.
*/ -}}
{{- define "todo-lib.helmtest" -}}
{{- include "todo-lib.load" . -}}
{{- if .helmTest.enabled -}}
{{- $labels := dict "root" .root "component" (printf "%s-test" .component) -}}
apiVersion: v1
kind: Pod
metadata:
  name: {{ printf "%s-test" .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "todo-lib.componentLabels" $labels | nindent 4 }}
  annotations:
    helm.sh/hook: test
    helm.sh/hook-delete-policy: before-hook-creation
spec:
  {{- include "todo-lib.podCommon" .root | nindent 2 }}
  restartPolicy: Never
  activeDeadlineSeconds: 60
  securityContext:
    {{- include "todo-lib.podSecurityContext" .podSecurity | trim | nindent 4 }}
  containers:
    - name: test
      image: {{ .imageRef | quote }}
      imagePullPolicy: {{ .image.pullPolicy }}
      command:
        {{- toYaml .helmTest.command | nindent 8 }}
      env:
        - name: TARGET_URL
          value: {{ printf "http://%s:%d%s" .service.name .port (.healthProbe.readiness.path | default .healthProbe.liveness.path) | quote }}
      resources:
        {{- include "todo-lib.resources" .root.Values.helmTestResources | trim | nindent 8 }}
      securityContext:
        {{- include "todo-lib.containerSecurityContext" .podSecurity | trim | nindent 8 }}
      {{- with .emptyDirs }}
      volumeMounts:
        {{- include "todo-lib.volumeMounts" . | trim | nindent 8 }}
      {{- end }}
  {{- with .emptyDirs }}
  volumes:
    {{- include "todo-lib.volumes" . | trim | nindent 4 }}
  {{- end }}
{{- end -}}
{{- end -}}
