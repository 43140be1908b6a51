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
  name   = "tidemark-data"
  tags   = local.tags
  keys   = { platform = { description = "Data of the platform" } }
}

# Of the network only what a database needs; roots/network has all of it.
resource "aws_vpc" "this" {
  cidr_block = "10.40.0.0/16"
}

resource "aws_subnet" "this" {
  for_each = { a = 0, b = 1 }

  vpc_id            = aws_vpc.this.id
  cidr_block        = cidrsubnet(aws_vpc.this.cidr_block, 4, each.value)
  availability_zone = "eu-central-1${each.key}"
}

resource "aws_security_group" "this" {
  vpc_id = aws_vpc.this.id
}

module "postgres" {
  source         = "../../../../infra/terraform/modules/postgres"
  name           = "tidemark-data"
  tags           = local.tags
  purpose        = "shop"
  logical        = { slots = 10, keep_gb = 50 }
  subnets        = [for subnet in aws_subnet.this : subnet.id]
  security_group = aws_security_group.this.id
  kms_key        = module.kms.arns["platform"]
  protect        = false
}

module "secrets" {
  source        = "../../../../infra/terraform/modules/secrets"
  name          = "tidemark-data"
  tags          = local.tags
  kms_key       = module.kms.arns["platform"]
  recovery_days = 0
  secrets = {
    "airflow/fernet-key" = { description = "What Airflow encrypts by", draw = "fernet" }
    "airflow/api-key"    = { description = "What opens the logs of tasks", draw = "text" }
    "sources"            = { description = "URLs of the sources" }
  }
}

module "ecr" {
  source        = "../../../../infra/terraform/modules/ecr"
  name          = "tidemark-data"
  tags          = local.tags
  repositories  = ["airflow", "flink"]
  kms_key       = module.kms.arns["platform"]
  force_destroy = true
}
