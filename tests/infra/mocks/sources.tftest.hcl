mock_provider "aws" { source = "./aws" }

variables {
  name    = "tidemark-test"
  tags    = { Project = "tidemark" }
  sources = { shop = { owner = "sales-data", tables = [for number in range(45) : "public.t${number}"] }, billing = { owner = "finance", tables = ["public.invoice"] } }
  lake    = { name = "lake", arn = "arn:aws:s3:::lake", kms_key = "arn:aws:kms:eu-central-1:123456789012:key/lake" }
  topics  = { critical = "arn:aws:sns:eu-central-1:123456789012:critical", warning = "arn:aws:sns:eu-central-1:123456789012:warning" }
}

run "a_policy_never_gets_too_long" {
  module { source = "../../../infra/terraform/modules/sources" }

  assert {
    condition     = { for source, policies in output.readers : source => length(policies) } == { shop = 3, billing = 1 }
    error_message = "Tables are not parted into policies."
  }
  assert {
    condition     = alltrue([for policy in aws_iam_policy.read : length(policy.policy) < 6144])
    error_message = "A policy is longer than IAM takes."
  }
}

run "readers_see_no_bronze_and_no_other_source" {
  module { source = "../../../infra/terraform/modules/sources" }

  assert {
    condition     = alltrue([for key, policy in aws_iam_policy.read : !strcontains(policy.policy, "bronze") && !strcontains(policy.policy, "_claims")])
    error_message = "A reader reads changes, or claims."
  }
  assert {
    condition     = !strcontains(aws_iam_policy.read["billing-1"].policy, "shop")
    error_message = "A reader of a source reads another."
  }
}

run "somebody_is_told_of_a_stream_that_lands_nothing" {
  module { source = "../../../infra/terraform/modules/sources" }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.silence : alarm.treat_missing_data == "breaching" && length(alarm.alarm_actions) == 1]) && aws_s3_bucket_metric.landing["shop"].filter[0].prefix == "bronze/shop/_landing/"
    error_message = "A stream that has ended is silent, and nobody is told."
  }
}
