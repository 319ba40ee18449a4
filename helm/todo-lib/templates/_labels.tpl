{{/*
Names and labels.

Every template of this library that renders an object of one service takes a dict with `root` (the chart's own scope) and
`component` (the service's name). "todo-lib.load" adds the service's values to it.
*/}}

{{- define "todo-lib.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- /* The release's own name: two plans name their objects by it, and `helm list` shows the same word. */ -}}
{{- define "todo-lib.fullname" -}}
{{- .Values.fullnameOverride | default .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- /* A label's value: at most 63 characters, of letters, digits, `-`, `_` and `.`, a letter or digit at both ends. */ -}}
{{- define "todo-lib.labelValue" -}}
{{- . | toString | replace "+" "_" | replace ":" "_" | trunc 63 | trimAll "-_." -}}
{{- end -}}

{{- /* Labels of objects that belong to no single service. */ -}}
{{- define "todo-lib.labels" -}}
app.kubernetes.io/name: {{ include "todo-lib.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ include "todo-lib.labelValue" (.Chart.AppVersion | default .Chart.Version) | quote }}
app.kubernetes.io/part-of: {{ .Values.partOf }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ include "todo-lib.labelValue" (printf "%s-%s" .Chart.Name .Chart.Version) }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* Selectors are immutable: nothing that changes with a version may enter them. The component keeps the services apart. */ -}}
{{- define "todo-lib.selector" -}}
app.kubernetes.io/name: {{ include "todo-lib.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "todo-lib.podLabels" -}}
{{ include "todo-lib.selector" . }}
app.kubernetes.io/part-of: {{ .root.Values.partOf }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end -}}

{{- define "todo-lib.componentLabels" -}}
{{ include "todo-lib.labels" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}
