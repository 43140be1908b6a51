output "id" {
  description = "TIDEMARK_EMR_SERVERLESS_APPLICATION."
  value       = aws_emrserverless_application.this.id
}

output "arn" {
  description = "ARN of the application."
  value       = aws_emrserverless_application.this.arn
}
