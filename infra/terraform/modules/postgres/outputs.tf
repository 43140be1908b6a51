output "address" {
  description = "Where it is reached, at port 5432, with TLS."
  value       = aws_db_instance.this.address
}

output "database" {
  description = "Name of the database."
  value       = aws_db_instance.this.db_name
}

output "secret" {
  description = "ARN of the secret with the owner's `username` and `password`, which RDS keeps."
  value       = aws_db_instance.this.master_user_secret[0].secret_arn
}

output "identifier" {
  description = "Its name for RDS."
  value       = aws_db_instance.this.identifier
}

output "log_groups" {
  description = "Names of the groups of CloudWatch that it says things to."
  value       = [for group in aws_cloudwatch_log_group.this : group.name]
}
