output "vpc_id" {
  description = "The network."
  value       = aws_vpc.this.id
}

output "subnets" {
  description = "Ids of the subnets by tier: public, private, data."
  value       = { for tier in keys(local.tiers) : tier => [for zone in var.zones : aws_subnet.this["${tier}-${zone}"].id] }
}

output "security_groups" {
  description = "Id of the security group by name, as in matrix.yaml."
  value       = { for name, group in aws_security_group.this : name => group.id }
}
