terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "= 5.100.0" }
  }
}

provider "aws" {}

module "kms" {
  source = "../../../../infra/terraform/modules/kms"
  name   = "tidemark-network"
  tags   = { Project = "tidemark" }
  keys   = { platform = { description = "Logs", services = ["logs.eu-central-1.amazonaws.com"] } }
}

module "network" {
  source  = "../../../../infra/terraform/modules/network"
  name    = "tidemark-network"
  tags    = { Project = "tidemark" }
  zones   = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  kms_key = module.kms.arns["platform"]
}
