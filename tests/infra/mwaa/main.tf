# An environment of MWAA, and the bucket that it reads.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "= 5.100.0" }
  }
}

provider "aws" {}

resource "aws_s3_bucket" "dags" {
  bucket        = "tidemark-mwaa-dags"
  force_destroy = true
}

resource "aws_s3_bucket_versioning" "dags" {
  bucket = aws_s3_bucket.dags.id
  versioning_configuration { status = "Enabled" }
}

module "airflow_mwaa" {
  source          = "../../../infra/terraform/modules/airflow-mwaa"
  name            = "tidemark-mwaa"
  tags            = { Project = "tidemark" }
  airflow_version = "3.2.1"
  bucket          = aws_s3_bucket_versioning.dags.bucket
  subnets         = ["subnet-1", "subnet-2"]
  security_group  = "sg-mwaa"
  role            = "arn:aws:iam::123456789012:role/tidemark-mwaa-airflow-mwaa"
  kms_key         = "arn:aws:kms:eu-central-1:123456789012:key/platform"
  settings        = { "core.dags_are_paused_at_creation" = "True" }
  environment     = { TIDEMARK_LAUNCHER = "emr-serverless", TIDEMARK_TOLD = "it's $HOME" }
}

output "dags" {
  value = module.airflow_mwaa.dags
}
