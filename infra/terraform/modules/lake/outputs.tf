output "buckets" {
  description = "The bucket's name by purpose."
  value       = { for purpose, bucket in aws_s3_bucket.this : purpose => bucket.id }

  # A balancer looks whether it may write its log, MWAA whether the bucket is versioned.
  depends_on = [aws_s3_bucket_policy.this, aws_s3_bucket_versioning.this]
}

output "arns" {
  description = "The bucket's ARN by purpose."
  value       = { for purpose, bucket in aws_s3_bucket.this : purpose => bucket.arn }

  depends_on = [aws_s3_bucket_policy.this, aws_s3_bucket_versioning.this]
}

output "url" {
  description = "TIDEMARK_LAKE."
  value       = "s3://${aws_s3_bucket.this["lake"].id}"
}

output "databases" {
  description = "The database of Glue by layer and source."
  value       = { for key, database in aws_glue_catalog_database.this : key => database.name }
}
