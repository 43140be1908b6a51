locals {
  matrix = yamldecode(file("${path.module}/matrix.yaml"))

  rules = { for rule in flatten([for line in local.matrix.rules : [
    for pair in setproduct(line.from, line.to) : {
      from = pair[0], to = pair[1], port = line.port, why = try(line.why, "${pair[0]} to ${pair[1]}")
    }
  ]]) : "${rule.from}-${rule.to}-${rule.port}" => rule }

  blocks = { internet = "0.0.0.0/0", network = var.cidr }
}

resource "aws_security_group" "this" {
  #checkov:skip=CKV2_AWS_5: other modules attach them, by the output (2026-11-26)

  for_each = local.matrix.groups

  name        = "${var.name}-${each.key}"
  description = replace(each.value, "/[^A-Za-z0-9. ,-]/", "")
  vpc_id      = aws_vpc.this.id
  tags = merge(var.tags, { Name = "${var.name}-${each.key}" },
    # Without it EMR may not use the group.
    each.key == "jobs" ? { "for-use-with-amazon-emr-managed-policies" = "true" } : {},
  )
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each = { for key, rule in local.rules : key => rule if !contains(keys(local.blocks), rule.to) }

  security_group_id            = aws_security_group.this[each.value.to].id
  description                  = replace(each.value.why, "/[^A-Za-z0-9. ,-]/", "")
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  cidr_ipv4                    = lookup(local.blocks, each.value.from, null)
  referenced_security_group_id = contains(keys(local.blocks), each.value.from) ? null : aws_security_group.this[each.value.from].id
  tags                         = merge(var.tags, { Name = each.key })
}

resource "aws_vpc_security_group_egress_rule" "this" {
  for_each = { for key, rule in local.rules : key => rule if !contains(keys(local.blocks), rule.from) }

  security_group_id            = aws_security_group.this[each.value.from].id
  description                  = replace(each.value.why, "/[^A-Za-z0-9. ,-]/", "")
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  cidr_ipv4                    = lookup(local.blocks, each.value.to, null)
  referenced_security_group_id = contains(keys(local.blocks), each.value.to) ? null : aws_security_group.this[each.value.to].id
  tags                         = merge(var.tags, { Name = each.key })
}

# What is put into no group can reach nothing.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
  tags   = merge(var.tags, { Name = "${var.name}-nobody" })
}
