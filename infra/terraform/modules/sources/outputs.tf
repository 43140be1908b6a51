output "readers" {
  description = "ARNs of the policies that let one read a source's tables, by source."
  value = { for source in keys(var.sources) : source => [
    for key, policy in aws_iam_policy.read : policy.arn if local.portions[key].source == source
  ] }
}
