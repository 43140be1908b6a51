# Redshift Serverless, for those who ask the marts in SQL: it reads gold, and nothing else of the lake.
locals {
  settings = {
    require_ssl                  = "true"
    enable_user_activity_logging = "true"
    max_query_execution_time     = tostring(var.longest_query_seconds)
  }
}

resource "aws_redshiftserverless_namespace" "this" {
  namespace_name                   = var.name
  db_name                          = "gold"
  admin_username                   = "owner"
  manage_admin_password            = true # drawn, kept and renewed by AWS; it is in no state
  admin_password_secret_kms_key_id = var.kms_key
  kms_key_id                       = var.kms_key
  iam_roles                        = [aws_iam_role.reader.arn]
  default_iam_role_arn             = aws_iam_role.reader.arn
  log_exports                      = ["connectionlog", "userlog", "useractivitylog"]
  tags                             = var.tags
}

resource "aws_redshiftserverless_workgroup" "this" {
  namespace_name       = aws_redshiftserverless_namespace.this.namespace_name
  workgroup_name       = var.name
  base_capacity        = var.capacity.least
  max_capacity         = var.capacity.most
  publicly_accessible  = false
  enhanced_vpc_routing = true # what it reads goes through our network, and its endpoint of S3
  port                 = 5439
  subnet_ids           = var.subnets
  security_group_ids   = [var.security_group]
  tags                 = var.tags

  dynamic "config_parameter" {
    for_each = local.settings
    content {
      parameter_key   = config_parameter.key
      parameter_value = config_parameter.value
    }
  }
}

# What costs money is limited: nothing more is answered in a month in which so much was used.
resource "aws_redshiftserverless_usage_limit" "this" {
  resource_arn  = aws_redshiftserverless_workgroup.this.arn
  usage_type    = "serverless-compute"
  amount        = var.capacity.hours_a_month
  period        = "monthly"
  breach_action = "deactivate"
}

# Who asks is none of ours: whoever does says by which group it comes.
resource "aws_vpc_security_group_ingress_rule" "readers" {
  for_each = var.readers

  security_group_id            = var.security_group
  referenced_security_group_id = each.value
  description                  = "${each.key} asks the marts in SQL"
  ip_protocol                  = "tcp"
  from_port                    = 5439
  to_port                      = 5439
  tags                         = merge(var.tags, { Name = each.key })
}
