{{/*
One reading of the values for both layouts: in a chart of several services a value is `image.frontend`, in a chart of one it
is `image`. Chart.yaml says which services a chart has (annotation `todo-lib/components`), so that two of these charts can
be parts of one umbrella chart without a name that clashes.
*/}}

{{- define "todo-lib.components" -}}
{{- index .Chart.Annotations "todo-lib/components" -}}
{{- end -}}

{{- define "todo-lib.suffixed" -}}
{{- if contains "," (include "todo-lib.components" .) }}true{{ end -}}
{{- end -}}

{{- /* The path of a value as the user writes it, for messages: dict root component key. */ -}}
{{- define "todo-lib.path" -}}
{{- if include "todo-lib.suffixed" .root -}}
{{- $parts := splitList "." .key -}}
{{- join "." (concat (list (first $parts) .component) (rest $parts)) -}}
{{- else -}}
{{- .key -}}
{{- end -}}
{{- end -}}

{{- /* Adds the service's values, name and image reference to the dict it is given; renders nothing. */ -}}
{{- define "todo-lib.load" -}}
{{- $ctx := . -}}
{{- $values := .root.Values -}}
{{- $suffixed := include "todo-lib.suffixed" .root -}}
{{- range $key := list "image" "service" "replicaCount" "resources" "healthProbe" "lifecycle" "podSecurity" "podAnnotations" "podLabels" "secretKeys" "configKeys" "extraEnv" "emptyDirs" "autoscaling" "podDisruptionBudget" "helmTest" "command" "args" -}}
{{- $value := index $values $key -}}
{{- if $suffixed -}}{{- $value = index (default dict $value) $ctx.component -}}{{- end -}}
{{- $_ := set $ctx $key $value -}}
{{- end -}}
{{- $fullname := include "todo-lib.fullname" .root -}}
{{- $_ := set $ctx "fullname" $fullname -}}
{{- $_ := set $ctx "name" (ternary (printf "%s-%s" $fullname .component) $fullname (eq $suffixed "true")) -}}
{{- $_ := set $ctx "port" (int $ctx.service.port) -}}
{{- $tag := $ctx.image.tag | default .root.Chart.AppVersion | toString -}}
{{- $_ := set $ctx "tag" $tag -}}
{{- if $ctx.image.digest -}}
{{- $_ := set $ctx "imageRef" (printf "%s@%s" $ctx.image.repository $ctx.image.digest) -}}
{{- else -}}
{{- $_ := set $ctx "imageRef" (printf "%s:%s" $ctx.image.repository $tag) -}}
{{- end -}}
{{- end -}}

{{- /* How many pods a service has at least, whoever decides it. */ -}}
{{- define "todo-lib.minPods" -}}
{{- if .autoscaling.enabled }}{{ .autoscaling.minReplicas }}{{ else }}{{ .replicaCount }}{{ end -}}
{{- end -}}
