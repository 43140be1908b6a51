"""One command from a checkout to a stack that runs: Terraform, images, charts, DAG files, and a proof at the end."""
