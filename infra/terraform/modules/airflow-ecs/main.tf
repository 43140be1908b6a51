# Airflow as services of ECS on Fargate: those of compose.yaml, with a disk for the DAG files and workers that the scaler
# starts one by one.
data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  domain  = "${var.name}.internal"
  lasting = { for name, service in local.services : name => service if can(service.count) }
}

resource "aws_ecs_cluster" "this" {
  name = var.name
  tags = var.tags

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = local.services

  name              = "/${var.name}/airflow/${each.key}"
  retention_in_days = 365
  kms_key_id        = var.kms_key
  tags              = var.tags
}

resource "aws_ecs_task_definition" "this" {
  for_each = local.services

  family                   = "${var.name}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = each.value.cpu
  memory                   = each.value.memory
  execution_role_arn       = aws_iam_role.tasks.arn
  task_role_arn            = var.roles[each.key]
  tags                     = merge(var.tags, { Name = "${var.name}-${each.key}" })

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  dynamic "volume" {
    for_each = can(each.value.files) ? ["dags"] : []
    content {
      name = volume.value
      efs_volume_configuration {
        file_system_id     = aws_efs_file_system.this.id
        transit_encryption = "ENABLED"
        authorization_config {
          access_point_id = aws_efs_access_point.this.id
          iam             = "ENABLED"
        }
      }
    }
  }

  container_definitions = jsonencode([{
    name        = each.key
    image       = var.image
    essential   = true
    user        = "50000:0"
    entryPoint  = ["sh", "-c", local.begin, "begin"]
    command     = concat(each.value.command, lookup(local.words, each.key, []))
    stopTimeout = try(each.value.patience, 30)

    environment = [for key, value in merge(local.common, merge([for group in each.value.settings : local.groups[group]]...), {
      TIDEMARK_SECRETS_IN    = local.where
      TIDEMARK_SECRETS_NAMED = join(" ", each.value.secrets)
    }) : { name = key, value = value }]
    secrets = [for secret in each.value.secrets : {
      name      = "TIDEMARK_SECRET_${upper(replace(secret, "-", "_"))}"
      valueFrom = "${var.secrets[secret]}${lookup(local.fields, secret, "")}"
    }]

    portMappings    = [for port in try([each.value.port], []) : { containerPort = port, hostPort = port, protocol = "tcp" }]
    mountPoints     = [for mode in try([each.value.files], []) : { sourceVolume = "dags", containerPath = "/mnt/dags", readOnly = mode == "read" }]
    healthCheck     = can(each.value.health) ? { command = concat(["CMD"], each.value.health), interval = 60, timeout = 60, retries = 3, startPeriod = 120 } : null
    linuxParameters = { initProcessEnabled = false }
    volumesFrom     = []
    systemControls  = []

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        "awslogs-group"         = aws_cloudwatch_log_group.this[each.key].name
        "awslogs-region"        = data.aws_region.this.name
        "awslogs-stream-prefix" = each.key
      }
    }
  }])
}

# By which services find one another.
resource "aws_service_discovery_private_dns_namespace" "this" {
  name        = local.domain
  description = "Services of ${var.name}"
  vpc         = var.network.vpc_id
  tags        = var.tags
}

resource "aws_service_discovery_service" "this" {
  for_each = toset(["pages", "execution"])

  name = each.key
  tags = var.tags

  dns_config {
    namespace_id   = aws_service_discovery_private_dns_namespace.this.id
    routing_policy = "MULTIVALUE"
    dns_records {
      type = "A"
      ttl  = 10
    }
  }
}

resource "aws_ecs_service" "this" {
  for_each = local.lasting

  name            = each.key
  cluster         = aws_ecs_cluster.this.id
  task_definition = aws_ecs_task_definition.this[each.key].arn
  desired_count   = each.value.count
  launch_type     = "FARGATE"
  propagate_tags  = "SERVICE"
  tags            = merge(var.tags, { Name = "${var.name}-${each.key}" })

  # Two of a kind do not stay in one zone when the other one is back.
  availability_zone_rebalancing = "ENABLED"

  # No circuit breaker: what comes before `prepare` has made the database ready fails until then, and would be given up.
  # Meanwhile those of before go on, for all that there were have to be healthy.

  network_configuration {
    subnets          = var.network.private
    security_groups  = [var.network.security_groups[each.key]]
    assign_public_ip = false
  }

  dynamic "service_registries" {
    for_each = contains(keys(aws_service_discovery_service.this), each.key) ? [each.key] : []
    content { registry_arn = aws_service_discovery_service.this[service_registries.value].arn }
  }

  dynamic "load_balancer" {
    for_each = each.key == "pages" ? var.target_group[*] : []
    content {
      target_group_arn = load_balancer.value
      container_name   = "pages"
      container_port   = 8080
    }
  }

  # A task that gets no image, no secret or no disk is taken for a deployment that has failed.
  depends_on = [aws_iam_role_policy.tasks, aws_efs_mount_target.this, aws_efs_file_system_policy.this]

  # How many there are is the scaling's.
  lifecycle { ignore_changes = [desired_count] }
}
