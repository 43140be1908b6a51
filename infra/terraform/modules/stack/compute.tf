# Where the stream and the jobs run, on every platform, and what everything may do.
module "eks" {
  source         = "../eks"
  name           = var.name
  tags           = local.tags
  subnets        = module.network.subnets["private"]
  public_from    = var.kubernetes_from
  admins         = var.admins
  kms_key        = module.kms.arns["platform"]
  pod_identities = module.workloads.service_accounts

  node_groups = {
    platform = {
      instance_types = ["m6i.large"], least = var.redundant ? 3 : 2, most = 6
      security_group = module.network.security_groups["platform-nodes"]
    }
    # A stream is one slot: it needs few, and never one that is taken away.
    streaming = {
      instance_types = ["m6i.large"], least = 1, most = 6
      security_group = module.network.security_groups["streaming-nodes"]
    }
    # As many as there are: none comes by itself before an autoscaler is installed.
    batch = {
      instance_types = ["m6i.2xlarge", "m5.2xlarge", "m6a.2xlarge"], least = 1, most = 8, spot = true
      security_group = module.network.security_groups["batch-nodes"]
    }
  }
}

module "emr_serverless" {
  source         = "../emr-serverless"
  name           = var.name
  tags           = local.tags
  release        = var.emr_release
  subnets        = module.network.subnets["private"]
  security_group = module.network.security_groups["jobs"]
}

# For jobs that want machines of their own: backfills of years, or what EMR Serverless has no size for.
module "emr_cluster" {
  source         = "../emr-cluster"
  for_each       = var.clusters
  name           = var.name
  tags           = local.tags
  workload       = each.key
  role           = regex("[^/]+$", module.workloads.arns[each.key])
  release        = var.emr_release
  subnet         = module.network.subnets["private"][0]
  security_group = module.network.security_groups["jobs"]
  kms_key        = module.kms.arns["platform"]
  artefacts      = module.lake.buckets["artefacts"]
  log_uri        = "s3://${module.lake.buckets["logs"]}/jobs/"
  nodes          = { least = 1, most = each.value.most }
  standing       = each.value.standing

  unpacked = {
    "/opt/tidemark"       = "s3://${module.lake.buckets["artefacts"]}/${var.release}/environment.tar.gz"
    "/opt/tidemark/specs" = "s3://${module.lake.buckets["artefacts"]}/${var.release}/specs.zip"
  }
}

# For those who ask the marts in SQL.
module "redshift" {
  source         = "../redshift"
  count          = var.warehouse == null ? 0 : 1
  name           = var.name
  tags           = local.tags
  sources        = keys(local.sources)
  lake           = { arn = module.lake.arns["lake"], kms_key = module.kms.arns["lake"] }
  subnets        = module.network.subnets["data"]
  security_group = module.network.security_groups["warehouse"]
  readers        = var.warehouse.readers
  capacity       = { least = 8, most = var.warehouse.most, hours_a_month = var.warehouse.hours_a_month }
  kms_key        = module.kms.arns["platform"]
}

module "workloads" {
  source   = "../workloads"
  name     = var.name
  tags     = local.tags
  sources  = keys(local.sources)
  buckets  = module.lake.arns
  kms_keys = { lake = module.kms.arns["lake"], platform = module.kms.arns["platform"] }
  topics   = values(module.messaging.topics)

  database_secrets = [for database in module.metadata : database.secret]

  emr_serverless = { arn = module.emr_serverless.arn }
  emr_clusters   = keys(var.clusters)
  mwaa           = var.platform == "mwaa"
  ecs = local.on_ecs ? {
    cluster_arn   = "arn:${data.aws_partition.this.partition}:ecs:${local.here}:${data.aws_caller_identity.this.account_id}:cluster/${var.name}"
    worker_family = "${var.name}-worker"
  } : null
  eks = {
    name           = var.name
    oidc_arn       = module.eks.oidc.arn
    oidc_issuer    = module.eks.oidc.issuer
    jobs_namespace = "tidemark-jobs"
  }
}

module "ci" {
  source        = "../ci"
  count         = var.ci == null ? 0 : 1
  name          = var.name
  tags          = local.tags
  repository    = var.ci.repository
  environment   = var.ci.environment
  make_provider = var.ci.make_provider
  state         = { bucket = "arn:${data.aws_partition.this.partition}:s3:::${var.ci.state_bucket}", prefix = var.ci.state_prefix }
  state_key     = module.kms.arns["platform"]
}
