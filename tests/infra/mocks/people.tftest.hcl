mock_provider "aws" {
  source = "./aws"
  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/mock" }
  }
}

variables {
  name   = "tidemark-test"
  tags   = { Project = "tidemark" }
  groups = { operators = ["arn:aws:iam::aws:policy/ReadOnlyAccess"], analysts = [] }
}

run "nobody_does_anything_without_a_second_factor" {
  module { source = "../../../infra/terraform/modules/people" }

  assert {
    condition     = toset(keys(aws_iam_group_policy_attachment.second_factor)) == toset(keys(var.groups))
    error_message = "A group does without."
  }
  assert {
    condition     = [for statement in jsondecode(aws_iam_policy.second_factor.policy).Statement : statement.Condition.BoolIfExists if statement.Effect == "Deny"] == [{ "aws:MultiFactorAuthPresent" = "false" }]
    error_message = "Who shows nothing is let through."
  }
  assert {
    condition     = keys(aws_iam_group_policy_attachment.this) == ["operators-0"] && aws_iam_account_password_policy.this.minimum_password_length == 16
    error_message = "A group has another's policies, or passwords are short."
  }
}
