output "arns" {
  description = "The secret's ARN by name."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }
}
