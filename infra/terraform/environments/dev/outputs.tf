output "tidemark" {
  description = "What whoever deploys has to know."
  value       = module.tidemark
}

# Images are pushed before the rest is made: of it nothing else is known then.
output "registries" {
  description = "Where images are pushed to."
  value       = { region = var.region, images = module.tidemark.images }
}
