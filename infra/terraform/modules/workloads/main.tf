# A role for each workload of each source, and for each service of Airflow. What they may do is in grants.yaml and
# services.yaml; nothing that is not there.
data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  account   = data.aws_caller_identity.this.account_id
  partition = data.aws_partition.this.partition
  region    = data.aws_region.this.name
  here      = "${local.region}:${local.account}"

  grants   = yamldecode(file("${path.module}/grants.yaml"))
  services = yamldecode(file("${path.module}/services.yaml"))

  # A source's workload is shop-mirror, a service airflow-worker.
  of_sources = { for pair in setproduct(var.sources, keys(local.grants)) : "${pair[0]}-${pair[1]}" => {
    source  = pair[0]
    grant   = local.grants[pair[1]]
    account = { namespace = pair[1] == "stream" ? var.namespaces.stream : var.namespaces.jobs, name = "${replace(pair[0], "_", "-")}-${pair[1]}" }
    buckets = { for bucket in ["lake", "checkpoints"] : bucket => {
      for level in ["read", "write", "delete"] :
      level => [for prefix in try(local.grants[pair[1]][bucket][level], []) : replace(prefix, "{source}", pair[0])]
    } if can(local.grants[pair[1]][bucket]) }
    secrets = ["sources/${pair[0]}"]
    jobs    = local.grants[pair[1]].runs == "jobs"
  } }

  of_airflow = { for service, grant in local.services : "airflow-${service}" => {
    grant   = grant
    account = contains(keys(grant), "account") ? grant.account : { namespace = var.namespaces.airflow, name = "airflow-${service}" }
    buckets = { for bucket in ["lake", "dags", "logs", "xcom"] : bucket => {
      for level in ["read", "write", "delete"] : level => try(grant[bucket][level], [])
    } if can(grant[bucket]) }
    secrets = try(grant.secrets, [])
    jobs    = false
  } if contains(try(grant.for, ["ours"]), var.mwaa ? "aws" : "ours") }

  workloads = merge(local.of_sources, local.of_airflow)
}

resource "aws_iam_role" "this" {
  for_each = local.workloads

  name                 = "${var.name}-${each.key}"
  assume_role_policy   = jsonencode({ Version = "2012-10-17", Statement = local.trusted[each.key] })
  max_session_duration = 3600 * (each.value.jobs ? 12 : 1)
  tags                 = merge(var.tags, { Name = "${var.name}-${each.key}", Workload = each.key })
}

resource "aws_iam_role_policy" "this" {
  # IAM takes no policy that allows nothing.
  for_each = { for key, workload in local.workloads : key => workload if length(keys(workload.grant)) > 0 }

  name   = "workload"
  role   = aws_iam_role.this[each.key].id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.allowed[each.key] })
}
