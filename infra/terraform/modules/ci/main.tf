# Two roles without a key that lies somewhere: one plans what a pull request would change, the other applies, and only
# in a job of the protected environment.
data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}

locals {
  account  = data.aws_caller_identity.this.account_id
  issuer   = "token.actions.githubusercontent.com"
  provider = "arn:${data.aws_partition.this.partition}:iam::${local.account}:oidc-provider/${local.issuer}"
  managed  = "arn:${data.aws_partition.this.partition}:iam::aws:policy"

  subjects = {
    plan  = "repo:${var.repository}:pull_request"
    apply = "repo:${var.repository}:environment:${var.environment}"
  }
}

resource "aws_iam_openid_connect_provider" "this" {
  count = var.make_provider ? 1 : 0

  url            = "https://${local.issuer}"
  client_id_list = ["sts.amazonaws.com"]
  tags           = var.tags
}

resource "aws_iam_role" "this" {
  #checkov:skip=CKV_AWS_393: subjects are whole ones, without a pattern; tests/infra/mocks/ci.tftest.hcl holds them (2026-11-26)
  for_each = local.subjects

  name                 = "${var.name}-ci-${each.key}"
  max_session_duration = 3600 * (each.key == "apply" ? 3 : 1) # as .github/workflows/deploy.yaml may take
  tags                 = var.tags
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = local.provider }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = { StringEquals = {
        "${local.issuer}:aud" = "sts.amazonaws.com"
        "${local.issuer}:sub" = each.value
      } }
    }]
  })
}

# What a plan reads; not the values of secrets, and nothing of the lake.
resource "aws_iam_role_policy_attachment" "plan" {
  role       = aws_iam_role.this["plan"].name
  policy_arn = "${local.managed}/ReadOnlyAccess"
}

resource "aws_iam_role_policy" "plan" {
  name = "plan"
  role = aws_iam_role.this["plan"].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "NoData"
        Effect = "Deny"
        Action = ["secretsmanager:GetSecretValue", "ssm:GetParameter*", "s3:GetObject*", "kms:Decrypt", "athena:GetQueryResults"]
        NotResource = [
          "${var.state.bucket}/${var.state.prefix}*", var.state_key,
        ]
      },
      {
        # A plan draws what an apply would draw anew, and keeps it nowhere.
        Sid      = "Draw"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetRandomPassword"]
        Resource = ["*"]
      },
      {
        Sid      = "State"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = ["${var.state.bucket}/${var.state.prefix}*"]
      },
      {
        Sid      = "Lock"
        Effect   = "Allow"
        Action   = ["s3:PutObject", "s3:DeleteObject"]
        Resource = ["${var.state.bucket}/${var.state.prefix}*.tflock"]
      },
      {
        Sid      = "KeyOfTheState"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = [var.state_key]
      },
    ]
  })
}

# What applies makes roles, so it may do anything, unless a boundary says how far; that is why only a protected
# environment takes it.
resource "aws_iam_role_policy_attachment" "apply" {
  #checkov:skip=CKV_AWS_274: Terraform makes roles and policies: whoever may do that may do all; see the trust (2026-11-26)
  role       = aws_iam_role.this["apply"].name
  policy_arn = "${local.managed}/AdministratorAccess"
}

resource "aws_iam_role_policy" "apply" {
  name = "apply"
  role = aws_iam_role.this["apply"].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "NotItself"
        Effect   = "Deny"
        Action   = ["iam:Attach*", "iam:Delete*", "iam:Detach*", "iam:Put*", "iam:Update*"]
        Resource = [for name in keys(local.subjects) : "arn:${data.aws_partition.this.partition}:iam::${local.account}:role/${var.name}-ci-${name}"]
      }],
      [for boundary in var.boundary[*] : {
        Sid       = "OnlyRolesWithinTheBoundary"
        Effect    = "Deny"
        Action    = ["iam:CreateRole", "iam:PutRolePermissionsBoundary"]
        Resource  = ["*"]
        Condition = { StringNotEquals = { "iam:PermissionsBoundary" = boundary } }
      }],
    )
  })
}
