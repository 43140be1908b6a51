output "arns" {
  description = "ARN of the role by workload: shop-mirror, airflow-worker."
  value       = { for key, role in aws_iam_role.this : key => role.arn }

  # Who begins with a role begins with what it may.
  depends_on = [aws_iam_role_policy.this]
}

output "service_accounts" {
  description = "ARN of the role by service account, <namespace>/<name>: for the cluster's pod identities."
  value       = { for key, workload in local.workloads : "${workload.account.namespace}/${workload.account.name}" => aws_iam_role.this[key].arn if workload.account != null }
}
