mock_provider "aws" { source = "./aws" }

variables {
  name    = "tidemark-test"
  tags    = { Project = "tidemark" }
  cluster = "tidemark-test"
  kms_key = "arn:aws:kms:eu-central-1:123456789012:key/platform"
}

run "jobs_run_in_their_namespace" {
  module { source = "../../../infra/terraform/modules/emr-on-eks" }

  assert {
    condition     = one(one(one(aws_emrcontainers_virtual_cluster.this.container_provider).info).eks_info).namespace == "tidemark-jobs"
    error_message = "Jobs run beside something else."
  }
  assert {
    condition     = aws_cloudwatch_log_group.this.kms_key_id == var.kms_key && aws_cloudwatch_log_group.this.retention_in_days == 365
    error_message = "Logs of jobs are not encrypted by our key, or kept for ever."
  }
}
