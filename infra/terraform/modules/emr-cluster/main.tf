# What EMR clusters on EC2 are made of, for the jobs of one workload, and one that stands if it is asked for. All jobs of a
# cluster do what its nodes' role may: so the role is a workload's, and a cluster runs the jobs of no other.
data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}
data "aws_subnet" "this" { id = var.subnet }

locals {
  name = "${var.name}-${var.workload}"
  # AWS's policy for EMR lets it use what says so, and the worker may touch what is of this stack.
  tags = merge(var.tags, { Stack = var.name, Name = local.name, "for-use-with-amazon-emr-managed-policies" = "true" })

  bootstrap = length(var.unpacked) == 0 ? [] : [{
    name = "unpack"
    path = "s3://${aws_s3_object.unpack.bucket}/${aws_s3_object.unpack.key}"
    args = [for folder, archive in var.unpacked : "${archive}#${folder}"]
  }]
}

resource "aws_s3_object" "unpack" {
  bucket       = var.artefacts
  key          = "emr/${var.workload}/unpack.sh"
  content      = file("${path.module}/unpack.sh")
  content_type = "text/x-shellscript"
  tags         = var.tags
}

resource "aws_emr_security_configuration" "this" {
  #checkov:skip=CKV_AWS_351: A certificate of ours would have to lie somewhere; between nodes there is their security group (2026-11-26)
  #checkov:skip=CKV_AWS_171: Each bucket encrypts by a key of its own and refuses any other; jobs write by S3A, not EMRFS (2026-11-26)
  name = local.name
  configuration = jsonencode({
    EncryptionConfiguration = {
      EnableAtRestEncryption    = true
      EnableInTransitEncryption = false
      AtRestEncryptionConfiguration = {
        LocalDiskEncryptionConfiguration = { EncryptionKeyProviderType = "AwsKms", AwsKmsKey = var.kms_key, EnableEbsEncryption = true }
      }
    }
    InstanceMetadataServiceConfiguration = { MinimumInstanceMetadataServiceVersion = 2, HttpPutResponseHopLimit = 1 }
  })
}

# One that stands: TIDEMARK_EMR_CLUSTER. When nothing has run on it for a while it ends; the next apply makes another.
resource "aws_emr_cluster" "this" {
  count = var.standing == null ? 0 : 1

  name                              = local.name
  release_label                     = var.release
  applications                      = ["Spark"]
  service_role                      = aws_iam_role.service.arn
  security_configuration            = aws_emr_security_configuration.this.name
  log_uri                           = var.log_uri
  step_concurrency_level            = var.standing.jobs
  keep_job_flow_alive_when_no_steps = true
  termination_protection            = false
  visible_to_all_users              = true
  scale_down_behavior               = "TERMINATE_AT_TASK_COMPLETION"
  tags                              = local.tags

  ec2_attributes {
    subnet_id                         = var.subnet
    instance_profile                  = aws_iam_instance_profile.nodes.arn
    emr_managed_master_security_group = aws_security_group.this["primary"].id
    emr_managed_slave_security_group  = aws_security_group.this["core"].id
    service_access_security_group     = aws_security_group.this["service"].id
    additional_master_security_groups = var.security_group
    additional_slave_security_groups  = var.security_group
  }

  master_instance_group {
    name          = "primary"
    instance_type = var.primary_type
  }

  # How many there are is the scaling's.
  core_instance_group {
    name           = "core"
    instance_type  = var.core_type
    instance_count = var.nodes.least
  }

  dynamic "bootstrap_action" {
    for_each = local.bootstrap
    content {
      name = bootstrap_action.value.name
      path = bootstrap_action.value.path
      args = bootstrap_action.value.args
    }
  }

  auto_termination_policy { idle_timeout = var.standing.idle_minutes * 60 }

  depends_on = [aws_iam_role_policy.disks, aws_iam_role_policy.service, aws_iam_role_policy_attachment.service, aws_vpc_security_group_ingress_rule.this, aws_vpc_security_group_egress_rule.this]

  lifecycle { ignore_changes = [core_instance_group[0].instance_count] }
}

resource "aws_emr_managed_scaling_policy" "this" {
  count = var.standing == null ? 0 : 1

  cluster_id = aws_emr_cluster.this[0].id
  compute_limits {
    unit_type                       = "Instances"
    minimum_capacity_units          = var.nodes.least
    maximum_capacity_units          = var.nodes.most
    maximum_core_capacity_units     = var.nodes.most
    maximum_ondemand_capacity_units = var.nodes.most
  }
}
