# EMR's name for a namespace of the cluster.
resource "aws_emrcontainers_virtual_cluster" "this" {
  name = var.name
  tags = var.tags

  container_provider {
    id   = var.cluster
    type = "EKS"
    info {
      eks_info { namespace = var.namespace }
    }
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/${var.name}/emr-on-eks"
  retention_in_days = var.log_days
  kms_key_id        = var.kms_key
  tags              = var.tags
}
