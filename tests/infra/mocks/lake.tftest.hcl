mock_provider "aws" { source = "./aws" }

variables {
  name     = "tidemark-test"
  tags     = { Project = "tidemark" }
  kms_keys = { lake = "arn:aws:kms:eu-central-1:123456789012:key/lake", platform = "arn:aws:kms:eu-central-1:123456789012:key/platform" }
  sources  = ["shop", "billing"]
}

run "no_bucket_is_public" {
  module { source = "../../../infra/terraform/modules/lake" }

  assert {
    condition = toset(keys(aws_s3_bucket.this)) == toset([for purpose, block in aws_s3_bucket_public_access_block.this :
    purpose if block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets])
    error_message = "A bucket may be made public."
  }
  assert {
    condition     = alltrue([for control in aws_s3_bucket_ownership_controls.this : control.rule[0].object_ownership == "BucketOwnerEnforced"])
    error_message = "An ACL of an object may say who reads it."
  }
}

run "every_bucket_refuses_what_is_not_tls" {
  module { source = "../../../infra/terraform/modules/lake" }

  assert {
    condition = alltrue([for purpose, policy in aws_s3_bucket_policy.this : anytrue([for statement in jsondecode(policy.policy).Statement :
      statement.Effect == "Deny" && statement.Action == "s3:*" && try(statement.Condition.Bool["aws:SecureTransport"], "") == "false"
    ])])
    error_message = "A bucket is read without TLS."
  }
}

run "all_is_encrypted_by_our_keys_but_access_logs_by_s3" {
  module { source = "../../../infra/terraform/modules/lake" }

  assert {
    condition = { for purpose, it in aws_s3_bucket_server_side_encryption_configuration.this : purpose => one(it.rule).apply_server_side_encryption_by_default[0].kms_master_key_id if purpose != "access" } == {
      lake = var.kms_keys.lake, checkpoints = var.kms_keys.lake, logs = var.kms_keys.platform, dags = var.kms_keys.platform
      xcom = var.kms_keys.platform, artefacts = var.kms_keys.platform
    }
    error_message = "A bucket has another key than its purpose says."
  }
  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.this["access"].rule).apply_server_side_encryption_by_default[0].sse_algorithm == "AES256"
    error_message = "S3 cannot write access logs."
  }
}

run "what_is_deleted_can_be_taken_back_for_a_week_and_no_longer" {
  module { source = "../../../infra/terraform/modules/lake" }

  assert {
    condition     = [for purpose, it in aws_s3_bucket_versioning.this : purpose if it.versioning_configuration[0].status != "Enabled"] == ["checkpoints"]
    error_message = "Buckets without versions are not just that of checkpoints."
  }
  assert {
    condition = alltrue([for it in aws_s3_bucket_lifecycle_configuration.this : anytrue([for rule in it.rule :
      rule.status == "Enabled" && try(rule.noncurrent_version_expiration[0].noncurrent_days, 0) == 7 && try(rule.abort_incomplete_multipart_upload[0].days_after_initiation, 0) == 7
    ])])
    error_message = "Old versions, or uploads that were cut off, stay for ever."
  }
}

run "the_lake_itself_never_expires" {
  module { source = "../../../infra/terraform/modules/lake" }

  assert {
    condition     = [for purpose, it in aws_s3_bucket_lifecycle_configuration.this : purpose if anytrue([for rule in it.rule : try(length(rule.expiration) > 0, false)])] == ["access", "logs", "xcom"]
    error_message = "What expires is not just logs and results."
  }
}

run "a_source_has_its_databases" {
  module { source = "../../../infra/terraform/modules/lake" }

  assert {
    condition     = toset(keys(output.databases)) == toset(["silver_shop", "history_shop", "gold_shop", "silver_billing", "history_billing", "gold_billing"])
    error_message = "The databases are not those of the sources."
  }
}

run "a_transition_that_s3_refuses_is_refused_before" {
  command = plan
  module { source = "../../../infra/terraform/modules/lake" }
  variables { log_days = { cheaper_after = 10, expire_after = 90 } }
  expect_failures = [var.log_days]
}
