# The nodes have a workload's role; EMR itself one that starts and ends machines here, and hands them no other role.
resource "aws_iam_instance_profile" "nodes" {
  name = "${local.name}-nodes"
  role = var.role
  tags = var.tags
}

# The nodes encrypt their disks by the key themselves, not by a service of AWS.
resource "aws_iam_role_policy" "disks" {
  name = "disks"
  role = var.role
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "Disks"
      Effect   = "Allow"
      Action   = ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"]
      Resource = [var.kms_key]
    }]
  })
}

resource "aws_iam_role" "service" {
  name = "${local.name}-emr"
  tags = var.tags
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "elasticmapreduce.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.this.account_id }
        ArnLike      = { "aws:SourceArn" = "arn:${data.aws_partition.this.partition}:elasticmapreduce:${data.aws_region.this.name}:${data.aws_caller_identity.this.account_id}:*" }
      }
    }]
  })
}

# It lets EMR use networks, groups and machines that are tagged for it, and nothing else.
resource "aws_iam_role_policy_attachment" "service" {
  role       = aws_iam_role.service.name
  policy_arn = "arn:${data.aws_partition.this.partition}:iam::aws:policy/service-role/AmazonEMRServicePolicy_v2"
}

resource "aws_iam_role_policy" "service" {
  name = "hand-over"
  role = aws_iam_role.service.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "NodesRole"
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = ["arn:${data.aws_partition.this.partition}:iam::${data.aws_caller_identity.this.account_id}:role/${var.role}"]
        Condition = { StringLike = { "iam:PassedToService" = "ec2.amazonaws.com*" } }
      },
      {
        Sid      = "Disks"
        Effect   = "Allow"
        Action   = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey"]
        Resource = [var.kms_key]
      },
      {
        Sid       = "DisksOfMachines"
        Effect    = "Allow"
        Action    = ["kms:CreateGrant"]
        Resource  = [var.kms_key]
        Condition = { Bool = { "kms:GrantIsForAWSResource" = "true" } }
      },
    ]
  })
}
