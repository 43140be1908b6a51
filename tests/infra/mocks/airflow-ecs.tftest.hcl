mock_provider "aws" {
  source = "./aws"
  mock_resource "aws_efs_file_system" {
    defaults = { arn = "arn:aws:elasticfilesystem:eu-central-1:123456789012:file-system/fs-0123456789abcdef0", id = "fs-0123456789abcdef0" }
  }
  mock_resource "aws_efs_access_point" {
    defaults = { arn = "arn:aws:elasticfilesystem:eu-central-1:123456789012:access-point/fsap-0123456789abcdef0", id = "fsap-0123456789abcdef0" }
  }
  mock_resource "aws_ecs_cluster" {
    defaults = { arn = "arn:aws:ecs:eu-central-1:123456789012:cluster/mock", id = "arn:aws:ecs:eu-central-1:123456789012:cluster/mock" }
  }
  mock_resource "aws_ecs_task_definition" {
    defaults = { arn = "arn:aws:ecs:eu-central-1:123456789012:task-definition/mock:1" }
  }
  mock_resource "aws_service_discovery_service" {
    defaults = { arn = "arn:aws:servicediscovery:eu-central-1:123456789012:service/srv-mock" }
  }
}

variables {
  name    = "tidemark-test"
  tags    = { Project = "tidemark" }
  image   = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/tidemark-test/airflow:0123abc"
  kms_key = "arn:aws:kms:eu-central-1:123456789012:key/platform"
  network = {
    vpc_id          = "vpc-1"
    private         = ["subnet-1", "subnet-2", "subnet-3"]
    data            = ["subnet-4", "subnet-5", "subnet-6"]
    security_groups = { for name in ["pages", "execution", "scheduler", "dag-processor", "triggerer", "worker", "scaler", "carrier", "prepare", "files"] : name => "sg-${name}" }
  }
  roles       = { for name in ["pages", "execution", "scheduler", "dag-processor", "triggerer", "worker", "scaler", "carrier", "prepare"] : name => "arn:aws:iam::123456789012:role/${name}" }
  secrets     = { for name in ["fernet-key", "jwt-secret", "api-key", "admin-password", "scaler-password", "database-password"] : name => "arn:aws:secretsmanager:eu-central-1:123456789012:secret:${name}" }
  database    = { address = "db.example.internal", name = "metadata", user = "owner" }
  queue       = { broker = "rediss://queue.example.internal:6379/0", results = "rediss://queue.example.internal:6379/1" }
  dags_url    = "s3://dags/dags"
  base_url    = "https://airflow.example.org"
  pages_hours = { from = "0 8 * * ? *", until = "0 22 * * ? *" }
}

run "a_worker_knows_the_api_and_no_database" {
  module { source = "../../../infra/terraform/modules/airflow-ecs" }

  assert {
    condition     = !strcontains(aws_ecs_task_definition.this["worker"].container_definitions, "db.example.internal") && !strcontains(aws_ecs_task_definition.this["worker"].container_definitions, "DATABASE") && !strcontains(aws_ecs_task_definition.this["worker"].container_definitions, "fernet")
    error_message = "A worker is told of the database, or has the key to what is in it."
  }
  assert {
    condition     = contains(jsondecode(aws_ecs_task_definition.this["worker"].container_definitions)[0].environment, { name = "AIRFLOW__CORE__EXECUTION_API_SERVER_URL", value = "http://execution.tidemark-test.internal:8080/execution/" })
    error_message = "A worker does not know where tasks talk to."
  }
  assert {
    condition     = !contains(keys(aws_ecs_service.this), "worker") && !contains(keys(aws_ecs_service.this), "prepare") && aws_ecs_service.this["scheduler"].desired_count == 2
    error_message = "Workers are a service, which would end any of them, or there are not two schedulers."
  }
}

run "who_waits_for_jobs_is_told_where_they_run" {
  module { source = "../../../infra/terraform/modules/airflow-ecs" }
  variables { job_settings = { TIDEMARK_LAUNCHER = "emr-serverless" } }

  assert {
    condition     = toset([for name, task in aws_ecs_task_definition.this : name if contains(jsondecode(task.container_definitions)[0].environment, { name = "TIDEMARK_LAUNCHER", value = "emr-serverless" })]) == toset(["worker", "triggerer"])
    error_message = "A worker starts jobs elsewhere and the triggerer waits for them there, and nobody else knows of it."
  }
}

run "secrets_are_named_and_never_said" {
  module { source = "../../../infra/terraform/modules/airflow-ecs" }

  assert {
    condition     = alltrue(flatten([for task in aws_ecs_task_definition.this : [for secret in jsondecode(task.container_definitions)[0].secrets : startswith(secret.valueFrom, "arn:aws:secretsmanager:")]]))
    error_message = "A secret's value stands in a definition."
  }
  assert {
    condition     = [for secret in jsondecode(aws_ecs_task_definition.this["pages"].container_definitions)[0].secrets : secret.valueFrom if secret.name == "TIDEMARK_SECRET_DATABASE_PASSWORD"] == ["${var.secrets["database-password"]}:password::"]
    error_message = "The database's password is not the field of RDS's secret."
  }
}

run "only_the_carrier_writes_dag_files" {
  module { source = "../../../infra/terraform/modules/airflow-ecs" }

  assert {
    condition     = [for name, task in aws_ecs_task_definition.this : name if anytrue([for mount in jsondecode(task.container_definitions)[0].mountPoints : !mount.readOnly])] == ["carrier"]
    error_message = "Others than the carrier write DAG files."
  }
  assert {
    condition     = [for statement in jsondecode(aws_efs_file_system_policy.this.policy).Statement : statement.Principal.AWS if statement.Sid == "Write"] == [[var.roles["carrier"]]]
    error_message = "The disk lets others write."
  }
  assert {
    condition     = aws_efs_access_point.this.posix_user[0].uid == 50000 && aws_efs_access_point.this.posix_user[0].gid == 0 && aws_efs_file_system.this.encrypted
    error_message = "The disk is another's, or not encrypted."
  }
}

run "the_pages_sleep_and_tasks_go_on" {
  module { source = "../../../infra/terraform/modules/airflow-ecs" }

  assert {
    condition     = aws_appautoscaling_scheduled_action.pages["down"].scalable_target_action[0].max_capacity == "0" && toset(keys(aws_appautoscaling_target.this)) == toset(["pages", "scheduler"])
    error_message = "The pages do not sleep, or something else does."
  }
}
