# MWAA has no image of ours. Before each of its services begins it runs a script of ours, and that puts our packages
# where Python finds them: all in one file, which is named by what is in it. What MWAA lacks besides, it installs itself.
locals {
  folder = "mwaa"
  dags   = "${local.folder}/dags"

  parts = [for part in ["contract", "orchestration"] : "${path.module}/../../../../${part}/src"]
  code  = jsonencode(merge([for part in local.parts : { for file in fileset(part, "**/*.py") : file => file("${part}/${file}") }]...))
}

resource "aws_s3_object" "code" {
  bucket       = var.bucket
  key          = "${local.folder}/code-${substr(sha256(local.code), 0, 16)}.json"
  content      = local.code
  content_type = "application/json"
  tags         = var.tags

  # A worker that begins meanwhile still has the script that names the old one.
  lifecycle { create_before_destroy = true }
}

resource "aws_s3_object" "startup" {
  bucket = var.bucket
  key    = "${local.folder}/startup.sh"
  content = templatefile("${path.module}/startup.sh.tftpl", {
    bucket   = var.bucket
    code     = aws_s3_object.code.key
    settings = var.environment
  })
  tags = var.tags
}

# MWAA itself says by its constraints which versions.
resource "aws_s3_object" "requirements" {
  bucket  = var.bucket
  key     = "${local.folder}/requirements.txt"
  content = "# Large results of tasks go to S3 by it.\ns3fs\n"
  tags    = var.tags
}
