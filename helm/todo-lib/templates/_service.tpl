{{- define "todo-lib.service" -}}
{{- include "todo-lib.load" . -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ .service.name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "todo-lib.componentLabels" . | nindent 4 }}
  {{- with .service.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ .service.type }}
  selector:
    {{- include "todo-lib.selector" . | nindent 4 }}
  ports:
    - name: http
      port: {{ .port }}
      targetPort: http
      protocol: TCP
      {{- if and .service.nodePort (ne .service.type "ClusterIP") }}
      nodePort: {{ int .service.nodePort }}
      {{- end }}
{{- end -}}

{{- define "todo-lib.ingress" -}}
{{- include "todo-lib.load" . -}}
{{- $ingress := .root.Values.ingress -}}
{{- if $ingress.enabled -}}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "todo-lib.componentLabels" . | nindent 4 }}
  {{- with $ingress.annotations }}
  annotations:
    {{- range $key, $value := . }}
    {{ $key }}: {{ $value | quote }}
    {{- end }}
  {{- end }}
spec:
  {{- with $ingress.className }}
  ingressClassName: {{ . }}
  {{- end }}
  {{- if $ingress.tls.enabled }}
  tls:
    - hosts: [{{ $ingress.host | quote }}]
      secretName: {{ $ingress.tls.secretName | default (printf "%s-tls" .name) }}
  {{- end }}
  rules:
    - host: {{ $ingress.host | quote }}
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: {{ .service.name }}
                port:
                  name: http
{{- end -}}
{{- end -}}
