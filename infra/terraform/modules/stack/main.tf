# All of tidemark on AWS. What differs between environments are the values in environments/, never the shape.
data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  tags = merge({ Project = "tidemark", Stack = var.name }, var.tags)
  here = data.aws_region.this.name

  # The same files that everything else is rendered from.
  sources = { for file in fileset(var.specs, "*/source.yaml") : yamldecode(file("${var.specs}/${file}")).source => {
    owner  = try(yamldecode(file("${var.specs}/${file}")).owner, "nobody")
    tables = [for table in sort(tolist(fileset("${var.specs}/${dirname(file)}", "*.yaml"))) : trimsuffix(table, ".yaml") if table != "source.yaml"]
  } }
}

module "kms" {
  source               = "../kms"
  name                 = var.name
  tags                 = local.tags
  deletion_window_days = var.keep ? 30 : 7
  keys = {
    lake     = { description = "The lake and Flink's state" }
    platform = { description = "Logs, DAGs, results, secrets, databases", services = ["logs.${local.here}.amazonaws.com", "sns.amazonaws.com", "events.amazonaws.com", "cloudwatch.amazonaws.com"] }
  }
}

module "network" {
  source  = "../network"
  name    = var.name
  tags    = local.tags
  cidr    = var.cidr
  zones   = var.zones
  nat     = var.redundant ? "zone" : "one"
  kms_key = module.kms.arns["platform"]
}

module "lake" {
  source        = "../lake"
  name          = var.name
  tags          = local.tags
  kms_keys      = { lake = module.kms.arns["lake"], platform = module.kms.arns["platform"] }
  sources       = keys(local.sources)
  force_destroy = !var.keep
}

module "messaging" {
  source      = "../messaging"
  name        = var.name
  tags        = local.tags
  kms_key     = module.kms.arns["platform"]
  subscribers = var.mails
}

module "sources" {
  source  = "../sources"
  name    = var.name
  tags    = local.tags
  sources = local.sources
  lake    = { name = module.lake.buckets["lake"], arn = module.lake.arns["lake"], kms_key = module.kms.arns["lake"] }
  topics  = module.messaging.topics
}

module "secrets" {
  source        = "../secrets"
  name          = var.name
  tags          = local.tags
  kms_key       = module.kms.arns["platform"]
  recovery_days = var.keep ? 30 : 0
  secrets = merge(
    {
      "airflow/fernet-key"      = { description = "What Airflow encrypts by", draw = "fernet" }
      "airflow/jwt-secret"      = { description = "What tasks' line to the API is signed with", draw = "text" }
      "airflow/api-key"         = { description = "What opens the logs of tasks", draw = "text" }
      "airflow/admin-password"  = { description = "Airflow's admin", draw = "text" }
      "airflow/scaler-password" = { description = "Who asks Airflow how much there is to do", draw = "text" }
    },
    { for source in keys(local.sources) : "sources/${source}" => { description = "TIDEMARK_SOURCE_${upper(source)}_URL, and TIDEMARK_HASH_KEY where columns are hashed, as one JSON object" } },
  )
}

module "ecr" {
  source        = "../ecr"
  name          = var.name
  tags          = local.tags
  repositories  = ["airflow", "flink", "spark"] # the console is in that of Spark
  kms_key       = module.kms.arns["platform"]
  force_destroy = !var.keep
}

module "metadata" {
  source         = "../postgres"
  count          = var.platform == "mwaa" ? 0 : 1 # MWAA has its own
  name           = var.name
  tags           = local.tags
  purpose        = "metadata"
  instance_class = var.database_class
  multi_az       = var.redundant
  subnets        = module.network.subnets["data"]
  security_group = module.network.security_groups["metadata"]
  kms_key        = module.kms.arns["platform"]
  alarm_topics   = [module.messaging.topics["critical"]]
  protect        = var.keep
}

module "logs" {
  source  = "../logs"
  name    = var.name
  tags    = local.tags
  bucket  = module.lake.arns["logs"]
  kms_key = module.kms.arns["platform"]
  groups  = flatten([for part in concat(module.metadata, module.airflow_ecs, module.airflow_mwaa) : part.log_groups])
}
