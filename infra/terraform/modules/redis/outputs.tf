output "url" {
  description = "AIRFLOW__CELERY__BROKER_URL."
  value       = "rediss://${aws_elasticache_replication_group.this.primary_endpoint_address}:6379/0?ssl_cert_reqs=required"
}

output "results_url" {
  description = "AIRFLOW__CELERY__RESULT_BACKEND."
  value       = "rediss://${aws_elasticache_replication_group.this.primary_endpoint_address}:6379/1?ssl_cert_reqs=required"
}
