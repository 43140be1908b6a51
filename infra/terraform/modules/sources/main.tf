# What follows from the specs: who reads which table, and who is told when nothing comes. A table that is added is a file
# in specs/, and nothing else.
data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  # A policy has room for the prefixes of so many tables.
  portions = merge([for source, facts in var.sources : {
    for number, tables in chunklist(facts.tables, 20) : "${source}-${number + 1}" => { source = source, owner = facts.owner, tables = tables }
  }]...)

  prefixes = { for key, portion in local.portions : key => flatten([for table in portion.tables : [
    "silver/${portion.source}/${table}/", "history/${portion.source}/${table}/"
  ]]) }

  # Which marks there are: without it nobody knows which version of a table to open.
  published = ["control/marks/", "control/tables/", "control/erasures/"]
}

# For whoever reads the lake by its marks; nothing of bronze.
resource "aws_iam_policy" "read" {
  for_each = local.portions

  name        = "${var.name}-read-${each.key}"
  description = "Read tables of ${each.value.source}, which ${each.value.owner} answers for"
  tags        = merge(var.tags, { Owner = each.value.owner, Source = each.value.source })
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "List"
        Effect    = "Allow"
        Action    = ["s3:ListBucket"]
        Resource  = [var.lake.arn]
        Condition = { StringLike = { "s3:prefix" = [for prefix in concat(local.prefixes[each.key], local.published) : "${prefix}*"] } }
      },
      {
        Sid      = "Read"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = [for prefix in concat(local.prefixes[each.key], local.published) : "${var.lake.arn}/${prefix}*"]
      },
      {
        Sid       = "Key"
        Effect    = "Allow"
        Action    = ["kms:Decrypt"]
        Resource  = [var.lake.kms_key]
        Condition = { StringEquals = { "kms:ViaService" = "s3.${data.aws_region.this.name}.amazonaws.com" } }
      },
    ]
  })
}

# Requests below a prefix, minute by minute: what the stream lands.
resource "aws_s3_bucket_metric" "landing" {
  for_each = var.sources

  bucket = var.lake.name
  name   = "landing-${each.key}"
  filter { prefix = "bronze/${each.key}/_landing/" }
}

resource "aws_cloudwatch_metric_alarm" "silence" {
  for_each = var.sources

  alarm_name          = "${var.name}-${each.key}-silent"
  alarm_description   = "The stream of ${each.key} (${each.value.owner}) has landed nothing for ${var.silence_minutes} minutes: tidemark status"
  namespace           = "AWS/S3"
  metric_name         = "PutRequests"
  dimensions          = { BucketName = var.lake.name, FilterId = aws_s3_bucket_metric.landing[each.key].name }
  statistic           = "Sum"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 60 * var.silence_minutes
  evaluation_periods  = 1
  treat_missing_data  = "breaching"
  alarm_actions       = [var.topics["critical"]]
  ok_actions          = [var.topics["critical"]]
  tags                = merge(var.tags, { Owner = each.value.owner, Source = each.key })
}
