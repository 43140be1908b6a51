mock_provider "aws" { source = "./aws" }

variables {
  name = "tidemark-test"
  tags = { Project = "tidemark" }
  keys = { lake = { description = "The lake" }, logs = { description = "Logs", services = ["logs.eu-central-1.amazonaws.com", "sns.amazonaws.com"] } }
}

run "keys_are_rotated_and_can_be_taken_back_for_a_month" {
  module { source = "../../../infra/terraform/modules/kms" }

  assert {
    condition     = alltrue([for key in aws_kms_key.this : key.enable_key_rotation && key.deletion_window_in_days == 30])
    error_message = "A key is not rotated, or gone at once when it is deleted."
  }
}

run "a_service_encrypts_for_our_account_only" {
  module { source = "../../../infra/terraform/modules/kms" }

  assert {
    condition     = alltrue([for statement in jsondecode(aws_kms_key.this["logs"].policy).Statement : can(statement.Condition) if can(statement.Principal.Service)])
    error_message = "A service may use the key for whoever asks it to."
  }
  assert {
    condition     = length(jsondecode(aws_kms_key.this["lake"].policy).Statement) == 1
    error_message = "Somebody besides the account may use the lake's key."
  }
}

run "a_name_that_no_bucket_can_have_is_refused" {
  command = plan
  module { source = "../../../infra/terraform/modules/kms" }
  variables { name = "Tidemark_Dev" }
  expect_failures = [var.name]
}
