output "buckets" {
  description = "The bucket's name by purpose."
  value       = { for purpose, bucket in aws_s3_bucket.this : purpose => bucket.id }
}

output "arns" {
  description = "The bucket's ARN by purpose."
  value       = { for purpose, bucket in aws_s3_bucket.this : purpose => bucket.arn }
}

output "url" {
  description = "TIDEMARK_LAKE."
  value       = "s3://${aws_s3_bucket.this["lake"].id}"
}

output "databases" {
  description = "The database of Glue by layer and source."
  value       = { for key, database in aws_glue_catalog_database.this : key => database.name }
}
