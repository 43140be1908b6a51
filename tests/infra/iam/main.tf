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

# The role of an Airflow that AWS runs, of an environment of its own.
module "mwaa" {
  source         = "../../../infra/terraform/modules/workloads"
  name           = "tidemark-mwaa"
  tags           = { Project = "tidemark" }
  sources        = ["shop"]
  buckets        = { for purpose in ["lake", "checkpoints", "logs", "dags", "xcom", "artefacts"] : purpose => "arn:aws:s3:::tidemark-iam-${purpose}" }
  kms_keys       = module.kms.arns
  topics         = ["arn:aws:sns:eu-central-1:123456789012:tidemark-iam-critical"]
  emr_serverless = { arn = "arn:aws:emr-serverless:eu-central-1:123456789012:/applications/00application" }
  mwaa           = true
  eks = {
    name           = "tidemark-iam"
    oidc_arn       = aws_iam_openid_connect_provider.this.arn
    oidc_issuer    = replace(aws_iam_openid_connect_provider.this.url, "https://", "")
    jobs_namespace = "tidemark-jobs"
  }
}

# Who may look at the lake's code, once a second factor was shown.
resource "aws_iam_policy" "operators" {
  name   = "tidemark-iam-operators"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["s3:ListBucket"], Resource = ["arn:aws:s3:::tidemark-iam-artefacts"] }] })
}

module "people" {
  source = "../../../infra/terraform/modules/people"
  name   = "tidemark-iam"
  tags   = { Project = "tidemark" }
  groups = { operators = [aws_iam_policy.operators.arn] }
}

output "groups" {
  value = module.people.groups
}

output "roles" {
  value = merge(module.workloads.arns, { "airflow-mwaa" = module.mwaa.arns["airflow-mwaa"] })
}
