output "groups" {
  description = "The group's name by ours."
  value       = { for key, group in aws_iam_group.this : key => group.name }
}
