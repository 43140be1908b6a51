terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "= 5.100.0" }
  }
}

provider "aws" {}

locals {
  tags = { Project = "tidemark" }
}

module "kms" {
  source = "../../../../infra/terraform/modules/kms"
  name   = "tidemark-events"
  tags   = local.tags
  keys   = { platform = { description = "Messages", services = ["sns.amazonaws.com", "events.amazonaws.com", "cloudwatch.amazonaws.com"] } }
}

module "secrets" {
  source        = "../../../../infra/terraform/modules/secrets"
  name          = "tidemark-events"
  tags          = local.tags
  kms_key       = module.kms.arns["platform"]
  recovery_days = 0
  secrets       = { "airflow/fernet-key" = { description = "What Airflow encrypts by", draw = "fernet" } }
}

module "messaging" {
  source      = "../../../../infra/terraform/modules/messaging"
  name        = "tidemark-events"
  tags        = local.tags
  kms_key     = module.kms.arns["platform"]
  subscribers = { critical = ["somebody@example.org"] }
}

module "ci" {
  source      = "../../../../infra/terraform/modules/ci"
  name        = "tidemark-events"
  tags        = local.tags
  repository  = "example/tidemark"
  environment = "dev"
  state       = { bucket = "arn:aws:s3:::tidemark-state", prefix = "dev/" }
  state_key   = module.kms.arns["platform"]
}

module "people" {
  source = "../../../../infra/terraform/modules/people"
  name   = "tidemark-events"
  tags   = local.tags
  groups = { operators = ["arn:aws:iam::aws:policy/ReadOnlyAccess"], analysts = [] }
}
