# The disk with the DAG files: everybody mounts it as uid 50000 of group 0, through the one access point, with TLS.
resource "aws_efs_file_system" "this" {
  creation_token = "${var.name}-dags"
  encrypted      = true
  kms_key_id     = var.kms_key
  tags           = merge(var.tags, { Name = "${var.name}-dags" })
}

resource "aws_efs_mount_target" "this" {
  for_each = { for number, subnet in var.network.data : tostring(number) => subnet }

  file_system_id  = aws_efs_file_system.this.id
  subnet_id       = each.value
  security_groups = [var.network.security_groups["files"]]
}

resource "aws_efs_access_point" "this" {
  file_system_id = aws_efs_file_system.this.id
  tags           = merge(var.tags, { Name = "${var.name}-dags" })

  posix_user {
    uid = 50000
    gid = 0
  }
  root_directory {
    path = "/dags"
    creation_info {
      owner_uid   = 50000
      owner_gid   = 0
      permissions = "0775"
    }
  }
}

# Only the carrier writes, and nobody without TLS or by another way than the access point.
resource "aws_efs_file_system_policy" "this" {
  file_system_id = aws_efs_file_system.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Mount"
        Effect    = "Allow"
        Principal = { AWS = [for name, service in local.services : var.roles[name] if can(service.files)] }
        Action    = ["elasticfilesystem:ClientMount"]
        Resource  = aws_efs_file_system.this.arn
        Condition = { StringEquals = { "elasticfilesystem:AccessPointArn" = aws_efs_access_point.this.arn } }
      },
      {
        Sid       = "Write"
        Effect    = "Allow"
        Principal = { AWS = [for name, service in local.services : var.roles[name] if try(service.files, "") == "write"] }
        Action    = ["elasticfilesystem:ClientWrite"]
        Resource  = aws_efs_file_system.this.arn
        Condition = { StringEquals = { "elasticfilesystem:AccessPointArn" = aws_efs_access_point.this.arn } }
      },
      {
        Sid       = "OnlyTls"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = "*"
        Resource  = aws_efs_file_system.this.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}
