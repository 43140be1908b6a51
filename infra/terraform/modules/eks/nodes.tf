resource "aws_launch_template" "this" {
  for_each = var.node_groups

  name_prefix            = "${var.name}-${each.key}-"
  update_default_version = true
  vpc_security_group_ids = [
    aws_eks_cluster.this.vpc_config[0].cluster_security_group_id, each.value.security_group
  ]
  tags = var.tags

  # A pod cannot take the node's role: with one hop its request does not get there.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      volume_size = each.value.disk_gb
      volume_type = "gp3"
      encrypted   = true
    }
  }

  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume"])
    content {
      resource_type = tag_specifications.value
      tags          = merge(var.tags, { Name = "${var.name}-${each.key}" })
    }
  }
}

resource "aws_eks_node_group" "this" {
  for_each = var.node_groups

  cluster_name           = aws_eks_cluster.this.name
  node_group_name_prefix = "${each.key}-"
  node_role_arn          = aws_iam_role.node.arn
  subnet_ids             = var.subnets
  instance_types         = each.value.instance_types
  capacity_type          = each.value.spot ? "SPOT" : "ON_DEMAND"
  ami_type               = "AL2023_x86_64_STANDARD"
  labels                 = { "tidemark.io/for" = each.key }
  tags                   = var.tags

  launch_template {
    id      = aws_launch_template.this[each.key].id
    version = aws_launch_template.this[each.key].latest_version
  }

  scaling_config {
    min_size     = each.value.least
    max_size     = each.value.most
    desired_size = each.value.least
  }

  update_config { max_unavailable = 1 }

  dynamic "taint" {
    for_each = each.key == "platform" ? [] : [each.key]
    content {
      key    = "tidemark.io/for"
      value  = taint.value
      effect = "NO_SCHEDULE"
    }
  }

  lifecycle {
    create_before_destroy = true
    # The autoscaler's, not ours.
    ignore_changes = [scaling_config[0].desired_size]
  }

  depends_on = [aws_iam_role_policy_attachment.node, aws_eks_addon.first]
}
