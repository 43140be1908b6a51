output "target_group" {
  description = "ARN of the target group: whoever serves the pages registers there."
  value       = aws_lb_target_group.this.arn

  # ECS refuses a target group that no listener leads to yet.
  depends_on = [aws_lb_listener.https]
}

output "url" {
  description = "AIRFLOW__API__BASE_URL."
  value       = "https://${var.domain}"
}

output "name_servers" {
  description = "What the registrar has to be told, once."
  value       = aws_route53_zone.public.name_servers
}
