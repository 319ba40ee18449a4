{{/*
What a JSON schema can't say. All problems of a set of values are reported at once, each with the key to change.
*/}}

{{- /* A Kubernetes quantity as a number: CPU in cores, memory in bytes. The schema has refused everything else before. */ -}}
{{- define "todo-lib.quantity" -}}
{{- $text := toString . -}}
{{- $units := dict "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 -}}
{{- $unit := regexFind "[A-Za-z]+$" $text -}}
{{- mulf (float64 (trimSuffix $unit $text)) (default 1.0 (index $units $unit)) -}}
{{- end -}}

{{- /* Messages about requests above limits: dict path resources. Ends each with a line break. */ -}}
{{- define "todo-lib.checkResources" -}}
{{- $path := .path -}}
{{- $limits := default dict .resources.limits -}}
{{- range $what, $request := default dict .resources.requests -}}
{{- $limit := index $limits $what -}}
{{- if and (ne (toString $request) "") $limit -}}
{{- if gt (float64 (include "todo-lib.quantity" $request)) (float64 (include "todo-lib.quantity" $limit)) }}
`{{ $path }}.requests.{{ $what }}` is {{ $request }}, above `{{ $path }}.limits.{{ $what }}` {{ $limit }}: lower the request or raise the limit
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "todo-lib.checkService" -}}
{{- include "todo-lib.load" . -}}
{{- $ctx := . -}}
{{- $values := .root.Values -}}
{{- $path := dict "root" .root "component" .component -}}
{{- include "todo-lib.checkResources" (dict "resources" .resources "path" (include "todo-lib.path" (merge (dict "key" "resources") $path))) -}}
{{- if .autoscaling.enabled -}}
{{- if gt (int .autoscaling.minReplicas) (int .autoscaling.maxReplicas) }}
`{{ include "todo-lib.path" (merge (dict "key" "autoscaling.minReplicas") $path) }}` is {{ .autoscaling.minReplicas }}, above maxReplicas {{ .autoscaling.maxReplicas }}
{{- end -}}
{{- if not (or .autoscaling.targetCPUUtilizationPercentage .autoscaling.targetMemoryUtilizationPercentage) }}
`{{ include "todo-lib.path" (merge (dict "key" "autoscaling") $path) }}` is enabled without a target: set targetCPUUtilizationPercentage or targetMemoryUtilizationPercentage
{{- end -}}
{{- range $target, $what := dict "targetCPUUtilizationPercentage" "cpu" "targetMemoryUtilizationPercentage" "memory" -}}
{{- if and (index $ctx.autoscaling $target) (not (index (default dict $ctx.resources.requests) $what)) }}
`{{ include "todo-lib.path" (merge (dict "key" (printf "autoscaling.%s" $target)) $path) }}` needs `{{ include "todo-lib.path" (merge (dict "key" (printf "resources.requests.%s" $what)) $path) }}`: utilisation is measured against the request
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .podDisruptionBudget.enabled (gt (int (include "todo-lib.minPods" .)) 1) (ge (int .podDisruptionBudget.minAvailable) (int (include "todo-lib.minPods" .))) }}
`{{ include "todo-lib.path" (merge (dict "key" "podDisruptionBudget.minAvailable") $path) }}` is {{ .podDisruptionBudget.minAvailable }} of {{ include "todo-lib.minPods" . }} pods: no node could be drained; lower it
{{- end -}}
{{- if ge (int .lifecycle.preStopSeconds) (int .lifecycle.terminationGracePeriodSeconds) }}
`{{ include "todo-lib.path" (merge (dict "key" "lifecycle.preStopSeconds") $path) }}` is {{ .lifecycle.preStopSeconds }}, not below terminationGracePeriodSeconds {{ .lifecycle.terminationGracePeriodSeconds }}: the process would be killed without a SIGTERM
{{- end -}}
{{- if not (or .healthProbe.liveness.path) }}
`{{ include "todo-lib.path" (merge (dict "key" "healthProbe.liveness.path") $path) }}` is empty: give the path that answers while the process lives
{{- end -}}
{{- range $key := default list .secretKeys -}}
{{- if hasKey (default dict $ctx.extraEnv) $key }}
`{{ include "todo-lib.path" (merge (dict "key" "extraEnv") $path) }}` and `{{ include "todo-lib.path" (merge (dict "key" "secretKeys") $path) }}` both set {{ $key }}: remove one
{{- end -}}
{{- end -}}
{{- if not $values.existingConfigMap -}}
{{- $config := include "todo-lib.configData" .root | fromYaml -}}
{{- range $key := default list .configKeys -}}
{{- if not (hasKey $config $key) }}
`{{ include "todo-lib.path" (merge (dict "key" "configKeys") $path) }}` lists {{ $key }}, which `config` does not have
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "todo-lib.checkSecrets" -}}
{{- $values := .Values -}}
{{- $secrets := default dict $values.secrets -}}
{{- $used := include "todo-lib.secretKeysUsed" . | fromYamlArray -}}
{{- $given := list -}}
{{- range $key, $value := $secrets }}{{ if ne (toString $value) "" }}{{ $given = append $given $key }}{{ end }}{{ end -}}
{{- if $values.existingSecret -}}
{{- if $given }}
`secrets` has values for {{ join ", " $given }}, and `existingSecret` is {{ $values.existingSecret }}: give one of the two
{{- end -}}
{{- else -}}
{{- range $used -}}
{{- if not (or (has . $given) (has . $values.optionalSecretKeys)) }}
`secrets.{{ . }}` is required: give it in a values file that is in no repository, or name a Secret that has it in `existingSecret`
{{- end -}}
{{- end -}}
{{- range $given -}}
{{- if not (has . $used) }}
`secrets.{{ . }}` is used by no service: correct its name, or list it in `secretKeys`
{{- end -}}
{{- end -}}
{{- with $secrets.BETTER_AUTH_SECRET -}}
{{- if lt (len (toString .)) 32 }}
`secrets.BETTER_AUTH_SECRET` has {{ len (toString .) }} characters, fewer than 32
{{- end -}}
{{- end -}}
{{- with $secrets.DATABASE_URL -}}
{{- if not (regexMatch "^postgres(ql)?(\\+[a-z0-9]+)?://" (toString .)) }}
`secrets.DATABASE_URL` is no PostgreSQL URL: it starts with postgresql://
{{- end -}}
{{- end -}}
{{- with $secrets.OPENAI_API_KEY -}}
{{- if not (hasPrefix "sk-" (toString .)) }}
`secrets.OPENAI_API_KEY` does not start with sk-
{{- end -}}
{{- end -}}
{{- $keyOf := dict "openai" "OPENAI_API_KEY" "openrouter" "OPENROUTER_API_KEY" "gemini" "GEMINI_API_KEY" -}}
{{- with index $keyOf (default "" $values.config.LLM_PROVIDER) -}}
{{- if and (has . $used) (not (has . $given)) }}
`secrets.{{ . }}` is required, since `config.LLM_PROVIDER` is {{ $values.config.LLM_PROVIDER }}
{{- end -}}
{{- end -}}
{{- $r2 := list -}}
{{- range $given }}{{ if hasPrefix "CLOUDFLARE_R2_" . }}{{ $r2 = append $r2 . }}{{ end }}{{ end -}}
{{- if and $r2 (ne (len $r2) 4) }}
`secrets.CLOUDFLARE_R2_*` has {{ len $r2 }} of its 4 values: give all or none
{{- end -}}
{{- end -}}
{{- range $key, $value := $values.config -}}
{{- if and (ne (toString $value) "") (has $key $used) }}
`config.{{ $key }}` is listed in `secretKeys` too: a secret does not belong into the configuration
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "todo-lib.checkNames" -}}
{{- $root := . -}}
{{- $names := dict -}}
{{- $nodePorts := dict -}}
{{- range $component := splitList "," (include "todo-lib.components" .) -}}
{{- $ctx := dict "root" $root "component" $component -}}
{{- include "todo-lib.load" $ctx -}}
{{- if hasKey $names $ctx.service.name }}
`service.{{ $component }}.name` and `service.{{ index $names $ctx.service.name }}.name` are both {{ $ctx.service.name }}
{{- end -}}
{{- $_ := set $names $ctx.service.name $component -}}
{{- if and $ctx.service.nodePort (ne $ctx.service.type "ClusterIP") -}}
{{- $port := toString (int $ctx.service.nodePort) -}}
{{- if hasKey $nodePorts $port }}
`service.{{ $component }}.nodePort` and `service.{{ index $nodePorts $port }}.nodePort` are both {{ $port }}
{{- end -}}
{{- $_ := set $nodePorts $port $component -}}
{{- end -}}
{{- /* The Services' names are fixed, so a second release of one namespace takes those of the first. */ -}}
{{- $live := lookup "v1" "Service" $root.Release.Namespace $ctx.service.name -}}
{{- if $live -}}
{{- $owner := index (default dict $live.metadata.annotations) "meta.helm.sh/release-name" | default "no release" -}}
{{- if ne $owner $root.Release.Name }}
Service `{{ $ctx.service.name }}` exists in namespace `{{ $root.Release.Namespace }}` and belongs to {{ $owner }}: set `{{ include "todo-lib.path" (dict "root" $root "component" $component "key" "service.name") }}` to another name, or uninstall that release
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "todo-lib.validate" -}}
{{- $root := . -}}
{{- $messages := "" -}}
{{- range $component := splitList "," (include "todo-lib.components" .) -}}
{{- $messages = print $messages (include "todo-lib.checkService" (dict "root" $root "component" $component)) -}}
{{- end -}}
{{- $messages = print $messages (include "todo-lib.checkNames" .) (include "todo-lib.checkSecrets" .) -}}
{{- with .Values.migrations -}}
{{- $messages = print $messages (include "todo-lib.checkResources" (dict "resources" .resources "path" "migrations.resources")) -}}
{{- if and .enabled (not .command) -}}
{{- $messages = print $messages "\n`migrations.command` is empty: give the command that migrates the database" -}}
{{- end -}}
{{- end -}}
{{- with .Values.ingress -}}
{{- if and .enabled (not .host) -}}
{{- $messages = print $messages "\n`ingress.host` is empty: give the host name that the browser uses" -}}
{{- end -}}
{{- end -}}
{{- if and (eq (toString .Values.rollout.maxSurge) "0") (eq (toString .Values.rollout.maxUnavailable) "0") -}}
{{- $messages = print $messages "\n`rollout.maxSurge` and `rollout.maxUnavailable` are both 0: no pod could ever be replaced" -}}
{{- end -}}
{{- include "todo-lib.refuse" $messages -}}
{{- end -}}

{{- /* Fails with one line for each problem, if there is one. */ -}}
{{- define "todo-lib.refuse" -}}
{{- $lines := list -}}
{{- range splitList "\n" . }}{{ if trim . }}{{ $lines = append $lines (printf "  - %s" (trim .)) }}{{ end }}{{ end -}}
{{- if $lines -}}
{{- fail (printf "refused values:\n%s" (join "\n" $lines)) -}}
{{- end -}}
{{- end -}}
