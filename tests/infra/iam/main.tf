# The roles, as the stacks make them, where IAM is enforced. Buckets are made by the test: what they are like is not
# asked here.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "= 5.100.0" }
  }
}

provider "aws" {}

module "kms" {
  source = "../../../infra/terraform/modules/kms"
  name   = "tidemark-iam"
  tags   = { Project = "tidemark" }
  keys   = { lake = { description = "The lake" }, platform = { description = "The rest" } }
}

resource "aws_iam_openid_connect_provider" "this" {
  url            = "https://oidc.eks.eu-central-1.amazonaws.com/id/TIDEMARK"
  client_id_list = ["sts.amazonaws.com"]
}

module "workloads" {
  source         = "../../../infra/terraform/modules/workloads"
  name           = "tidemark-iam"
  tags           = { Project = "tidemark" }
  sources        = ["shop", "billing"]
  buckets        = { for purpose in ["lake", "checkpoints", "logs", "dags", "xcom", "artefacts"] : purpose => "arn:aws:s3:::tidemark-iam-${purpose}" }
  kms_keys       = module.kms.arns
  topics         = ["arn:aws:sns:eu-central-1:123456789012:tidemark-iam-critical"]
  emr_serverless = { arn = "arn:aws:emr-serverless:eu-central-1:123456789012:/applications/00application" }
  emr_on_eks     = { arn = "arn:aws:emr-containers:eu-central-1:123456789012:/virtualclusters/virtual" }
  ecs            = { cluster_arn = "arn:aws:ecs:eu-central-1:123456789012:cluster/tidemark-iam", worker_family = "tidemark-iam-worker" }
  eks = {
    name           = "tidemark-iam"
    oidc_arn       = aws_iam_openid_connect_provider.this.arn
    oidc_issuer    = replace(aws_iam_openid_connect_provider.this.url, "https://", "")
    jobs_namespace = "tidemark-jobs"
  }
}

output "roles" {
  value = module.workloads.arns
}
