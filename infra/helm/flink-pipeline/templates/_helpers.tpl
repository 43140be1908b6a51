{{/* Names and labels are quoted wherever they are used: a release may be called y. */}}
{{- define "pipeline.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "pipeline.selector" -}}
app.kubernetes.io/name: flink-pipeline
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "pipeline.labels" -}}
{{ include "pipeline.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
app.kubernetes.io/part-of: tidemark
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
tidemark.io/source: {{ .Values.source | quote }}
{{- end -}}

{{/* What a start is told: the words of tidemark_streaming.deployment. */}}
{{- define "pipeline.words" -}}
- --source
- {{ .Values.source | quote }}
- --incarnation
- {{ .Values.incarnation | quote }}
- --checkpoints
- {{ .Values.lake.checkpoints | quote }}
- --checkpoint-interval
- {{ .Values.checkpointInterval | quote }}
{{- end -}}

{{- define "pipeline.env" -}}
- {name: TIDEMARK_SPECS, value: /etc/tidemark/specs}
- {name: TIDEMARK_LAKE, value: {{ .Values.lake.url | quote }}}
- {name: TIDEMARK_STATE, value: /work}
- {name: TIDEMARK_SECRETS, value: file:///etc/tidemark/secrets}
- {name: AWS_REGION, value: {{ .Values.lake.region | quote }}}
{{- with .Values.lake.endpoint }}
- {name: AWS_ENDPOINT_URL, value: {{ . | quote }}}
{{- end }}
{{- with .Values.lake.credentialsSecret }}
- name: AWS_ACCESS_KEY_ID
  valueFrom: {secretKeyRef: {name: {{ . | quote }}, key: AWS_ACCESS_KEY_ID}}
- name: AWS_SECRET_ACCESS_KEY
  valueFrom: {secretKeyRef: {name: {{ . | quote }}, key: AWS_SECRET_ACCESS_KEY}}
{{- end }}
- name: POD_IP
  valueFrom: {fieldRef: {fieldPath: status.podIP}}
{{- end -}}

{{- define "pipeline.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
readOnlyRootFilesystem: true
{{- end -}}

{{- define "pipeline.mounts" -}}
- {name: work, mountPath: /work}
- {name: passwords, mountPath: /work/secrets}
- {name: tmp, mountPath: /tmp}
- {name: specs, mountPath: {{ printf "/etc/tidemark/specs/%s" .Values.source }}, readOnly: true}
- {name: secrets, mountPath: /etc/tidemark/secrets, readOnly: true}
{{- end -}}

{{/* Both pods are the same but for their container. */}}
{{- define "pipeline.pod" -}}
serviceAccountName: {{ include "pipeline.name" . | quote }}
enableServiceLinks: false
terminationGracePeriodSeconds: 30
securityContext:
  runAsNonRoot: true
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
volumes:
  - name: work
    emptyDir: {sizeLimit: 1Gi}
  - name: tmp
    emptyDir: {sizeLimit: 1Gi}
  - name: passwords
    emptyDir: {medium: Memory, sizeLimit: 1Mi}
  - name: specs
    configMap: {name: {{ .Values.specsConfigMap | quote }}}
  - name: secrets
    secret: {secretName: {{ .Values.secrets.name | quote }}, defaultMode: 0444}
{{- end -}}
