mock_provider "aws" { source = "./aws" }

variables {
  name           = "tidemark-test"
  tags           = { Project = "tidemark" }
  purpose        = "shop"
  subnets        = ["subnet-1", "subnet-2"]
  security_group = "sg-1"
  kms_key        = "arn:aws:kms:eu-central-1:123456789012:key/platform"
  logical        = { slots = 10, keep_gb = 50 }
}

run "nobody_types_a_password_and_nothing_is_public" {
  module { source = "../../../infra/terraform/modules/postgres" }

  assert {
    condition     = aws_db_instance.this.manage_master_user_password && aws_db_instance.this.password == null
    error_message = "The password is not RDS's own."
  }
  assert {
    condition     = !aws_db_instance.this.publicly_accessible && aws_db_instance.this.storage_encrypted
    error_message = "It is public, or not encrypted."
  }
}

run "it_survives_a_zone_and_a_mistake" {
  module { source = "../../../infra/terraform/modules/postgres" }

  assert {
    condition     = aws_db_instance.this.multi_az && aws_db_instance.this.backup_retention_period == 14 && aws_db_instance.this.deletion_protection && !aws_db_instance.this.skip_final_snapshot
    error_message = "It has no second zone, no backups of two weeks, or can be destroyed without a trace."
  }
}

run "a_source_has_what_a_slot_needs" {
  module { source = "../../../infra/terraform/modules/postgres" }

  assert {
    condition = { for parameter in aws_db_parameter_group.this.parameter : parameter.name => parameter.value if !startswith(parameter.name, "log_") } == {
      "rds.force_ssl"          = "1", "rds.logical_replication" = "1", max_replication_slots = "10", max_wal_senders = "15"
      "max_slot_wal_keep_size" = "51200"
    }
    error_message = "The parameters are not those that logical replication needs."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["slot"].threshold == 25 * 1024 * 1024 * 1024
    error_message = "Nobody is told before a slot is lost."
  }
}

run "airflows_database_has_no_logical_replication" {
  module { source = "../../../infra/terraform/modules/postgres" }
  variables {
    purpose = "metadata"
    logical = null
  }

  assert {
    condition     = !contains([for parameter in aws_db_parameter_group.this.parameter : parameter.name], "rds.logical_replication") && toset(keys(aws_cloudwatch_metric_alarm.this)) == toset(["storage", "cpu"])
    error_message = "It has settings of a source."
  }
}

run "a_version_at_its_end_is_refused" {
  command = plan
  module { source = "../../../infra/terraform/modules/postgres" }
  variables { engine_version = "13" }
  expect_failures = [var.engine_version]
}
