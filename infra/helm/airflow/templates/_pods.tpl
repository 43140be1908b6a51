{{- define "airflow.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
readOnlyRootFilesystem: true
{{- end -}}

{{/* Called with root and name, as all below. */}}
{{- define "airflow.mounts" -}}
{{- $ := .root -}}
{{- $service := include "airflow.service" . | fromJson -}}
- {name: tmp, mountPath: /tmp}
{{- if $service.secrets }}
- {name: secrets, mountPath: /etc/tidemark/secrets, readOnly: true}
{{- end }}
{{- if ne .name "pgbouncer" }}
- {name: home, mountPath: /opt/airflow}
{{- range $.Values.sources }}
- {name: {{ printf "specs-%s" (.name | replace "_" "-") | quote }}, mountPath: {{ printf "/opt/tidemark/specs/%s" .name | quote }}, readOnly: true}
{{- end }}
{{- end }}
{{- if and (eq .name "scheduler") (not (include "airflow.celery" $)) }}
- {name: pods, mountPath: /etc/tidemark/pods, readOnly: true}
{{- end }}
{{- if and $.Values.tasks.jobTemplate (has .name (list "worker" "task" "triggerer")) }}
- {name: jobs, mountPath: /etc/tidemark/jobs, readOnly: true}
{{- end }}
{{- end -}}

{{/* Of the Secret a pod has the keys that it knows, and no other. */}}
{{- define "airflow.volumes" -}}
{{- $ := .root -}}
{{- $service := include "airflow.service" . | fromJson -}}
- name: tmp
  # PgBouncer's settings are made there, with the password in them.
  emptyDir: {{ if eq .name "pgbouncer" }}{medium: Memory, sizeLimit: 1Mi}{{ else }}{sizeLimit: 1Gi}{{ end }}
{{- if $service.secrets }}
- name: secrets
  secret:
    secretName: {{ $.Values.secretName | quote }}
    # The images' user is of group 0, which Kubernetes gives them.
    defaultMode: 0440
    items:
      {{- range $service.secrets }}
      - {key: {{ . }}, path: {{ . }}}
      {{- end }}
{{- end }}
{{- if ne .name "pgbouncer" }}
- name: home
  emptyDir: {sizeLimit: 4Gi}
{{- range $.Values.sources }}
- name: {{ printf "specs-%s" (.name | replace "_" "-") | quote }}
  configMap: {name: {{ .specsConfigMap | quote }}}
{{- end }}
{{- end }}
{{- if and (eq .name "scheduler") (not (include "airflow.celery" $)) }}
- name: pods
  configMap: {name: {{ printf "%s-pods" (include "airflow.name" $) | quote }}}
{{- end }}
{{- if and $.Values.tasks.jobTemplate (has .name (list "worker" "task" "triggerer")) }}
- name: jobs
  configMap: {name: {{ $.Values.tasks.jobTemplate | quote }}}
{{- end }}
{{- end -}}

{{- define "airflow.pod" -}}
{{- $ := .root -}}
{{- $service := include "airflow.service" . | fromJson -}}
serviceAccountName: {{ $service.account | quote }}
automountServiceAccountToken: {{ has "kubernetes" $service.reaches }}
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  seccompProfile: {type: RuntimeDefault}
{{- with $.Values.image.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with $.Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with $.Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
volumes: {{ include "airflow.volumes" . | nindent 2 }}
{{- end -}}

{{/* What all containers of Airflow's image have. */}}
{{- define "airflow.container" -}}
{{- $ := .root -}}
image: {{ printf "%s:%s" $.Values.image.repository $.Values.image.tag | quote }}
imagePullPolicy: {{ $.Values.image.pullPolicy }}
env: {{ include "airflow.env" . | nindent 2 }}
securityContext: {{ include "airflow.containerSecurity" $ | nindent 2 }}
terminationMessagePolicy: FallbackToLogsOnError
volumeMounts: {{ include "airflow.mounts" . | nindent 2 }}
{{- end -}}

{{/* The Deployment of a service: root, name, container, values, probe; grace, scaled, port. */}}
{{- define "airflow.deployment" -}}
{{- $ := .root -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ printf "%s-%s" (include "airflow.name" $) .name | quote }}
  labels: {{ include "airflow.labels" $ | nindent 4 }}
    app.kubernetes.io/component: {{ .name }}
spec:
  {{- if not .scaled }}
  replicas: {{ .values.replicas }}
  {{- end }}
  revisionHistoryLimit: 3
  selector:
    matchLabels: {{ include "airflow.selector" $ | nindent 6 }}
      app.kubernetes.io/component: {{ .name }}
  template:
    metadata:
      labels: {{ include "airflow.labels" $ | nindent 8 }}
        app.kubernetes.io/component: {{ .name }}
    spec: {{ include "airflow.pod" . | nindent 6 }}
      terminationGracePeriodSeconds: {{ .grace | default 60 }}
      # Of two that do the same, one survives the loss of a node; those of another version do not count.
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: {{ $.Values.spread }}
          labelSelector:
            matchLabels: {{ include "airflow.selector" $ | nindent 14 }}
              app.kubernetes.io/component: {{ .name }}
          matchLabelKeys: [pod-template-hash]
      containers:
        - name: {{ .name }}
          {{- .container | nindent 10 }}
          {{- with .port }}
          ports: [{name: {{ .name }}, containerPort: {{ .number }}}]
          {{- end }}
          startupProbe: {{ merge (dict "failureThreshold" 30 "periodSeconds" 10 "timeoutSeconds" 60) .probe | toYaml | nindent 12 }}
          livenessProbe: {{ merge (dict "failureThreshold" 3 "periodSeconds" 60 "timeoutSeconds" 60) .probe | toYaml | nindent 12 }}
          {{- if .port }}
          readinessProbe: {{ merge (dict "failureThreshold" 2 "periodSeconds" 15 "timeoutSeconds" 30) .probe | toYaml | nindent 12 }}
          {{- end }}
          resources: {{ toYaml .values.resources | nindent 12 }}
{{- end -}}

{{/* A Deployment of Airflow's image: words besides, and command, which the probe runs. */}}
{{- define "airflow.runs" -}}
{{- $container := printf "args: %s\n%s" (toJson .words) (include "airflow.container" .) -}}
{{- include "airflow.deployment" (merge (dict "container" $container "probe" (dict "exec" (dict "command" .asks))) .) -}}
{{- end -}}

{{- define "airflow.pgbouncer" -}}
image: {{ printf "%s:%s" .Values.pgbouncer.image.repository .Values.pgbouncer.image.tag | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
env:
  - {name: DATABASE_HOST, value: {{ .Values.database.host | quote }}}
  - {name: DATABASE_PORT, value: {{ .Values.database.port | quote }}}
  - {name: DATABASE_USER, value: {{ .Values.database.user | quote }}}
  - {name: DATABASE_NAME, value: {{ .Values.database.name | quote }}}
  - {name: DATABASE_SSLMODE, value: {{ .Values.database.sslmode | quote }}}
  - {name: POOL_SIZE, value: {{ .Values.pgbouncer.poolSize | quote }}}
  - {name: MAX_CLIENTS, value: {{ .Values.pgbouncer.maxClients | quote }}}
securityContext: {{ include "airflow.containerSecurity" . | nindent 2 }}
terminationMessagePolicy: FallbackToLogsOnError
volumeMounts: {{ include "airflow.mounts" (dict "root" . "name" "pgbouncer") | nindent 2 }}
{{- end -}}
