# Values are write-only: they are in no state and in no plan. A secret that is not drawn here has no value until
# somebody puts it in.
locals {
  drawn = { for name, secret in var.secrets : name => secret.draw if secret.draw != null }
}

ephemeral "aws_secretsmanager_random_password" "this" {
  for_each = local.drawn

  password_length     = 32
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57: what is encrypted by a Fernet key has to be encrypted anew first; see draw_again (2026-11-26)

  for_each = var.secrets

  name                    = "${var.name}/${each.key}"
  description             = each.value.description
  kms_key_id              = var.kms_key
  recovery_window_in_days = var.recovery_days
  tags                    = var.tags
}

resource "aws_secretsmanager_secret_version" "this" {
  for_each = local.drawn

  secret_id = aws_secretsmanager_secret.this[each.key].id
  # 32 letters and digits have neither + nor / in base64: what Fernet wants is the same.
  secret_string_wo = (each.value == "fernet"
    ? base64encode(ephemeral.aws_secretsmanager_random_password.this[each.key].random_password)
    : ephemeral.aws_secretsmanager_random_password.this[each.key].random_password
  )
  secret_string_wo_version = var.draw_again
}
