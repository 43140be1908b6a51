output "urls" {
  description = "Where images are pushed to, by name."
  value       = { for name, repository in aws_ecr_repository.this : name => repository.repository_url }
}

output "arns" {
  description = "The repository's ARN by name."
  value       = { for name, repository in aws_ecr_repository.this : name => repository.arn }
}
