# A key for each purpose: who may read the logs of Airflow can read nothing of the lake by it.
data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}

locals {
  account = data.aws_caller_identity.this.account_id
  root    = "arn:${data.aws_partition.this.partition}:iam::${local.account}:root"
}

resource "aws_kms_key" "this" {
  for_each = var.keys

  description             = each.value.description
  enable_key_rotation     = true
  deletion_window_in_days = var.deletion_window_days
  tags                    = merge(var.tags, { Name = "${var.name}-${each.key}" })

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        # The account's own policies say who; without this nobody could ever change the key again.
        Sid       = "AccountDecides"
        Effect    = "Allow"
        Principal = { AWS = local.root }
        Action    = "kms:*"
        Resource  = "*"
      }],
      [for service in each.value.services : {
        Sid       = "For${replace(title(replace(split(".", service)[0], "-", " ")), " ", "")}"
        Effect    = "Allow"
        Principal = { Service = service }
        Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
        Resource  = "*"
        Condition = startswith(service, "logs.") ? {
          # CloudWatch Logs names the group, and sends no account.
          ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:${data.aws_partition.this.partition}:logs:*:${local.account}:log-group:*" }
          } : {
          StringEquals = { "aws:SourceAccount" = local.account }
        }
      }],
    )
  })
}

resource "aws_kms_alias" "this" {
  for_each = var.keys

  name          = "alias/${var.name}-${each.key}"
  target_key_id = aws_kms_key.this[each.key].key_id
}
