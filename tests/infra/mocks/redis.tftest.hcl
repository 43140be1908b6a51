mock_provider "aws" { source = "./aws" }

variables {
  name           = "tidemark-test"
  tags           = { Project = "tidemark" }
  subnets        = ["subnet-1", "subnet-2"]
  security_group = "sg-queue"
  kms_key        = "arn:aws:kms:eu-central-1:123456789012:key/platform"
}

run "what_is_queued_is_not_thrown_away_and_is_read_by_nobody" {
  module { source = "../../../infra/terraform/modules/redis" }

  assert {
    condition     = one(aws_elasticache_parameter_group.this.parameter).value == "noeviction"
    error_message = "A full queue forgets tasks."
  }
  assert {
    condition     = aws_elasticache_replication_group.this.transit_encryption_enabled && aws_elasticache_replication_group.this.kms_key_id == var.kms_key && startswith(output.url, "rediss://")
    error_message = "The queue is read on the way, or where it lies."
  }
}

run "a_node_that_is_lost_is_stood_in_for" {
  module { source = "../../../infra/terraform/modules/redis" }

  assert {
    condition     = aws_elasticache_replication_group.this.automatic_failover_enabled && aws_elasticache_replication_group.this.multi_az_enabled && aws_elasticache_replication_group.this.num_cache_clusters == 2
    error_message = "There is one node, or both are in a zone."
  }
}
