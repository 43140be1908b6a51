mock_provider "aws" {
  source = "./aws"
  mock_resource "aws_kinesis_firehose_delivery_stream" {
    defaults = { arn = "arn:aws:firehose:eu-central-1:123456789012:deliverystream/mock" }
  }
}

variables {
  name    = "tidemark-test"
  tags    = { Project = "tidemark" }
  bucket  = "arn:aws:s3:::logs"
  kms_key = "arn:aws:kms:eu-central-1:123456789012:key/platform"
  groups  = ["/tidemark-test/airflow"]
}

run "logs_are_encrypted_packed_and_found_by_the_hour" {
  module { source = "../../../infra/terraform/modules/logs" }

  assert {
    condition     = aws_kinesis_firehose_delivery_stream.this.extended_s3_configuration[0].kms_key_arn == var.kms_key && aws_kinesis_firehose_delivery_stream.this.server_side_encryption[0].enabled
    error_message = "Logs are not encrypted by our key, on the way or in the bucket."
  }
  assert {
    condition     = strcontains(aws_kinesis_firehose_delivery_stream.this.extended_s3_configuration[0].prefix, "/hour=") && aws_kinesis_firehose_delivery_stream.this.extended_s3_configuration[0].compression_format == "GZIP"
    error_message = "Logs are not by the hour, or not packed."
  }
  assert {
    condition     = keys(aws_cloudwatch_log_subscription_filter.this) == ["/tidemark-test/airflow"]
    error_message = "A group's lines do not go there."
  }
}

run "firehose_writes_logs_and_nothing_else" {
  module { source = "../../../infra/terraform/modules/logs" }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.write.policy).Statement : statement.Resource if contains(statement.Action, "s3:PutObject")] == [["arn:aws:s3:::logs/services/*", "arn:aws:s3:::logs/undelivered/*"]]
    error_message = "Firehose may write elsewhere."
  }
}
