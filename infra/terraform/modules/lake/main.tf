# A bucket per purpose. Landing files are no bucket of their own: they become bronze where they lie.
data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}

locals {
  account = data.aws_caller_identity.this.account_id

  buckets = {
    lake        = { key = var.kms_keys.lake, about = "bronze, silver, history, gold, control" }
    checkpoints = { key = var.kms_keys.lake, about = "Flink's checkpoints and savepoints" }
    logs        = { key = var.kms_keys.platform, about = "logs of tasks and jobs" }
    dags        = { key = var.kms_keys.platform, about = "DAG files and specs, version by version" }
    xcom        = { key = var.kms_keys.platform, about = "large results of tasks" }
    artefacts   = { key = var.kms_keys.platform, about = "what jobs consist of: wheels, jars, environments" }
    # S3 writes access logs only where its own key encrypts.
    access = { key = null, about = "who has asked the other buckets for what" }
  }

  # Checkpoints go by themselves: a version that is kept would only cost.
  versioned = { for purpose, bucket in local.buckets : purpose => purpose != "checkpoints" }

  expires = {
    logs   = var.log_days
    access = var.log_days
    xcom   = { cheaper_after = null, expire_after = var.log_days.expire_after }
  }
}

resource "aws_s3_bucket" "this" {
  for_each = local.buckets
  #checkov:skip=CKV_AWS_21: all have versions but checkpoints, which Flink itself keeps three of (2026-11-26)
  #checkov:skip=CKV2_AWS_62: nothing waits for an event of S3: sync lists what has landed (2026-11-26)
  #checkov:skip=CKV_AWS_144: the source and its backups are the other copy; a second lake would be proven by nothing (2026-11-26)


  bucket        = "${var.name}-${each.key}-${local.account}"
  force_destroy = var.force_destroy
  tags          = merge(var.tags, { Name = "${var.name}-${each.key}", Purpose = each.value.about })
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each = local.buckets

  bucket                  = aws_s3_bucket.this[each.key].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id
  rule { object_ownership = "BucketOwnerEnforced" }
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id
  versioning_configuration { status = local.versioned[each.key] ? "Enabled" : "Disabled" }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id
  rule {
    bucket_key_enabled = each.value.key != null
    apply_server_side_encryption_by_default {
      sse_algorithm     = each.value.key == null ? "AES256" : "aws:kms"
      kms_master_key_id = each.value.key
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id

  rule {
    id     = "leftovers"
    status = "Enabled"
    filter {}
    abort_incomplete_multipart_upload { days_after_initiation = 7 }
    noncurrent_version_expiration { noncurrent_days = var.noncurrent_days }
  }

  dynamic "rule" {
    for_each = { for purpose, days in local.expires : purpose => days if purpose == each.key }
    content {
      id     = "old"
      status = "Enabled"
      filter {}
      expiration { days = rule.value.expire_after }
      dynamic "transition" {
        for_each = rule.value.cheaper_after[*]
        content {
          days          = transition.value
          storage_class = "STANDARD_IA"
        }
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_logging" "this" {
  for_each = { for purpose, bucket in local.buckets : purpose => bucket if purpose != "access" }

  bucket        = aws_s3_bucket.this[each.key].id
  target_bucket = aws_s3_bucket.this["access"].id
  target_prefix = "${each.key}/"

  # S3 looks whether it may write there.
  depends_on = [aws_s3_bucket_policy.this]
}
