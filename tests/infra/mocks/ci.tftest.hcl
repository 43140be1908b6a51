mock_provider "aws" { source = "./aws" }

variables {
  name        = "tidemark-test"
  tags        = { Project = "tidemark" }
  repository  = "example/tidemark"
  environment = "prod"
  state       = { bucket = "arn:aws:s3:::state", prefix = "prod/" }
  state_key   = "arn:aws:kms:eu-central-1:123456789012:key/state"
}

run "only_the_protected_environment_applies" {
  module { source = "../../../infra/terraform/modules/ci" }

  assert {
    condition = { for name, role in aws_iam_role.this : name => jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] } == {
      plan  = "repo:example/tidemark:pull_request"
      apply = "repo:example/tidemark:environment:prod"
    }
    error_message = "Others than a pull request plan, or others than the environment apply."
  }
  assert {
    condition     = alltrue([for role in aws_iam_role.this : keys(jsondecode(role.assume_role_policy).Statement[0].Condition) == ["StringEquals"]])
    error_message = "A subject is a pattern."
  }
}

run "who_plans_sees_no_data" {
  module { source = "../../../infra/terraform/modules/ci" }

  assert {
    condition     = alltrue([for action in ["secretsmanager:GetSecretValue", "s3:GetObject*", "kms:Decrypt"] : contains([for statement in jsondecode(aws_iam_role_policy.plan.policy).Statement : statement if statement.Effect == "Deny"][0].Action, action)])
    error_message = "A pull request reads secrets, or the lake."
  }
}

run "a_pattern_is_refused" {
  command = plan
  module { source = "../../../infra/terraform/modules/ci" }
  variables { repository = "example/*" }
  expect_failures = [var.repository]
}
