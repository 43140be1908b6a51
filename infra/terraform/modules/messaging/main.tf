# A topic for each severity; what AWS says by itself goes there, and what can be mended by a program to a queue as well.
data "aws_caller_identity" "this" {}

locals {
  account    = data.aws_caller_identity.this.account_id
  severities = toset(["critical", "warning", "info"])
  events     = yamldecode(file("${path.module}/events.yaml"))

  mails = { for pair in flatten([for severity, addresses in var.subscribers : [for address in addresses : {
    severity = severity, address = address
  }]]) : "${pair.severity} ${pair.address}" => pair }
}

resource "aws_sns_topic" "this" {
  for_each = local.severities

  name              = "${var.name}-${each.key}"
  kms_master_key_id = var.kms_key
  tags              = var.tags
}

resource "aws_sns_topic_policy" "this" {
  for_each = local.severities

  arn = aws_sns_topic.this[each.key].arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AwsOfOurAccount"
        Effect    = "Allow"
        Principal = { Service = ["cloudwatch.amazonaws.com", "events.amazonaws.com"] }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.this[each.key].arn
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
      {
        Sid       = "OnlyTls"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.this[each.key].arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "mail" {
  for_each = local.mails

  topic_arn = aws_sns_topic.this[each.value.severity].arn
  protocol  = "email"
  endpoint  = each.value.address
}

resource "aws_cloudwatch_event_rule" "this" {
  for_each = local.events

  name          = "${var.name}-${each.key}"
  description   = each.value.about
  event_pattern = jsonencode(each.value.pattern)
  tags          = var.tags
}

resource "aws_cloudwatch_event_target" "tell" {
  for_each = local.events

  rule      = aws_cloudwatch_event_rule.this[each.key].name
  target_id = "tell"
  arn       = aws_sns_topic.this[each.value.severity].arn
  dead_letter_config { arn = aws_sqs_queue.this["undelivered"].arn }
  retry_policy {
    maximum_event_age_in_seconds = 3600
    maximum_retry_attempts       = 20
  }
}

resource "aws_cloudwatch_event_target" "remedy" {
  for_each = { for key, event in local.events : key => event if try(event.remedy, false) }

  rule      = aws_cloudwatch_event_rule.this[each.key].name
  target_id = "remedy"
  arn       = aws_sqs_queue.this["remedy"].arn
  dead_letter_config { arn = aws_sqs_queue.this["undelivered"].arn }
  retry_policy {
    maximum_event_age_in_seconds = 3600
    maximum_retry_attempts       = 20
  }
}
