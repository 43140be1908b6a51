# One application for all jobs: it starts with the first, and costs nothing while none runs.
resource "aws_emrserverless_application" "this" {
  name          = var.name
  release_label = var.release
  type          = "spark"
  architecture  = "X86_64"
  tags          = var.tags

  auto_start_configuration { enabled = true }
  auto_stop_configuration {
    enabled              = true
    idle_timeout_minutes = var.idle_minutes
  }

  maximum_capacity {
    cpu    = "${var.most.vcpus} vCPU"
    memory = "${var.most.memory_gb} GB"
    disk   = "${var.most.disk_gb} GB"
  }

  network_configuration {
    subnet_ids         = var.subnets
    security_group_ids = [var.security_group]
  }

  dynamic "image_configuration" {
    for_each = var.image[*]
    content { image_uri = image_configuration.value }
  }
}
