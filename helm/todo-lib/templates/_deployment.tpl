{{- define "todo-lib.deployment" -}}
{{- include "todo-lib.load" . -}}
{{- $_ := set . "secretName" (include "todo-lib.secretName" .root) -}}
{{- $values := .root.Values -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "todo-lib.componentLabels" . | nindent 4 }}
spec:
  {{- include "todo-lib.replicas" . | nindent 2 }}
  revisionHistoryLimit: 5
  progressDeadlineSeconds: {{ int $values.rollout.progressDeadlineSeconds }}
  minReadySeconds: {{ int $values.rollout.minReadySeconds }}
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxSurge: {{ $values.rollout.maxSurge }}
      maxUnavailable: {{ $values.rollout.maxUnavailable }}
  selector:
    matchLabels:
      {{- include "todo-lib.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "todo-lib.podLabels" . | nindent 8 }}
        app.kubernetes.io/version: {{ include "todo-lib.labelValue" .tag | quote }}
        {{- with .podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      annotations:
        kubectl.kubernetes.io/default-container: {{ .component }}
        {{- with include "todo-lib.checksums" . | trim }}{{ . | nindent 8 }}{{ end }}
        {{- range $key, $value := .podAnnotations }}
        {{ $key }}: {{ $value | quote }}
        {{- end }}
    spec:
      {{- include "todo-lib.podCommon" .root | nindent 6 }}
      {{- with include "todo-lib.serviceAccountName" .root }}
      serviceAccountName: {{ . }}
      {{- end }}
      {{- with $values.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      terminationGracePeriodSeconds: {{ int .lifecycle.terminationGracePeriodSeconds }}
      securityContext:
        {{- include "todo-lib.podSecurityContext" .podSecurity | trim | nindent 8 }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "todo-lib.selector" . | nindent 14 }}
          matchLabelKeys: [pod-template-hash]
      {{- with $values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ .component }}
          image: {{ .imageRef | quote }}
          imagePullPolicy: {{ .image.pullPolicy }}
          {{- with .command }}
          command:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          {{- with .args }}
          args:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          ports:
            - name: http
              containerPort: {{ .port }}
              protocol: TCP
          {{- if not .configKeys }}
          envFrom:
            - configMapRef:
                name: {{ include "todo-lib.configMapName" .root }}
          {{- end }}
          env:
            {{- include "todo-lib.plainEnv" . | trim | nindent 12 }}
            {{- with include "todo-lib.configEnv" . | trim }}{{ . | nindent 12 }}{{ end }}
            {{- with include "todo-lib.secretEnv" . | trim }}{{ . | nindent 12 }}{{ end }}
          # Until it succeeds the other two don't run: a slow start is no hang.
          startupProbe:
            {{- include "todo-lib.probe" (dict "probe" .healthProbe.startup "path" .healthProbe.liveness.path) | nindent 12 }}
          # "send requests here": may depend on the database.
          readinessProbe:
            {{- include "todo-lib.probe" (dict "probe" .healthProbe.readiness "path" .healthProbe.liveness.path) | nindent 12 }}
          # "this process can't be saved": must depend on nothing but the process. A hung one doesn't answer SIGTERM either,
          # so it is not given the grace of a pod that is asked to go.
          livenessProbe:
            {{- include "todo-lib.probe" (dict "probe" .healthProbe.liveness "path" .healthProbe.liveness.path) | nindent 12 }}
            terminationGracePeriodSeconds: {{ int .lifecycle.hungGracePeriodSeconds }}
          {{- if gt (int .lifecycle.preStopSeconds) 0 }}
          # The endpoint is taken away while the process still serves; only then comes SIGTERM.
          lifecycle:
            {{- include "todo-lib.preStop" (dict "root" .root "seconds" .lifecycle.preStopSeconds) | nindent 12 }}
          {{- end }}
          resources:
            {{- include "todo-lib.resources" .resources | trim | nindent 12 }}
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

{{- /*
With an autoscaler the number of pods is not the chart's business. Leaving the field out is not enough on an upgrade:
where the release before had it, helm removes it and the API server puts 1. So the live number is repeated; with no
cluster to ask (`helm template`, GitOps) the field is left out.
*/ -}}
{{- define "todo-lib.replicas" -}}
{{- if not .autoscaling.enabled -}}
replicas: {{ int .replicaCount }}
{{- else -}}
{{- $live := lookup "apps/v1" "Deployment" .root.Release.Namespace .name -}}
{{- if $live -}}
replicas: {{ min (max (int $live.spec.replicas) (int .autoscaling.minReplicas)) (int .autoscaling.maxReplicas) }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "todo-lib.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "todo-lib.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "todo-lib.serviceaccount" -}}
{{- if .Values.serviceAccount.create -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "todo-lib.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "todo-lib.labels" . | nindent 4 }}
  {{- with .Values.serviceAccount.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- end -}}
{{- end -}}
