# Where Airflow runs. On EKS it is Helm's; the others are made here.
locals {
  on_ecs   = var.platform == "ecs"
  services = ["pages", "execution", "scheduler", "dag-processor", "triggerer", "worker", "scaler", "carrier", "prepare"]

  # Of Maven those that the jobs are locked to, and ours.
  locked = compact(split("\n", file("${path.module}/../../../../jobs/jars/SHA256SUMS")))
  jars   = concat([for line in local.locked : regex("[^ ]+$", line)], ["tidemark-spark-0.1.0.jar"])

  # What workers and the triggerer are told so that jobs run on EMR Serverless, each as the role of its source and kind.
  jobs = {
    TIDEMARK_LAKE                       = module.lake.url
    TIDEMARK_LAUNCHER                   = "emr-serverless"
    TIDEMARK_EMR_SERVERLESS_APPLICATION = module.emr_serverless.id
    TIDEMARK_EMR_SERVERLESS_ROLE        = "arn:${data.aws_partition.this.partition}:iam::${data.aws_caller_identity.this.account_id}:role/${var.name}-{source}-{workload}"
    TIDEMARK_SPARK_ENTRY                = "s3://${module.lake.buckets["artefacts"]}/${var.release}/submit.py"
    TIDEMARK_SPARK_ARCHIVES             = "s3://${module.lake.buckets["artefacts"]}/${var.release}/environment.tar.gz#environment,s3://${module.lake.buckets["artefacts"]}/${var.release}/specs.zip#specs"
    TIDEMARK_SPARK_PYTHON               = "./environment/bin/python"
    TIDEMARK_SPARK_JARS                 = join(",", [for jar in local.jars : "s3://${module.lake.buckets["artefacts"]}/${var.release}/jars/${jar}"])
    TIDEMARK_SPARK_SPECS                = "./specs"
    TIDEMARK_SPARK_SECRETS              = "${var.name}/sources/{source}"
    TIDEMARK_SPARK_LOGS                 = "s3://${module.lake.buckets["logs"]}/jobs/"
  }

  # What all of Airflow's services are told: where results and logs lie, and whom a failure is told. Of a task that
  # Airflow itself ends the DAG processor tells.
  shared = {
    AIRFLOW__LOGGING__REMOTE_LOGGING                 = "True"
    AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER         = "s3://${module.lake.buckets["logs"]}/tasks"
    AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID             = ""
    AIRFLOW__CORE__XCOM_BACKEND                      = "airflow.providers.common.io.xcom.backend.XComObjectStorageBackend"
    AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_PATH      = "s3://${module.lake.buckets["xcom"]}/results"
    AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_THRESHOLD = "49152"
    TIDEMARK_NOTIFY                                  = "sns:${module.messaging.topics["critical"]}"
  }
}

module "edge" {
  source         = "../edge"
  count          = var.domain != null && var.platform != "mwaa" ? 1 : 0
  name           = var.name
  tags           = local.tags
  domain         = var.domain
  vpc_id         = module.network.vpc_id
  subnets        = module.network.subnets["public"]
  security_group = module.network.security_groups["balancer"]
  log_bucket     = module.lake.buckets["access"]
  internal_names = { for database in module.metadata : "airflow-db" => database.address }
  protect        = var.keep
}

module "redis" {
  source         = "../redis"
  count          = local.on_ecs ? 1 : 0
  name           = var.name
  tags           = local.tags
  subnets        = module.network.subnets["data"]
  security_group = module.network.security_groups["queue"]
  kms_key        = module.kms.arns["platform"]
  replicas       = var.redundant ? 1 : 0
}

module "airflow_ecs" {
  source       = "../airflow-ecs"
  count        = local.on_ecs ? 1 : 0
  name         = var.name
  tags         = local.tags
  image        = "${module.ecr.urls["airflow"]}:${var.release}"
  kms_key      = module.kms.arns["platform"]
  network      = { vpc_id = module.network.vpc_id, private = module.network.subnets["private"], data = module.network.subnets["data"], security_groups = module.network.security_groups }
  roles        = { for service in local.services : service => module.workloads.arns["airflow-${service}"] }
  database     = { address = module.metadata[0].address, name = module.metadata[0].database, user = "owner" }
  queue        = { broker = module.redis[0].url, results = module.redis[0].results_url }
  dags_url     = "s3://${module.lake.buckets["dags"]}/dags"
  base_url     = try(module.edge[0].url, "http://pages.${var.name}.internal:8080")
  target_group = try(module.edge[0].target_group, null)
  pages_hours  = var.redundant ? null : { from = "0 8 * * ? *", until = "0 22 * * ? *" }
  settings     = local.shared

  job_settings = local.jobs

  secrets = merge(
    { for name in ["fernet-key", "jwt-secret", "api-key", "admin-password", "scaler-password"] : name => module.secrets.arns["airflow/${name}"] },
    { database-password = module.metadata[0].secret },
  )
}

module "airflow_mwaa" {
  source          = "../airflow-mwaa"
  count           = var.platform == "mwaa" ? 1 : 0
  name            = var.name
  tags            = local.tags
  airflow_version = var.mwaa_version
  bucket          = module.lake.buckets["dags"]
  subnets         = slice(module.network.subnets["private"], 0, 2)
  security_group  = module.network.security_groups["mwaa"]
  role            = module.workloads.arns["airflow-mwaa"]
  kms_key         = module.kms.arns["platform"]

  # Logs are its own business, in CloudWatch.
  settings = { for name, value in local.shared : lower(replace(trimprefix(name, "AIRFLOW__"), "__", ".")) => value
  if startswith(name, "AIRFLOW__") && !startswith(name, "AIRFLOW__LOGGING__") }
  environment = merge(local.jobs, { for name, value in local.shared : name => value if startswith(name, "TIDEMARK_") })
}
