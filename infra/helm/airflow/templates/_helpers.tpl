{{/* Names and labels are quoted wherever they are used: a release may be called y. */}}
{{- define "airflow.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "airflow.selector" -}}
app.kubernetes.io/name: airflow
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "airflow.labels" -}}
{{ include "airflow.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
app.kubernetes.io/part-of: tidemark
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end -}}

{{- define "airflow.celery" -}}
{{- if eq .Values.executor "CeleryExecutor" }}yes{{ end -}}
{{- end -}}

{{/* The services that there are with these values, as in services.yaml; without Celery nobody knows a queue, and
     who starts no pods knows no Kubernetes. */}}
{{- define "airflow.services" -}}
{{- $celery := include "airflow.celery" . -}}
{{- $services := dict -}}
{{- range $name, $service := .Files.Get "services.yaml" | fromYaml -}}
{{- $there := or (not (has $name (list "worker" "task" "pgbouncer")))
      (and $celery (eq $name "worker")) (and (not $celery) (eq $name "task")) (and $.Values.pgbouncer.enabled (eq $name "pgbouncer")) -}}
{{- if $there -}}
{{- $secrets := $service.secrets -}}
{{- $reaches := $service.reaches -}}
{{- if not $celery -}}
{{- $secrets = without $secrets "queue-password" -}}
{{- $reaches = without $reaches "queue" "worker" -}}
{{- end -}}
{{- if or (and $celery (has $name (list "api-server" "scheduler"))) (and (not $.Values.tasks.startIn) (has $name (list "worker" "task" "triggerer"))) -}}
{{- $reaches = without $reaches "kubernetes" -}}
{{- end -}}
{{- if has "database" $reaches -}}
{{- $reaches = append (without $reaches "database") (ternary "pgbouncer" "server" $.Values.pgbouncer.enabled) -}}
{{- end -}}
{{- $account := printf "%s-%s" (include "airflow.name" $) ($service.account | default $name) -}}
{{- $_ := set $services $name (dict "account" $account "secrets" $secrets "reaches" $reaches) -}}
{{- end -}}
{{- end -}}
{{- $services | toJson -}}
{{- end -}}

{{/* Called with root and name. */}}
{{- define "airflow.service" -}}
{{- index (include "airflow.services" .root | fromJson) .name | toJson -}}
{{- end -}}

{{/* Called with root and server: whether it is to be the database itself. Of TLS it says nothing: Airflow's two drivers
have no word for that in common, and take it wherever the server has it. */}}
{{- define "airflow.database" -}}
{{- $ := .root -}}
{{- $direct := or .server (not $.Values.pgbouncer.enabled) -}}
{{- $host := ternary $.Values.database.host (printf "%s-pgbouncer" (include "airflow.name" $)) $direct -}}
{{- $port := ternary $.Values.database.port 6432 $direct -}}
python -m tidemark_orchestration.secret_url postgresql+psycopg2://{{ $.Values.database.user }}@{{ $host }}:{{ $port }}/{{ $.Values.database.name }} /etc/tidemark/secrets/database-password
{{- end -}}

