{{/* Labels of every object, and those by which pods are selected. */}}
{{- define "langop.selector" -}}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- define "langop.labels" -}}
app.kubernetes.io/name: langop-model
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: gateway
{{- end }}

{{/* Name of the ConfigMap with the specifications: as the operator's, NAME-config where there are several. */}}
{{- define "langop.config" -}}
{{ .Release.Name }}{{ if .Values.models }}-config{{ end }}
{{- end }}

{{/* The Secrets that the specifications name, and extraSecrets, as a list in JSON. */}}
{{- define "langop.secrets" -}}
{{- $specs := list .Values.model }}
{{- if .Values.models }}{{ $specs = values .Values.models }}{{ end }}
{{- $names := .Values.extraSecrets }}
{{- range $specs }}
{{- range list .apiKeySecretRef .credentialsSecretRef }}
{{- if . }}{{ $names = append $names .name }}{{ end }}
{{- end }}
{{- end }}
{{- toJson (sortAlpha (uniq $names)) }}
{{- end }}

{{/* A variable from a Secret, where that has a name. */}}
{{- define "langop.variable" -}}
{{- if .secret.name }}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret.name }}
      key: {{ .secret.key }}
{{- end }}
{{- end }}
