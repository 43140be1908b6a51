# Schedulers by their load; the pages by the clock. Workers are the scaler's.
locals {
  scaled = merge(
    { for name, service in local.lasting : name => { least = service.count, most = service.scale_to } if can(service.scale_to) },
    var.pages_hours == null ? {} : { pages = { least = 1, most = 1 } },
  )
}

resource "aws_appautoscaling_target" "this" {
  for_each = local.scaled

  service_namespace  = "ecs"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.this[each.key].name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = each.value.least
  max_capacity       = each.value.most
  tags               = var.tags

  # The clock moves them.
  lifecycle { ignore_changes = [min_capacity, max_capacity] }
}

resource "aws_appautoscaling_policy" "cpu" {
  for_each = { for name, service in local.lasting : name => service if can(service.scale_to) }

  name               = "${var.name}-${each.key}-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = "ecs"
  resource_id        = aws_appautoscaling_target.this[each.key].resource_id
  scalable_dimension = "ecs:service:DesiredCount"

  target_tracking_scaling_policy_configuration {
    target_value = 60
    predefined_metric_specification { predefined_metric_type = "ECSServiceAverageCPUUtilization" }
  }
}

resource "aws_appautoscaling_scheduled_action" "pages" {
  for_each = var.pages_hours == null ? {} : { up = { at = var.pages_hours.from, number = 1 }, down = { at = var.pages_hours.until, number = 0 } }

  name               = "${var.name}-pages-${each.key}"
  service_namespace  = "ecs"
  resource_id        = aws_appautoscaling_target.this["pages"].resource_id
  scalable_dimension = "ecs:service:DesiredCount"
  schedule           = "cron(${each.value.at})"
  timezone           = "UTC"
  scalable_target_action {
    min_capacity = each.value.number
    max_capacity = each.value.number
  }
}
