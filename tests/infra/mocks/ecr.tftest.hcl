mock_provider "aws" { source = "./aws" }

variables {
  name         = "tidemark-test"
  tags         = { Project = "tidemark" }
  kms_key      = "arn:aws:kms:eu-central-1:123456789012:key/platform"
  repositories = ["airflow", "spark"]
}

run "a_tag_means_the_same_for_ever_and_is_scanned" {
  module { source = "../../../infra/terraform/modules/ecr" }

  assert {
    condition     = alltrue([for repository in aws_ecr_repository.this : repository.image_tag_mutability == "IMMUTABLE" && repository.image_scanning_configuration[0].scan_on_push && !repository.force_delete])
    error_message = "A tag can be moved, an image is not scanned, or a repository goes with its images."
  }
}

run "old_images_go" {
  module { source = "../../../infra/terraform/modules/ecr" }

  assert {
    condition     = alltrue([for policy in aws_ecr_lifecycle_policy.this : [for rule in jsondecode(policy.policy).rules : rule.selection.countNumber] == [7, 30]])
    error_message = "Images stay for ever, or go too early."
  }
}
