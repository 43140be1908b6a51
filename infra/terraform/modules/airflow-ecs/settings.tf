# What the services are told, by groups, as in infra/compose/compose.yaml. A secret comes as a variable, is written to a
# file in memory and taken out of the environment before anything of Airflow begins: so the same settings read it.
locals {
  services = yamldecode(file("${path.module}/services.yaml"))
  where    = "/dev/shm/secrets"

  common = merge({
    AIRFLOW__CORE__AUTH_MANAGER                    = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
    AIRFLOW__CORE__EXECUTOR                        = "CeleryExecutor"
    AIRFLOW__API__BASE_URL                         = var.base_url
    AIRFLOW__CELERY__WORKER_CONCURRENCY            = tostring(var.workers.concurrency)
    AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST = jsonencode([{ name = "tidemark", classpath = "airflow.dag_processing.bundles.local.LocalDagBundle", kwargs = { path = "/mnt/dags/current" } }])
    TIDEMARK_SPECS                                 = "/mnt/dags/current/specs"
    AWS_REGION                                     = data.aws_region.this.name
    AIRFLOW__SECRETS__BACKEND                      = "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend"
    AIRFLOW__SECRETS__BACKEND_KWARGS               = jsonencode({ connections_prefix = "${var.name}/airflow/connections", variables_prefix = "${var.name}/airflow/variables", config_prefix = null })
  }, var.settings)

  groups = {
    database = {
      # No word of TLS: Airflow's two drivers have none in common. They take it where the server has it, and ours refuses the rest.
      AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD = "python -m tidemark_orchestration.secret_url postgresql+psycopg2://${var.database.user}@${var.database.address}:5432/${var.database.name} ${local.where}/database-password"
      AIRFLOW__CORE__FERNET_KEY_CMD           = "cat ${local.where}/fernet-key"
    }
    queue = {
      AIRFLOW__CELERY__BROKER_URL                                  = var.queue.broker
      AIRFLOW__CELERY__RESULT_BACKEND                              = var.queue.results
      AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT = "172800"
    }
    logs   = { AIRFLOW__API__SECRET_KEY_CMD = "cat ${local.where}/api-key" }
    tokens = { AIRFLOW__API_AUTH__JWT_SECRET_CMD = "cat ${local.where}/jwt-secret" }
    scheduler = {
      AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK                = "True"
      AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_HOST = "127.0.0.1"
    }
    worker = {
      AIRFLOW__CORE__EXECUTION_API_SERVER_URL = "http://execution.${local.domain}:8080/execution/"
      AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT = "30"
    }
    jobs    = var.job_settings
    scaler  = { TIDEMARK_SCALER_PASSWORD_FILE = "${local.where}/scaler-password" }
    carrier = { TIDEMARK_DAGS = var.dags_url }
    admin   = { TIDEMARK_ADMIN_PASSWORD_FILE = "${local.where}/admin-password" }
  }

  # What the scaler is told as words: which fleet is its own.
  words = {
    scaler = [
      "--airflow", "http://pages.${local.domain}:8080", "--user", "scaler", "--cluster", var.name,
      "--definition", "${var.name}-worker", "--subnets", join(",", var.network.private),
      "--security-groups", var.network.security_groups["worker"], "--concurrency", tostring(var.workers.concurrency),
      "--least", tostring(var.workers.least), "--most", tostring(var.workers.most),
    ]
  }

  # The password of RDS is a field of JSON.
  fields = { database-password = ":password::" }

  begin = file("${path.module}/begin.sh")
}
