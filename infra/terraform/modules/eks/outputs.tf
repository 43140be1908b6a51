output "name" {
  description = "The cluster's name: aws eks update-kubeconfig --name …"
  value       = aws_eks_cluster.this.name
}

output "endpoint" {
  description = "The API of Kubernetes."
  value       = aws_eks_cluster.this.endpoint
}

output "oidc" {
  description = "The issuer of service accounts: ARN for IAM, and its address without https://."
  value = {
    arn    = aws_iam_openid_connect_provider.this.arn
    issuer = replace(aws_iam_openid_connect_provider.this.url, "https://", "")
  }
}
