{{/*
The helpers of this chart are those of the library chart todo-lib (helm/todo-lib): labels, selectors, pods, probes, checks.
Here are the names that its own templates and other tools know it by.
*/}}

{{- define "todo-app.fullname" -}}
{{- include "todo-lib.fullname" . -}}
{{- end -}}

{{- define "todo-app.labels" -}}
{{- include "todo-lib.labels" . -}}
{{- end -}}
