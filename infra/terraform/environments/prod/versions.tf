terraform {
  required_version = "~> 1.11"

  required_providers {
    aws = { source = "hashicorp/aws", version = "= 5.100.0" }
  }

  # Which bucket: terraform init -backend-config=backend.hcl. Two at once cannot apply: S3 itself keeps the lock.
  backend "s3" {
    key          = "prod/terraform.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}
