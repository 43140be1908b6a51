mock_provider "aws" { source = "./aws" }

variables {
  name            = "tidemark-test"
  tags            = { Project = "tidemark" }
  airflow_version = "3.0.6"
  dags            = { bucket = "arn:aws:s3:::dags", path = "dags/" }
  subnets         = ["subnet-1", "subnet-2"]
  security_group  = "sg-worker"
  role            = "arn:aws:iam::123456789012:role/worker"
  kms_key         = "arn:aws:kms:eu-central-1:123456789012:key/platform"
}

run "its_pages_are_reached_from_the_network_only_and_it_says_everything" {
  module { source = "../../../infra/terraform/modules/airflow-mwaa" }

  assert {
    condition     = aws_mwaa_environment.this.webserver_access_mode == "PRIVATE_ONLY" && aws_mwaa_environment.this.kms_key == var.kms_key
    error_message = "The pages are on the internet, or it is not encrypted by our key."
  }
  assert {
    condition = alltrue([for logs in [
      aws_mwaa_environment.this.logging_configuration[0].dag_processing_logs[0], aws_mwaa_environment.this.logging_configuration[0].scheduler_logs[0],
      aws_mwaa_environment.this.logging_configuration[0].task_logs[0], aws_mwaa_environment.this.logging_configuration[0].webserver_logs[0],
      aws_mwaa_environment.this.logging_configuration[0].worker_logs[0],
    ] : logs.enabled])
    error_message = "A part of it says nothing."
  }
}

run "three_subnets_are_refused_before_mwaa_does" {
  command = plan
  module { source = "../../../infra/terraform/modules/airflow-mwaa" }
  variables { subnets = ["subnet-1", "subnet-2", "subnet-3"] }
  expect_failures = [var.subnets]
}
