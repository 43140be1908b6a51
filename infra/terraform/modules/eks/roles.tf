# Roles of the cluster itself; what runs in it has its own.
locals {
  trust = { for name, principal in { cluster = "eks.amazonaws.com", node = "ec2.amazonaws.com", disks = "pods.eks.amazonaws.com" } :
    name => jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Effect    = "Allow"
        Principal = { Service = principal }
        Action    = concat(["sts:AssumeRole"], name == "disks" ? ["sts:TagSession"] : [])
      }]
    })
  }
  managed = "arn:${data.aws_partition.this.partition}:iam::aws:policy"
}

resource "aws_iam_role" "cluster" {
  name               = "${var.name}-cluster"
  assume_role_policy = local.trust.cluster
  tags               = var.tags
}

resource "aws_iam_role_policy_attachment" "cluster" {
  role       = aws_iam_role.cluster.name
  policy_arn = "${local.managed}/AmazonEKSClusterPolicy"
}

resource "aws_iam_role" "node" {
  name               = "${var.name}-node"
  assume_role_policy = local.trust.node
  tags               = var.tags
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each = toset(["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly", "AmazonEKS_CNI_Policy", "AmazonSSMManagedInstanceCore"])

  role       = aws_iam_role.node.name
  policy_arn = "${local.managed}/${each.key}"
}

resource "aws_iam_role" "disks" {
  name               = "${var.name}-disks"
  assume_role_policy = local.trust.disks
  tags               = var.tags
}

resource "aws_iam_role_policy_attachment" "disks" {
  role       = aws_iam_role.disks.name
  policy_arn = "${local.managed}/service-role/AmazonEBSCSIDriverPolicy"
}
