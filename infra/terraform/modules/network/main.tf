# Three zones; in each a subnet for what the internet may reach, one for what runs, and one for what holds data, which
# has no way out.
locals {
  tiers = { public = 0, private = 1, data = 2 }

  subnets = { for pair in setproduct(keys(local.tiers), range(3)) : "${pair[0]}-${var.zones[pair[1]]}" => {
    tier = pair[0]
    zone = var.zones[pair[1]]
    cidr = cidrsubnet(var.cidr, 4, local.tiers[pair[0]] * 4 + pair[1])
  } }

  gateways = { zone = var.zones, one = slice(var.zones, 0, 1), none = [] }[var.nat]
}

data "aws_region" "this" {}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = merge(var.tags, { Name = var.name })
}

resource "aws_subnet" "this" {
  for_each = local.subnets

  vpc_id            = aws_vpc.this.id
  availability_zone = each.value.zone
  cidr_block        = each.value.cidr
  tags = merge(var.tags, { Name = "${var.name}-${each.key}", Tier = each.value.tier },
    each.value.tier == "public" ? { "kubernetes.io/role/elb" = "1" } : {},
    each.value.tier == "private" ? { "kubernetes.io/role/internal-elb" = "1", "for-use-with-amazon-emr-managed-policies" = "true" } : {},
  )
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
  tags   = merge(var.tags, { Name = var.name })
}

resource "aws_eip" "nat" {
  for_each = toset(local.gateways)

  domain = "vpc"
  tags   = merge(var.tags, { Name = "${var.name}-nat-${each.key}" })
}

resource "aws_nat_gateway" "this" {
  for_each = toset(local.gateways)

  subnet_id     = aws_subnet.this["public-${each.key}"].id
  allocation_id = aws_eip.nat[each.key].id
  tags          = merge(var.tags, { Name = "${var.name}-${each.key}" })

  depends_on = [aws_internet_gateway.this]
}

resource "aws_route_table" "this" {
  for_each = local.subnets

  vpc_id = aws_vpc.this.id
  tags   = merge(var.tags, { Name = "${var.name}-${each.key}" })
}

resource "aws_route_table_association" "this" {
  for_each = local.subnets

  subnet_id      = aws_subnet.this[each.key].id
  route_table_id = aws_route_table.this[each.key].id
}

resource "aws_route" "public" {
  for_each = toset(var.zones)

  route_table_id         = aws_route_table.this["public-${each.key}"].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route" "private" {
  for_each = toset(length(local.gateways) == 0 ? [] : var.zones)

  route_table_id         = aws_route_table.this["private-${each.key}"].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[contains(local.gateways, each.key) ? each.key : local.gateways[0]].id
}
