{{- define "todo-lib.hpa" -}}
{{- include "todo-lib.load" . -}}
{{- if .autoscaling.enabled -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "todo-lib.componentLabels" . | nindent 4 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ .name }}
  minReplicas: {{ int .autoscaling.minReplicas }}
  maxReplicas: {{ int .autoscaling.maxReplicas }}
  behavior:
    scaleDown:
      stabilizationWindowSeconds: {{ int .autoscaling.scaleDownStabilizationSeconds }}
  metrics:
    {{- with .autoscaling.targetCPUUtilizationPercentage }}
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ int . }}
    {{- end }}
    {{- with .autoscaling.targetMemoryUtilizationPercentage }}
    - type: Resource
      resource:
        name: memory
        target:
          type: Utilization
          averageUtilization: {{ int . }}
    {{- end }}
{{- end -}}
{{- end -}}

{{- /* With one pod a budget would only block the drain of its node. */ -}}
{{- define "todo-lib.pdb" -}}
{{- include "todo-lib.load" . -}}
{{- if and .podDisruptionBudget.enabled (gt (int (include "todo-lib.minPods" .)) 1) -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "todo-lib.componentLabels" . | nindent 4 }}
spec:
  minAvailable: {{ int .podDisruptionBudget.minAvailable }}
  # A pod that is not ready serves nobody; it must not keep a node from being drained.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "todo-lib.selector" . | nindent 6 }}
{{- end -}}
{{- end -}}

{{- /* Bounds for the whole namespace; off by default, since everything else in it has to live within them too. */ -}}
{{- define "todo-lib.namespacebudget" -}}
{{- $budget := .Values.namespaceBudget -}}
{{- if $budget.enabled -}}
apiVersion: v1
kind: ResourceQuota
metadata:
  name: {{ include "todo-lib.fullname" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "todo-lib.labels" . | nindent 4 }}
spec:
  hard:
    {{- range $what, $amount := $budget.quota }}
    {{ $what }}: {{ $amount | toString | quote }}
    {{- end }}
---
apiVersion: v1
kind: LimitRange
metadata:
  name: {{ include "todo-lib.fullname" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "todo-lib.labels" . | nindent 4 }}
spec:
  limits:
    - type: Container
      {{- range $field := list "default" "defaultRequest" "max" }}
      {{- with index $budget.container $field }}
      {{ $field }}:
        {{- range $what, $amount := . }}
        {{ $what }}: {{ $amount | toString | quote }}
        {{- end }}
      {{- end }}
      {{- end }}
{{- end -}}
{{- end -}}
