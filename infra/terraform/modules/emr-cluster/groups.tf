# The groups that EMR wants to have for itself: it adds rules to them, so nothing else may be in them. What goes to the
# source and to AWS is let out by the group of jobs, which all nodes have as well.
locals {
  groups = { primary = "Primary nodes", core = "Core and task nodes", service = "EMR itself" }

  rules = merge(
    { for pair in setproduct(["primary", "core"], ["primary", "core"]) : "${pair[0]}-${pair[1]}" => { from = pair[0], to = pair[1], port = null } },
    { for to in ["primary", "core"] : "service-${to}" => { from = "service", to = to, port = 8443 } },
    { primary-service = { from = "primary", to = "service", port = 9443 } },
  )
}

resource "aws_security_group" "this" {
  for_each = local.groups

  name        = "${local.name}-emr-${each.key}"
  description = "${each.value} of ${local.name}"
  vpc_id      = data.aws_subnet.this.vpc_id
  tags        = merge(local.tags, { Name = "${local.name}-emr-${each.key}" })

  # Those that EMR has added name these groups, and would keep them.
  revoke_rules_on_delete = true
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each = local.rules

  security_group_id            = aws_security_group.this[each.value.to].id
  referenced_security_group_id = aws_security_group.this[each.value.from].id
  description                  = "${each.value.from} to ${each.value.to}"
  ip_protocol                  = each.value.port == null ? "-1" : "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  tags                         = merge(var.tags, { Name = each.key })
}

resource "aws_vpc_security_group_egress_rule" "this" {
  for_each = local.rules

  security_group_id            = aws_security_group.this[each.value.from].id
  referenced_security_group_id = aws_security_group.this[each.value.to].id
  description                  = "${each.value.from} to ${each.value.to}"
  ip_protocol                  = each.value.port == null ? "-1" : "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  tags                         = merge(var.tags, { Name = each.key })
}
