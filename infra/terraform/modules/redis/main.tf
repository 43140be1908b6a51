# The queue of Celery: TLS only, in more than one zone. What was queued in a node that is lost, Airflow takes for stuck
# after ten minutes (scheduler.task_queued_timeout), and tries again.
resource "aws_elasticache_subnet_group" "this" {
  name        = "${var.name}-queue"
  description = "Where the queue may lie"
  subnet_ids  = var.subnets
  tags        = var.tags
}

resource "aws_elasticache_parameter_group" "this" {
  name        = "${var.name}-queue"
  family      = "redis7"
  description = "Settings of the queue"
  tags        = var.tags

  # What is queued is not thrown away to make room: rather nothing more is taken.
  parameter {
    name  = "maxmemory-policy"
    value = "noeviction"
  }
}

resource "aws_elasticache_replication_group" "this" {
  #checkov:skip=CKV2_AWS_50: another node takes over unless the stack may lose a zone (2026-11-26)
  #checkov:skip=CKV_AWS_31: A token would stand in the state, for it is not write-only; network/matrix.yaml says who reaches it (2026-11-26)
  replication_group_id       = "${var.name}-queue"
  description                = "The queue of Airflow's workers"
  engine                     = "redis"
  engine_version             = "7.1"
  node_type                  = var.node_type
  num_cache_clusters         = 1 + var.replicas
  automatic_failover_enabled = var.replicas > 0
  multi_az_enabled           = var.replicas > 0
  port                       = 6379
  parameter_group_name       = aws_elasticache_parameter_group.this.name
  subnet_group_name          = aws_elasticache_subnet_group.this.name
  security_group_ids         = [var.security_group]
  at_rest_encryption_enabled = true
  kms_key_id                 = var.kms_key
  transit_encryption_enabled = true
  maintenance_window         = "sun:04:00-sun:05:00"
  tags                       = merge(var.tags, { Name = "${var.name}-queue" })
}
