output "roles" {
  description = "ARN of the role by what it does: plan, apply."
  value       = { for name, role in aws_iam_role.this : name => role.arn }
}
