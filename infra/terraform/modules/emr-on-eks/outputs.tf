output "id" {
  description = "TIDEMARK_EMR_ON_EKS_CLUSTER."
  value       = aws_emrcontainers_virtual_cluster.this.id
}

output "arn" {
  description = "ARN of the virtual cluster."
  value       = aws_emrcontainers_virtual_cluster.this.arn
}

output "namespace" {
  description = "The namespace that jobs run in."
  value       = var.namespace
}
