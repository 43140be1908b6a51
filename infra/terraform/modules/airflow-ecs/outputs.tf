output "cluster" {
  description = "Name of the ECS cluster."
  value       = aws_ecs_cluster.this.name
}

output "prepare" {
  description = "The task that is run once for each release: aws ecs run-task --task-definition …"
  value       = aws_ecs_task_definition.this["prepare"].arn
}

output "log_groups" {
  description = "Names of the groups that services say things to."
  value       = [for group in aws_cloudwatch_log_group.this : group.name]
}
