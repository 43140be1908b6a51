terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "= 5.100.0" }
  }
}

provider "aws" {}

locals {
  name = "tidemark-emr"
  tags = { Project = "tidemark" }
}

module "kms" {
  source = "../../../../infra/terraform/modules/kms"
  name   = local.name
  tags   = local.tags
  keys   = { platform = { description = "Disks of nodes" } }
}

# Of the network only what nodes need; roots/network has all of it.
resource "aws_vpc" "this" {
  cidr_block = "10.42.0.0/16"
}

resource "aws_subnet" "this" {
  vpc_id            = aws_vpc.this.id
  cidr_block        = cidrsubnet(aws_vpc.this.cidr_block, 4, 0)
  availability_zone = "eu-central-1a"
}

resource "aws_security_group" "this" {
  name   = "${local.name}-jobs"
  vpc_id = aws_vpc.this.id
}

resource "aws_s3_bucket" "artefacts" {
  bucket = "${local.name}-artefacts"
}

resource "aws_iam_role" "nodes" {
  name               = "${local.name}-shop-gold"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { Service = "ec2.amazonaws.com" }, Action = "sts:AssumeRole" }] })
}

module "emr_cluster" {
  source         = "../../../../infra/terraform/modules/emr-cluster"
  name           = local.name
  tags           = local.tags
  workload       = "shop-gold"
  role           = aws_iam_role.nodes.name
  release        = "emr-7.9.0"
  subnet         = aws_subnet.this.id
  security_group = aws_security_group.this.id
  kms_key        = module.kms.arns["platform"]
  artefacts      = aws_s3_bucket.artefacts.bucket
  unpacked       = { "/opt/tidemark" = "s3://${aws_s3_bucket.artefacts.bucket}/one/environment.tar.gz" }
  log_uri        = "s3://${aws_s3_bucket.artefacts.bucket}/jobs/"
  nodes          = { least = 1, most = 4 }
  standing       = { jobs = 2, idle_minutes = 30 }
}
