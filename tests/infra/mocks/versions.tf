# What the tests here are run in: one `init` for all modules.
terraform {
  required_version = "~> 1.11"

  required_providers {
    aws = { source = "hashicorp/aws", version = "= 5.100.0" }
  }
}
