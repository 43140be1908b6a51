# remedy: what a program may mend. given-up: what it has tried five times. undelivered: what never came to a target.
locals {
  queues = {
    remedy      = { days = 4 }
    given-up    = { days = 14 }
    undelivered = { days = 14 }
  }
  arns = { for name in keys(local.queues) : name => "arn:${data.aws_partition.this.partition}:sqs:${data.aws_region.this.name}:${local.account}:${var.name}-${name}" }
}

data "aws_region" "this" {}

data "aws_partition" "this" {}

resource "aws_sqs_queue" "this" {
  for_each = local.queues

  name                      = "${var.name}-${each.key}"
  kms_master_key_id         = var.kms_key
  message_retention_seconds = each.value.days * 24 * 3600
  tags                      = var.tags
}

# By itself, for it wants the other queue to be there: as a part of the queue it would be made beside it.
resource "aws_sqs_queue_redrive_policy" "remedy" {
  queue_url = aws_sqs_queue.this["remedy"].id
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.this["given-up"].arn
    maxReceiveCount     = 5
  })
}

resource "aws_sqs_queue_policy" "this" {
  for_each = local.queues

  queue_url = aws_sqs_queue.this[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "RulesOfOurs"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = local.arns[each.key]
        Condition = { ArnLike = { "aws:SourceArn" = "arn:${data.aws_partition.this.partition}:events:${data.aws_region.this.name}:${local.account}:rule/${var.name}-*" } }
      },
      {
        Sid       = "OnlyTls"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = "sqs:*"
        Resource  = local.arns[each.key]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

# What lies in these two nobody has seen.
resource "aws_cloudwatch_metric_alarm" "unseen" {
  for_each = toset(["given-up", "undelivered"])

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "Something lies in ${var.name}-${each.key}: nobody was told of it"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.this[each.key].name }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this["critical"].arn]
  tags                = var.tags
}
