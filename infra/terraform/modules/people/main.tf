# For those who cannot come by single sign-on: groups that may do nothing before they have shown a second factor, and a
# rule for passwords. Users are made by hand: a key of theirs would stand in the state.
data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}

locals {
  user = "arn:${data.aws_partition.this.partition}:iam::${data.aws_caller_identity.this.account_id}:user/$${aws:username}"
  mfa  = "arn:${data.aws_partition.this.partition}:iam::${data.aws_caller_identity.this.account_id}:mfa/*"

  # What one needs to get a second factor, and no more.
  enrolment = ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:GetUser", "iam:ListMFADevices", "iam:ResyncMFADevice", "iam:ChangePassword", "sts:GetSessionToken"]

  attached = { for pair in flatten([for group, policies in var.groups : [for number, policy in policies : {
    id = "${group}-${number}", group = group, policy = policy
  }]]) : pair.id => pair }
}

resource "aws_iam_group" "this" {
  for_each = var.groups

  name = "${var.name}-${each.key}"
}

resource "aws_iam_policy" "second_factor" {
  name        = "${var.name}-second-factor"
  description = "Nothing without a second factor but getting one"
  tags        = var.tags
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "GetOne"
        Effect   = "Allow"
        Action   = ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:GetUser", "iam:ListMFADevices", "iam:ResyncMFADevice", "iam:ChangePassword"]
        Resource = [local.user, local.mfa]
      },
      {
        Sid       = "NothingWithout"
        Effect    = "Deny"
        NotAction = local.enrolment
        Resource  = "*"
        # A long-lived key has no such fact at all: that too is none.
        Condition = { BoolIfExists = { "aws:MultiFactorAuthPresent" = "false" } }
      },
    ]
  })
}

resource "aws_iam_group_policy_attachment" "second_factor" {
  for_each = var.groups

  group      = aws_iam_group.this[each.key].name
  policy_arn = aws_iam_policy.second_factor.arn
}

resource "aws_iam_group_policy_attachment" "this" {
  for_each = local.attached

  group      = aws_iam_group.this[each.value.group].name
  policy_arn = each.value.policy
}

resource "aws_iam_account_password_policy" "this" {
  minimum_password_length        = 16
  require_lowercase_characters   = true
  require_uppercase_characters   = true
  require_numbers                = true
  require_symbols                = true
  allow_users_to_change_password = true
  max_password_age               = 90
  password_reuse_prevention      = 24
}
