# Keys, buckets and databases, as the stacks make them.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "= 5.100.0" }
  }
}

provider "aws" {}

module "kms" {
  source = "../../../../infra/terraform/modules/kms"
  name   = "tidemark-lake"
  tags   = { Project = "tidemark" }
  keys = {
    lake     = { description = "The lake" }
    platform = { description = "Logs, DAGs, results", services = ["logs.eu-central-1.amazonaws.com", "sns.amazonaws.com"] }
  }
}

module "lake" {
  source         = "../../../../infra/terraform/modules/lake"
  name           = "tidemark-lake"
  tags           = { Project = "tidemark" }
  kms_keys       = { lake = module.kms.arns["lake"], platform = module.kms.arns["platform"] }
  sources        = ["shop"]
  lake_formation = true
  force_destroy  = true
}
