# For trying out: it may lose a zone for an hour, and is destroyed without a trace.
provider "aws" {
  region = var.region
}

module "tidemark" {
  source          = "../../modules/stack"
  name            = "tidemark-dev"
  tags            = { Environment = "dev" }
  specs           = var.specs
  platform        = var.platform
  zones           = [for letter in ["a", "b", "c"] : "${var.region}${letter}"]
  cidr            = "10.41.0.0/16"
  keep            = false
  redundant       = false
  admins          = var.admins
  mails           = var.mails
  emr_release     = var.emr_release
  release         = var.release
  domain          = var.domain
  clusters        = var.clusters
  warehouse       = var.warehouse
  kubernetes_from = var.kubernetes_from
  ci              = var.ci
}
