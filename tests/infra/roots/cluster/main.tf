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
  name   = "tidemark-cluster"
  tags   = local.tags
  keys   = { platform = { description = "Secrets of Kubernetes", services = ["logs.eu-central-1.amazonaws.com"] } }
}

# Of the network only what a cluster needs; roots/network has all of it.
resource "aws_vpc" "this" {
  cidr_block = "10.41.0.0/16"
}

resource "aws_subnet" "this" {
  for_each = { a = 0, b = 1 }

  vpc_id            = aws_vpc.this.id
  cidr_block        = cidrsubnet(aws_vpc.this.cidr_block, 4, each.value)
  availability_zone = "eu-central-1${each.key}"
}

resource "aws_security_group" "this" {
  for_each = toset(["platform", "streaming", "jobs"])

  name   = "tidemark-cluster-${each.key}"
  vpc_id = aws_vpc.this.id
}

resource "aws_iam_role" "admin" {
  name               = "tidemark-cluster-admin"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { AWS = "arn:aws:iam::123456789012:root" }, Action = "sts:AssumeRole" }] })
}

module "eks" {
  source  = "../../../../infra/terraform/modules/eks"
  name    = "tidemark-cluster"
  tags    = local.tags
  subnets = [for subnet in aws_subnet.this : subnet.id]
  admins  = { admin = aws_iam_role.admin.arn }
  kms_key = module.kms.arns["platform"]

  node_groups = {
    platform  = { instance_types = ["m6i.large"], least = 2, most = 4, security_group = aws_security_group.this["platform"].id }
    streaming = { instance_types = ["m6i.xlarge"], least = 1, most = 3, security_group = aws_security_group.this["streaming"].id }
  }

  pod_identities = module.workloads.service_accounts
}

module "emr_serverless" {
  source         = "../../../../infra/terraform/modules/emr-serverless"
  name           = "tidemark-cluster"
  tags           = local.tags
  release        = "emr-7.9.0"
  subnets        = [for subnet in aws_subnet.this : subnet.id]
  security_group = aws_security_group.this["jobs"].id
}

module "emr_on_eks" {
  source  = "../../../../infra/terraform/modules/emr-on-eks"
  name    = "tidemark-cluster"
  tags    = local.tags
  cluster = module.eks.name
  kms_key = module.kms.arns["platform"]
}

module "workloads" {
  source         = "../../../../infra/terraform/modules/workloads"
  name           = "tidemark-cluster"
  tags           = local.tags
  sources        = ["shop", "billing"]
  buckets        = { for purpose in ["lake", "checkpoints", "logs", "dags", "xcom", "artefacts"] : purpose => "arn:aws:s3:::tidemark-cluster-${purpose}-123456789012" }
  kms_keys       = { lake = module.kms.arns["platform"], platform = module.kms.arns["platform"] }
  topics         = ["arn:aws:sns:eu-central-1:123456789012:tidemark-cluster-critical"]
  emr_serverless = { arn = module.emr_serverless.arn }
  emr_on_eks     = { arn = module.emr_on_eks.arn }
  eks = {
    name           = "tidemark-cluster"
    oidc_arn       = module.eks.oidc.arn
    oidc_issuer    = module.eks.oidc.issuer
    jobs_namespace = module.emr_on_eks.namespace
  }
}
