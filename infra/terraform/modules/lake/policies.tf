# What holds for everybody, whatever their own policies say.
locals {
  arns = { for purpose, bucket in aws_s3_bucket.this : purpose => bucket.arn }

  only_tls = { for purpose, arn in local.arns : purpose => [
    {
      Sid       = "OnlyTls"
      Effect    = "Deny"
      Principal = { AWS = "*" }
      Action    = "s3:*"
      Resource  = [arn, "${arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    },
    {
      Sid       = "OnlyTls12"
      Effect    = "Deny"
      Principal = { AWS = "*" }
      Action    = "s3:*"
      Resource  = [arn, "${arn}/*"]
      Condition = { NumericLessThan = { "s3:TlsVersion" = "1.2" } }
    },
  ] }

  # A key that somebody names instead of ours would encrypt what we can then not read.
  only_our_key = { for purpose, bucket in local.buckets : purpose => bucket.key == null ? [] : [{
    Sid       = "OnlyOurKey"
    Effect    = "Deny"
    Principal = { AWS = "*" }
    Action    = "s3:PutObject"
    Resource  = ["${local.arns[purpose]}/*"]
    Condition = {
      StringNotEqualsIfExists = { "s3:x-amz-server-side-encryption-aws-kms-key-id" = bucket.key }
      Null                    = { "s3:x-amz-server-side-encryption-aws-kms-key-id" = "false" }
    }
  }] }

  # S3's own, and the load balancer's.
  access_logs = [for service in ["logging.s3.amazonaws.com", "logdelivery.elasticloadbalancing.amazonaws.com"] : {
    Sid       = "From${title(split(".", service)[0])}"
    Effect    = "Allow"
    Principal = { Service = service }
    Action    = "s3:PutObject"
    Resource  = "${local.arns["access"]}/*"
    Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
  }]
}

resource "aws_s3_bucket_policy" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      local.only_tls[each.key],
      local.only_our_key[each.key],
      each.key == "access" ? local.access_logs : [],
    )
  })

  depends_on = [aws_s3_bucket_public_access_block.this]
}
