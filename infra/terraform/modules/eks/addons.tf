locals {
  # Before the nodes, which are not ready without a network; with network policies, by which pods of a node are parted.
  first = {
    "vpc-cni"                = jsonencode({ enableNetworkPolicy = "true" })
    "kube-proxy"             = null
    "eks-pod-identity-agent" = null
  }
  then = toset(["coredns", "aws-ebs-csi-driver"])
}

resource "aws_eks_addon" "first" {
  for_each = local.first

  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = each.key
  configuration_values        = each.value
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"
  tags                        = var.tags
}

resource "aws_eks_addon" "then" {
  for_each = local.then

  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = each.key
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"
  tags                        = var.tags

  depends_on = [aws_eks_node_group.this, aws_eks_pod_identity_association.disks]
}

resource "aws_eks_pod_identity_association" "disks" {
  cluster_name    = aws_eks_cluster.this.name
  namespace       = "kube-system"
  service_account = "ebs-csi-controller-sa"
  role_arn        = aws_iam_role.disks.arn
  tags            = var.tags
}
