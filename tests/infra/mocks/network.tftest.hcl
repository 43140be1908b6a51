mock_provider "aws" { source = "./aws" }

variables {
  name    = "tidemark-test"
  tags    = { Project = "tidemark" }
  zones   = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  kms_key = "arn:aws:kms:eu-central-1:123456789012:key/platform"
}

run "data_has_no_way_out" {
  module { source = "../../../infra/terraform/modules/network" }

  assert {
    condition     = length([for key, route in merge(aws_route.public, aws_route.private) : key if contains([for zone in var.zones : aws_route_table.this["data-${zone}"].id], route.route_table_id)]) == 0
    error_message = "A subnet of databases has a route out."
  }
  assert {
    condition     = length(aws_subnet.this) == 9 && length(distinct([for subnet in aws_subnet.this : subnet.cidr_block])) == 9
    error_message = "There are not nine subnets, each with its own addresses."
  }
  assert {
    condition     = alltrue([for subnet in aws_subnet.this : subnet.map_public_ip_on_launch != true])
    error_message = "What starts in a subnet gets a public address."
  }
}

run "a_zone_that_is_lost_takes_no_other_with_it" {
  module { source = "../../../infra/terraform/modules/network" }

  assert {
    condition     = toset(keys(aws_nat_gateway.this)) == toset(var.zones) && alltrue([for zone in var.zones : aws_route.private[zone].nat_gateway_id == aws_nat_gateway.this[zone].id])
    error_message = "A zone goes out through another."
  }
}

run "one_gateway_is_enough_for_development" {
  module { source = "../../../infra/terraform/modules/network" }
  variables { nat = "one" }

  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route.private) == 3
    error_message = "There is not one gateway for all three zones."
  }
}

run "a_worker_reaches_the_api_and_no_database_of_airflow" {
  module { source = "../../../infra/terraform/modules/network" }

  assert {
    condition     = contains(keys(aws_vpc_security_group_ingress_rule.this), "worker-execution-8080")
    error_message = "A worker does not reach the API."
  }
  assert {
    condition     = [for key in keys(aws_vpc_security_group_ingress_rule.this) : key if endswith(key, "-metadata-5432")] == [for who in ["dag-processor", "execution", "pages", "platform-nodes", "prepare", "scheduler", "triggerer"] : "${who}-metadata-5432"]
    error_message = "Others than Airflow's own services reach its database."
  }
}

run "what_aws_runs_reaches_itself_and_is_reached_by_nothing_of_ours" {
  module { source = "../../../infra/terraform/modules/network" }

  assert {
    condition = jsonencode({ for key, rule in aws_vpc_security_group_ingress_rule.this : key => [rule.referenced_security_group_id, rule.cidr_ipv4] if rule.security_group_id == aws_security_group.this["mwaa"].id }) == jsonencode({
      "mwaa-mwaa-443"    = [aws_security_group.this["mwaa"].id, null]
      "mwaa-mwaa-5432"   = [aws_security_group.this["mwaa"].id, null]
      "network-mwaa-443" = [null, var.cidr]
    })
    error_message = "MWAA asks for a group that lets itself in; its pages are for who is in the network."
  }
}

run "from_the_internet_only_the_balancer_is_reached" {
  module { source = "../../../infra/terraform/modules/network" }

  assert {
    condition     = [for key, rule in aws_vpc_security_group_ingress_rule.this : key if rule.cidr_ipv4 == "0.0.0.0/0"] == ["internet-balancer-443", "internet-balancer-80"]
    error_message = "Something else than the balancer is open to the internet."
  }
}

run "what_is_let_in_is_let_out" {
  module { source = "../../../infra/terraform/modules/network" }

  assert {
    condition     = toset([for key, rule in aws_vpc_security_group_ingress_rule.this : key if rule.cidr_ipv4 == null]) == toset([for key, rule in aws_vpc_security_group_egress_rule.this : key if rule.cidr_ipv4 == null])
    error_message = "A rule has only one of its two sides."
  }
}

run "two_zones_are_refused" {
  command = plan
  module { source = "../../../infra/terraform/modules/network" }
  variables { zones = ["eu-central-1a", "eu-central-1b"] }
  expect_failures = [var.zones]
}
