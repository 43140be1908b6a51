mock_provider "aws" { source = "./aws" }

variables {
  name            = "tidemark-test"
  tags            = { Project = "tidemark" }
  airflow_version = "3.2.1"
  bucket          = "dags"
  subnets         = ["subnet-1", "subnet-2"]
  security_group  = "sg-mwaa"
  role            = "arn:aws:iam::123456789012:role/airflow-mwaa"
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

run "a_change_of_our_code_or_settings_is_one_of_the_environment" {
  module { source = "../../../infra/terraform/modules/airflow-mwaa" }
  variables { environment = { TIDEMARK_LAUNCHER = "emr-serverless", TIDEMARK_TOLD = "it's" } }

  assert {
    condition     = strcontains(aws_s3_object.startup.content, aws_s3_object.code.key) && aws_mwaa_environment.this.startup_script_s3_object_version == aws_s3_object.startup.version_id
    error_message = "Services would begin with another code than the one that is deployed."
  }
  assert {
    condition     = strcontains(aws_s3_object.startup.content, "export TIDEMARK_LAUNCHER='emr-serverless'\nexport TIDEMARK_TOLD='it'\\''s'\npython3")
    error_message = "A setting is not what it was."
  }
  assert {
    condition     = length([for name in keys(jsondecode(aws_s3_object.code.content)) : name if !startswith(name, "tidemark_")]) == 0
    error_message = "The code is not ours."
  }
}

run "three_subnets_are_refused_before_mwaa_does" {
  command = plan
  module { source = "../../../infra/terraform/modules/airflow-mwaa" }
  variables { subnets = ["subnet-1", "subnet-2", "subnet-3"] }
  expect_failures = [var.subnets]
}
