output "arns" {
  description = "The key's ARN by purpose."
  value       = { for purpose, key in aws_kms_key.this : purpose => key.arn }
}
