output "tidemark" {
  description = "What whoever deploys has to know."
  value       = module.tidemark
}