{{/* Called with root and name. */}}
{{- define "airflow.env" -}}
{{- $ := .root -}}
{{- $knows := (include "airflow.service" . | fromJson).secrets -}}
- {name: AIRFLOW__CORE__AUTH_MANAGER, value: airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager}
- {name: AIRFLOW__CORE__EXECUTOR, value: {{ $.Values.executor | quote }}}
- {name: AIRFLOW__API__BASE_URL, value: {{ $.Values.baseUrl | quote }}}
- {name: TIDEMARK_SPECS, value: /opt/tidemark/specs}
{{- if has .name (list "worker" "task") }}
- {name: AIRFLOW__CORE__EXECUTION_API_SERVER_URL, value: {{ printf "http://%s-execution:8080/execution/" (include "airflow.name" $) | quote }}}
# By default 5 seconds, in which an API server on a busy node was seen not to answer: the task then fails.
- {name: AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT, value: "30"}
{{- end }}
{{- if has "database-password" $knows }}
{{- $server := eq .name "prepare" }}
- name: AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD
  value: {{ include "airflow.database" (dict "root" $ "server" $server) | quote }}
{{- if and $.Values.pgbouncer.enabled (not $server) }}
- {name: AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS_ASYNC, value: tidemark_orchestration.pooled.CONNECT_ARGS}
{{- end }}
{{- end }}
{{- if has "admin-password" $knows }}
- {name: TIDEMARK_ADMIN_PASSWORD_FILE, value: /etc/tidemark/secrets/admin-password}
{{- end }}
{{- if has "fernet-key" $knows }}
- {name: AIRFLOW__CORE__FERNET_KEY_CMD, value: cat /etc/tidemark/secrets/fernet-key}
{{- end }}
{{- if has "jwt-secret" $knows }}
- {name: AIRFLOW__API_AUTH__JWT_SECRET_CMD, value: cat /etc/tidemark/secrets/jwt-secret}
{{- end }}
{{- if has "api-key" $knows }}
- {name: AIRFLOW__API__SECRET_KEY_CMD, value: cat /etc/tidemark/secrets/api-key}
{{- end }}
{{- if has "queue-password" $knows }}
{{- range $name, $db := dict "AIRFLOW__CELERY__BROKER_URL_CMD" 0 "AIRFLOW__CELERY__RESULT_BACKEND_CMD" 1 }}
- name: {{ $name }}
  value: {{ printf "python -m tidemark_orchestration.secret_url redis://%s:%v/%d /etc/tidemark/secrets/queue-password" $.Values.queue.host $.Values.queue.port $db | quote }}
{{- end }}
# A task that takes longer is given to another worker too. The longest of ours may take half of that, a day.
- {name: AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT, value: "172800"}
- {name: AIRFLOW__CELERY__WORKER_CONCURRENCY, value: {{ $.Values.worker.concurrency | quote }}}
{{- end }}
{{- if eq .name "scheduler" }}
- {name: AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK, value: "True"}
- {name: AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_HOST, value: 127.0.0.1}
{{- end }}
{{- if not (include "airflow.celery" $) }}
- {name: AIRFLOW__KUBERNETES_EXECUTOR__NAMESPACE, value: {{ $.Release.Namespace | quote }}}
{{- if eq .name "scheduler" }}
- {name: AIRFLOW__KUBERNETES_EXECUTOR__POD_TEMPLATE_FILE, value: /etc/tidemark/pods/task.yaml}
{{- end }}
{{- end }}
{{- if and $.Values.tasks.jobTemplate (has .name (list "worker" "task" "triggerer")) }}
- {name: TIDEMARK_LAUNCHER, value: kubernetes}
- {name: TIDEMARK_KUBERNETES_TEMPLATE, value: {{ printf "/etc/tidemark/jobs/%s" $.Values.tasks.jobTemplateFile | quote }}}
{{- end }}
{{- range $name, $value := $.Values.env }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end -}}

{{/* What has to be there before the other pods are, or are replaced; called with a weight. */}}
{{- define "airflow.before" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation
{{- end -}}

{{/* Who reaches a service: root, name, services, ports. */}}
{{- define "airflow.ingress" -}}
{{- range $other, $reaching := .services }}
{{- if has $.name $reaching.reaches }}
- from:
    - podSelector:
        matchLabels: {{ include "airflow.selector" $.root | nindent 10 }}
          app.kubernetes.io/component: {{ $other }}
  ports: [{port: {{ index $.ports $.name }}, protocol: TCP}]
{{- end }}
{{- end }}
{{- if and (eq .name "api-server") .root.Values.networkPolicy.pagesFrom }}
- from: {{ toYaml .root.Values.networkPolicy.pagesFrom | nindent 4 }}
  ports: [{port: 8080, protocol: TCP}]
{{- end }}
{{- end -}}
