# A database per layer and source. They hold no tables: a reader opens a source by its mark, and the newest version of a
# Delta table may be in the middle of one.
locals {
  databases = { for pair in setproduct(["silver", "history", "gold"], var.sources) :
    "${pair[0]}_${pair[1]}" => { layer = pair[0], source = pair[1] }
  }
}

resource "aws_glue_catalog_database" "this" {
  for_each = local.databases

  name         = replace("${var.name}_${each.key}", "-", "_")
  description  = "${each.value.layer} of ${each.value.source}: open by mark"
  location_uri = "s3://${aws_s3_bucket.this["lake"].id}/${each.value.layer}/${each.value.source}"
  tags         = var.tags
}

resource "aws_lakeformation_lf_tag" "layer" {
  count = var.lake_formation ? 1 : 0

  key    = "${var.name}-layer"
  values = ["silver", "history", "gold"]
}

resource "aws_lakeformation_lf_tag" "source" {
  count = var.lake_formation && length(var.sources) > 0 ? 1 : 0

  key    = "${var.name}-source"
  values = var.sources
}

resource "aws_lakeformation_resource_lf_tags" "this" {
  for_each = var.lake_formation ? local.databases : {}

  database { name = aws_glue_catalog_database.this[each.key].name }

  lf_tag {
    key   = aws_lakeformation_lf_tag.layer[0].key
    value = each.value.layer
  }
  lf_tag {
    key   = aws_lakeformation_lf_tag.source[0].key
    value = each.value.source
  }
}
