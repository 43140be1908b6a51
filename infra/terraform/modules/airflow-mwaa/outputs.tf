output "url" {
  description = "Where the pages are, within the network."
  value       = aws_mwaa_environment.this.webserver_url
}

output "arn" {
  description = "ARN of the environment."
  value       = aws_mwaa_environment.this.arn
}

output "dags" {
  description = "Where it reads DAG files, as they are."
  value       = "s3://${var.bucket}/${local.dags}"
}

output "log_groups" {
  description = "Names of the groups of CloudWatch that it says things to."
  value       = [for group in aws_cloudwatch_log_group.this : group.name]
}
