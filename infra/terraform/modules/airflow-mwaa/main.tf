# Airflow as AWS runs it. Its queue and its database are AWS's own: neither Redis nor RDS is ours here.
data "aws_partition" "this" {}

locals {
  # Secrets Manager, as everywhere; aws_default is asked for with each call to AWS, and is its own role.
  options = merge(var.settings, {
    "secrets.backend" = "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend"
    "secrets.backend_kwargs" = jsonencode({
      connections_prefix         = "${var.name}/airflow/connections"
      connections_lookup_pattern = "^(?!aws_default$).*$"
      variables_prefix           = "${var.name}/airflow/variables"
      config_prefix              = null
    })
  })
}

resource "aws_cloudwatch_log_group" "this" {
  # MWAA writes to these names, and would make them without our key, to be there when it is gone.
  for_each = toset(["DAGProcessing", "Scheduler", "Task", "WebServer", "Worker"])

  name              = "airflow-${var.name}-${each.key}"
  retention_in_days = 365
  kms_key_id        = var.kms_key
  tags              = var.tags
}

resource "aws_mwaa_environment" "this" {
  name                            = var.name
  airflow_version                 = var.airflow_version
  environment_class               = var.environment_class
  min_workers                     = var.workers.least
  max_workers                     = var.workers.most
  schedulers                      = 2
  webserver_access_mode           = "PRIVATE_ONLY"
  execution_role_arn              = var.role
  kms_key                         = var.kms_key
  source_bucket_arn               = "arn:${data.aws_partition.this.partition}:s3:::${var.bucket}"
  dag_s3_path                     = local.dags
  airflow_configuration_options   = local.options
  weekly_maintenance_window_start = "SUN:04:00"
  tags                            = merge(var.tags, { Name = var.name })

  requirements_s3_path             = aws_s3_object.requirements.key
  requirements_s3_object_version   = aws_s3_object.requirements.version_id
  startup_script_s3_path           = aws_s3_object.startup.key
  startup_script_s3_object_version = aws_s3_object.startup.version_id

  network_configuration {
    subnet_ids         = var.subnets
    security_group_ids = [var.security_group]
  }

  logging_configuration {
    dag_processing_logs {
      enabled   = true
      log_level = "INFO"
    }
    scheduler_logs {
      enabled   = true
      log_level = "INFO"
    }
    task_logs {
      enabled   = true
      log_level = "INFO"
    }
    webserver_logs {
      enabled   = true
      log_level = "INFO"
    }
    worker_logs {
      enabled   = true
      log_level = "INFO"
    }
  }

  depends_on = [aws_cloudwatch_log_group.this]
}
