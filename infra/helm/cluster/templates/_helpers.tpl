{{- define "cluster.labels" -}}
app.kubernetes.io/name: cluster
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
app.kubernetes.io/part-of: tidemark
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end -}}

{{/* As Kubernetes takes it: a source may be called a_b. */}}
{{- define "cluster.slug" -}}
{{- . | replace "_" "-" -}}
{{- end -}}
