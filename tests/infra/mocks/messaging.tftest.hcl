mock_provider "aws" {
  source = "./aws"
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-central-1:123456789012:mock" }
  }
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-central-1:123456789012:mock", url = "https://sqs.eu-central-1.amazonaws.com/123456789012/mock" }
  }
}

variables {
  name    = "tidemark-test"
  tags    = { Project = "tidemark" }
  kms_key = "arn:aws:kms:eu-central-1:123456789012:key/platform"
}

run "what_is_told_is_never_lost_without_a_word" {
  module { source = "../../../infra/terraform/modules/messaging" }

  assert {
    condition     = alltrue([for target in merge(aws_cloudwatch_event_target.tell, aws_cloudwatch_event_target.remedy) : length(target.dead_letter_config) == 1]) && length(aws_cloudwatch_event_target.tell) == length(local.events)
    error_message = "A rule has no target, or a target no queue for what could not be delivered."
  }
  assert {
    condition     = toset(keys(aws_cloudwatch_metric_alarm.unseen)) == toset(["given-up", "undelivered"]) && jsondecode(aws_sqs_queue_redrive_policy.remedy.redrive_policy).maxReceiveCount == 5
    error_message = "What was given up lies there, and nobody is told."
  }
}

run "topics_take_only_what_is_of_our_account" {
  module { source = "../../../infra/terraform/modules/messaging" }

  assert {
    condition     = alltrue(flatten([for policy in aws_sns_topic_policy.this : [for statement in jsondecode(policy.policy).Statement : statement.Condition.StringEquals["aws:SourceAccount"] == "123456789012" if statement.Effect == "Allow"]]))
    error_message = "AWS of another account may publish."
  }
  assert {
    condition     = alltrue([for topic in aws_sns_topic.this : topic.kms_master_key_id == var.kms_key]) && alltrue([for queue in aws_sqs_queue.this : queue.kms_master_key_id == var.kms_key])
    error_message = "What is told is not encrypted by our key."
  }
}

run "an_unknown_severity_is_refused" {
  command = plan
  module { source = "../../../infra/terraform/modules/messaging" }
  variables { subscribers = { urgent = ["somebody@example.org"] } }
  expect_failures = [var.subscribers]
}
