{{/* Names and labels are quoted wherever they are used: a release may be called y. */}}
{{- define "observability.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "observability.collector" -}}
{{- printf "%s-collector" (include "observability.name" .) -}}
{{- end -}}

{{- define "observability.selector" -}}
app.kubernetes.io/name: observability
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "observability.labels" -}}
{{ include "observability.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
app.kubernetes.io/part-of: tidemark
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end -}}
