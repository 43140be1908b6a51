# What ends in an outage when nobody looks. A slot that nobody reads keeps the source's log until the disk is full, or
# max_slot_wal_keep_size is reached and the slot is lost.
locals {
  gigabyte = 1024 * 1024 * 1024

  alarms = merge(
    {
      storage = {
        about = "Little room is left", metric = "FreeStorageSpace", below = true, limit = 5 * local.gigabyte
      }
      cpu = { about = "CPU is short", metric = "CPUUtilization", below = false, limit = 90 }
    },
    var.logical == null ? {} : {
      slot = {
        about = "A slot holds more than half of what it may", metric = "OldestReplicationSlotLag"
        below = false, limit = var.logical.keep_gb * local.gigabyte / 2
      }
      log = {
        about = "The log takes more than it should", metric = "TransactionLogsDiskUsage"
        below = false, limit = var.logical.keep_gb * local.gigabyte
      }
    },
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = each.value.about
  namespace           = "AWS/RDS"
  metric_name         = each.value.metric
  dimensions          = { DBInstanceIdentifier = aws_db_instance.this.identifier }
  statistic           = each.value.below ? "Minimum" : "Maximum"
  comparison_operator = each.value.below ? "LessThanThreshold" : "GreaterThanThreshold"
  threshold           = each.value.limit
  period              = 300
  evaluation_periods  = 3
  treat_missing_data  = "missing"
  alarm_actions       = var.alarm_topics
  ok_actions          = var.alarm_topics
  tags                = var.tags
}
