data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  here     = "${data.aws_region.this.name}:${data.aws_caller_identity.this.account_id}"
  prefixes = [for source in sort(tolist(var.sources)) : "gold/${source}/"]
}

resource "aws_iam_role" "reader" {
  name = "${var.name}-warehouse"
  tags = var.tags
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = ["redshift.amazonaws.com", "redshift-serverless.amazonaws.com"] }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.this.account_id }
        ArnLike      = { "aws:SourceArn" = "arn:${data.aws_partition.this.partition}:redshift-serverless:${local.here}:namespace/*" }
      }
    }]
  })
}

resource "aws_iam_role_policy" "reader" {
  name = "read-gold"
  role = aws_iam_role.reader.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "List"
        Effect    = "Allow"
        Action    = ["s3:ListBucket"]
        Resource  = [var.lake.arn]
        Condition = { StringLike = { "s3:prefix" = [for prefix in local.prefixes : "${prefix}*"] } }
      },
      {
        Sid      = "Read"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = [for prefix in local.prefixes : "${var.lake.arn}/${prefix}*"]
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
