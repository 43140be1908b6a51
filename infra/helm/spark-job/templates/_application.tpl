{{/* The spec of a SparkApplication, by itself or as the template of a schedule. */}}
{{- define "job.application" -}}
type: Python
pythonVersion: "3"
mode: cluster
image: {{ printf "%s:%s" .Values.image.repository .Values.image.tag | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
mainApplicationFile: local:///opt/tidemark/submit.py
arguments: {{ include "job.arguments" . | nindent 2 }}
sparkVersion: 4.1.1
timeToLiveSeconds: {{ .Values.keepSeconds }}
# The operator does not tell exit codes apart: whoever started the job decides, by its outcome.
restartPolicy: {type: Never}
{{- with .Values.sparkConf }}
sparkConf: {{ toYaml . | nindent 2 }}
{{- end }}
driver:
  cores: {{ .Values.driver.cores }}
  memory: {{ .Values.driver.memory | quote }}
  memoryOverhead: {{ .Values.driver.memoryOverhead | quote }}
  serviceAccount: {{ include "job.name" . | quote }}
  template: {{ include "job.driverPod" . | nindent 4 }}
executor:
  instances: {{ .Values.executor.instances }}
  cores: {{ .Values.executor.cores }}
  memory: {{ .Values.executor.memory | quote }}
  memoryOverhead: {{ .Values.executor.memoryOverhead | quote }}
  template: {{ include "job.executorPod" . | nindent 4 }}
{{- end -}}
