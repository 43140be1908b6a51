# One PostgreSQL: Airflow's, or a source that lives on RDS.
locals {
  name = "${var.name}-${var.purpose}"

  # What holds for all; `pending-reboot` is how RDS takes what PostgreSQL reads only at its start.
  parameters = merge(
    {
      "rds.force_ssl"              = { value = "1", apply = "immediate" }
      "log_connections"            = { value = var.engine_version == "18" ? "all" : "1", apply = "immediate" }
      "log_disconnections"         = { value = "1", apply = "immediate" }
      "log_min_duration_statement" = { value = "5000", apply = "immediate" }
      "log_statement"              = { value = "ddl", apply = "immediate" }
    },
    var.logical == null ? {} : {
      "rds.logical_replication" = { value = "1", apply = "pending-reboot" }
      "max_replication_slots"   = { value = tostring(var.logical.slots), apply = "pending-reboot" }
      "max_wal_senders"         = { value = tostring(var.logical.slots + 5), apply = "pending-reboot" }
      "max_slot_wal_keep_size"  = { value = tostring(var.logical.keep_gb * 1024), apply = "immediate" }
    },
  )
}

resource "aws_db_subnet_group" "this" {
  name        = local.name
  description = "Where ${local.name} may lie"
  subnet_ids  = var.subnets
  tags        = var.tags
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${local.name}-"
  family      = "postgres${var.engine_version}"
  description = "Settings of ${local.name}"
  tags        = var.tags

  dynamic "parameter" {
    for_each = local.parameters
    content {
      name         = parameter.key
      value        = parameter.value.value
      apply_method = parameter.value.apply
    }
  }

  lifecycle { create_before_destroy = true }
}

resource "aws_cloudwatch_log_group" "this" {
  # RDS writes to these names, and would make them without a key and for ever.
  for_each = toset(["postgresql", "upgrade"])

  name              = "/aws/rds/instance/${local.name}/${each.key}"
  retention_in_days = 365
  kms_key_id        = var.kms_key
  tags              = var.tags
}

resource "aws_db_instance" "this" {
  #checkov:skip=CKV_AWS_293: it is protected unless the stack is one that comes and goes (2026-11-26)
  #checkov:skip=CKV_AWS_157: it has a second zone unless the stack may lose one (2026-11-26)
  #checkov:skip=CKV2_AWS_69: rds.force_ssl is in local.parameters, which the scanner does not follow (2026-11-26)

  identifier     = local.name
  engine         = "postgres"
  engine_version = var.engine_version
  instance_class = var.instance_class
  db_name        = replace(var.purpose, "-", "_")
  port           = 5432
  multi_az       = var.multi_az
  tags           = merge(var.tags, { Name = local.name })

  allocated_storage     = var.storage.begin
  max_allocated_storage = var.storage.most
  storage_type          = "gp3"
  storage_encrypted     = true
  kms_key_id            = var.kms_key

  # The password is drawn and kept by RDS, in Secrets Manager.
  username                            = "owner"
  manage_master_user_password         = true
  master_user_secret_kms_key_id       = var.kms_key
  iam_database_authentication_enabled = true
  ca_cert_identifier                  = "rds-ca-rsa2048-g1"

  db_subnet_group_name   = aws_db_subnet_group.this.name
  parameter_group_name   = aws_db_parameter_group.this.name
  vpc_security_group_ids = [var.security_group]
  publicly_accessible    = false

  backup_retention_period   = var.backup_days
  backup_window             = "01:00-02:00"
  maintenance_window        = "sun:03:00-sun:04:00"
  copy_tags_to_snapshot     = true
  delete_automated_backups  = !var.protect
  deletion_protection       = var.protect
  skip_final_snapshot       = !var.protect
  final_snapshot_identifier = var.protect ? "${local.name}-last" : null

  auto_minor_version_upgrade            = true
  allow_major_version_upgrade           = false
  enabled_cloudwatch_logs_exports       = keys(aws_cloudwatch_log_group.this)
  performance_insights_enabled          = true
  performance_insights_kms_key_id       = var.kms_key
  performance_insights_retention_period = 7
  monitoring_interval                   = 60
  monitoring_role_arn                   = aws_iam_role.monitoring.arn

  # RDS looks whether the role may, before it makes anything.
  depends_on = [aws_iam_role_policy_attachment.monitoring]
}

resource "aws_iam_role" "monitoring" {
  name = "${local.name}-monitoring"
  tags = var.tags
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "monitoring.rds.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  role       = aws_iam_role.monitoring.name
  policy_arn = "arn:${data.aws_partition.this.partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}

data "aws_partition" "this" {}
