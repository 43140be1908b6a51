{{/* Names and labels are quoted wherever they are used: a release may be called y. */}}
{{- define "job.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "job.selector" -}}
app.kubernetes.io/name: spark-job
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "job.labels" -}}
{{ include "job.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
app.kubernetes.io/part-of: tidemark
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
tidemark.io/source: {{ .Values.source | quote }}
tidemark.io/job: {{ .Values.job | quote }}
{{- end -}}

{{/* Of all pods, whoever makes them: that is how one policy is about them. */}}
{{- define "job.podLabels" -}}
{{ include "job.labels" . }}
{{- with .Values.podLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "job.arguments" -}}
- {{ .Values.job | quote }}
- --source
- {{ .Values.source | quote }}
{{- range .Values.arguments }}
- {{ . | quote }}
{{- end }}
{{- end -}}

{{/* Executors read and write the lake; only a driver knows the source. */}}
{{- define "job.lakeEnv" -}}
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
{{- end -}}

{{- define "job.driverEnv" -}}
- {name: TIDEMARK_SPECS, value: /etc/tidemark/specs}
- {name: TIDEMARK_LAKE, value: {{ .Values.lake.url | quote }}}
- {name: TIDEMARK_STATE, value: /work/state}
- {name: TIDEMARK_SECRETS, value: file:///etc/tidemark/secrets}
{{ include "job.lakeEnv" . }}
{{- end -}}

{{- define "job.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
readOnlyRootFilesystem: true
{{- end -}}

{{- define "job.driverMounts" -}}
- {name: work, mountPath: /work}
- {name: tmp, mountPath: /tmp}
- {name: specs, mountPath: {{ printf "/etc/tidemark/specs/%s" .Values.source }}, readOnly: true}
- {name: secrets, mountPath: /etc/tidemark/secrets, readOnly: true}
{{- end -}}

{{- define "job.driverVolumes" -}}
- {name: work, emptyDir: {}}
- {name: tmp, emptyDir: {}}
- name: specs
  configMap: {name: {{ .Values.specsConfigMap | quote }}}
- name: secrets
  secret: {secretName: {{ .Values.secrets.name | quote }}, defaultMode: 0444}
{{- end -}}

{{- define "job.pod" -}}
enableServiceLinks: false
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
{{- end -}}

{{- define "job.executorPod" -}}
metadata:
  labels: {{ include "job.podLabels" . | nindent 4 }}
spec: {{ include "job.pod" . | nindent 2 }}
  automountServiceAccountToken: false
  volumes:
    - {name: work, emptyDir: {}}
    - {name: tmp, emptyDir: {}}
  containers:
    - name: spark-kubernetes-executor
      env: {{ include "job.lakeEnv" . | nindent 8 }}
      securityContext: {{ include "job.containerSecurity" . | nindent 8 }}
      volumeMounts:
        - {name: work, mountPath: /work}
        - {name: tmp, mountPath: /tmp}
{{- end -}}

{{- define "job.driverPod" -}}
metadata:
  labels: {{ include "job.podLabels" . | nindent 4 }}
spec: {{ include "job.pod" . | nindent 2 }}
  volumes: {{ include "job.driverVolumes" . | nindent 4 }}
  containers:
    - name: spark-kubernetes-driver
      env: {{ include "job.driverEnv" . | nindent 8 }}
      securityContext: {{ include "job.containerSecurity" . | nindent 8 }}
      volumeMounts: {{ include "job.driverMounts" . | nindent 8 }}
{{- end -}}

{{- define "job.sparkConf" -}}
spark.kubernetes.namespace: {{ .Release.Namespace | quote }}
spark.kubernetes.container.image: {{ printf "%s:%s" .Values.image.repository .Values.image.tag | quote }}
spark.kubernetes.container.image.pullPolicy: {{ .Values.image.pullPolicy | quote }}
spark.kubernetes.authenticate.driver.serviceAccountName: {{ include "job.name" . | quote }}
spark.executor.instances: {{ .Values.executor.instances | quote }}
spark.executor.cores: {{ .Values.executor.cores | quote }}
spark.executor.memory: {{ .Values.executor.memory | quote }}
spark.executor.memoryOverhead: {{ .Values.executor.memoryOverhead | quote }}
spark.driver.cores: {{ .Values.driver.cores | quote }}
spark.driver.memory: {{ .Values.driver.memory | quote }}
spark.driver.memoryOverhead: {{ .Values.driver.memoryOverhead | quote }}
{{- range $name, $value := .Values.sparkConf }}
{{ $name }}: {{ $value | quote }}
{{- end }}
{{- end -}}
