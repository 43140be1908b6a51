# It survives the loss of a zone; what holds data is not destroyed before `keep` is taken away, which is a change of its own.
provider "aws" {
  region = var.region
}

module "tidemark" {
  source          = "../../modules/stack"
  name            = "tidemark-prod"
  tags            = { Environment = "prod" }
  specs           = var.specs
  platform        = var.platform
  zones           = [for letter in ["a", "b", "c"] : "${var.region}${letter}"]
  cidr            = "10.40.0.0/16"
  keep            = true
  redundant       = true
  admins          = var.admins
  mails           = var.mails
  emr_release     = var.emr_release
  database_class  = "db.m6g.large"
  release         = var.release
  domain          = var.domain
  clusters        = var.clusters
  warehouse       = var.warehouse
  kubernetes_from = var.kubernetes_from
  ci              = var.ci
}
