{{/*
Who may talk to whom: anyone -> frontend -> backend -> database and the outside. Without a network plugin that enforces
policies (minikube's default one does not) the objects exist and have no effect.
*/}}

{{- define "todo-lib.networkpolicy" -}}
{{- include "todo-lib.load" . -}}
{{- $policy := .root.Values.networkPolicy -}}
{{- $partOf := .root.Values.partOf -}}
{{- if $policy.enabled -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "todo-lib.componentLabels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- include "todo-lib.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    {{- if eq .component "frontend" }}
    - ports:
        - port: http
    {{- else }}
    - from:
        - podSelector:
            matchLabels:
              app.kubernetes.io/part-of: {{ $partOf }}
            matchExpressions:
              - key: app.kubernetes.io/component
                operator: In
                values: [frontend, {{ .component }}-test]
      ports:
        - port: http
    {{- end }}
    {{- with $policy.extraIngress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  egress:
    - to:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: kube-system
      ports:
        - port: 53
          protocol: UDP
        - port: 53
          protocol: TCP
    {{- if eq .component "frontend" }}
    - to:
        - podSelector:
            matchLabels:
              app.kubernetes.io/part-of: {{ $partOf }}
              app.kubernetes.io/component: backend
    {{- end }}
    - to:
        - podSelector:
            matchLabels:
              app.kubernetes.io/part-of: {{ $partOf }}
              app.kubernetes.io/component: database
    {{- with $policy.externalPorts }}
    # The outside: the database, the model provider, object storage. Not the cloud's metadata service.
    - to:
        - ipBlock:
            cidr: 0.0.0.0/0
            except: [169.254.0.0/16]
        - ipBlock:
            cidr: ::/0
            except: ["fe80::/10"]
      ports:
        {{- range . }}
        - port: {{ int . }}
          protocol: TCP
        {{- end }}
    {{- end }}
    {{- with $policy.extraEgress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}
{{- end -}}
