mock_provider "aws" { source = "./aws" }

variables {
  name           = "tidemark-test"
  tags           = { Project = "tidemark" }
  release        = "emr-7.9.0"
  subnets        = ["subnet-1"]
  security_group = "sg-jobs"
}

run "it_starts_with_a_job_ends_without_and_has_a_limit" {
  module { source = "../../../infra/terraform/modules/emr-serverless" }

  assert {
    condition     = one(aws_emrserverless_application.this.auto_start_configuration).enabled && one(aws_emrserverless_application.this.auto_stop_configuration).idle_timeout_minutes == 15
    error_message = "Our launcher needs one that starts by itself; nobody wants one that never ends."
  }
  assert {
    condition     = one(aws_emrserverless_application.this.maximum_capacity).cpu == "64 vCPU" && length(aws_emrserverless_application.this.initial_capacity) == 0
    error_message = "It may grow without end, or costs something while nothing runs."
  }
}
