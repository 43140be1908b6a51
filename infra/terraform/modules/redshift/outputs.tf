output "address" {
  description = "Where it answers, on port 5439, from the network only."
  value       = aws_redshiftserverless_workgroup.this.endpoint[0].address
}

output "secret" {
  description = "ARN of the secret with the owner's password."
  value       = aws_redshiftserverless_namespace.this.admin_password_secret_arn
}

output "role" {
  description = "ARN of the role by which it reads gold: the IAM_ROLE of a COPY."
  value       = aws_iam_role.reader.arn
}
