# Airflow as AWS runs it. Its queue and its database are AWS's own: neither Redis nor RDS is ours here.
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
  source_bucket_arn               = var.dags.bucket
  dag_s3_path                     = var.dags.path
  requirements_s3_path            = var.dags.requirements
  airflow_configuration_options   = var.settings
  weekly_maintenance_window_start = "SUN:04:00"
  tags                            = merge(var.tags, { Name = var.name })

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
}
