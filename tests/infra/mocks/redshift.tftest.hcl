mock_provider "aws" {
  source = "./aws"
  mock_resource "aws_redshiftserverless_workgroup" {
    defaults = {
      arn      = "arn:aws:redshift-serverless:eu-central-1:123456789012:workgroup/mock"
      endpoint = [{ address = "mock.eu-central-1.redshift-serverless.amazonaws.com", port = 5439, vpc_endpoint = [] }]
    }
  }
}

variables {
  name           = "tidemark-test"
  tags           = { Project = "tidemark" }
  sources        = ["shop", "billing"]
  lake           = { arn = "arn:aws:s3:::lake", kms_key = "arn:aws:kms:eu-central-1:123456789012:key/lake" }
  subnets        = ["subnet-1", "subnet-2", "subnet-3"]
  security_group = "sg-warehouse"
  readers        = { bi = "sg-bi" }
  kms_key        = "arn:aws:kms:eu-central-1:123456789012:key/platform"
}

run "it_reads_gold_and_nothing_else" {
  module { source = "../../../infra/terraform/modules/redshift" }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.reader.policy).Statement : statement.Resource if contains(statement.Action, "s3:GetObject")] == [["arn:aws:s3:::lake/gold/billing/*", "arn:aws:s3:::lake/gold/shop/*"]]
    error_message = "It reads something else."
  }
  assert {
    condition     = toset(flatten([for statement in jsondecode(aws_iam_role_policy.reader.policy).Statement : statement.Action])) == toset(["s3:ListBucket", "s3:GetObject", "kms:Decrypt"])
    error_message = "It does more than to read."
  }
}

run "it_is_reached_from_the_network_by_those_who_are_named" {
  module { source = "../../../infra/terraform/modules/redshift" }

  assert {
    condition     = !aws_redshiftserverless_workgroup.this.publicly_accessible && aws_redshiftserverless_workgroup.this.enhanced_vpc_routing
    error_message = "It can be reached, or reads, past the network."
  }
  assert {
    condition     = { for name, rule in aws_vpc_security_group_ingress_rule.readers : name => rule.referenced_security_group_id } == { bi = "sg-bi" }
    error_message = "Others may connect."
  }
  assert {
    condition     = contains([for setting in aws_redshiftserverless_workgroup.this.config_parameter : "${setting.parameter_key}=${setting.parameter_value}"], "require_ssl=true")
    error_message = "It answers without TLS."
  }
}

run "its_owners_password_is_nobodys_and_its_cost_has_an_end" {
  module { source = "../../../infra/terraform/modules/redshift" }

  assert {
    condition     = aws_redshiftserverless_namespace.this.manage_admin_password && aws_redshiftserverless_namespace.this.admin_user_password == null
    error_message = "A password stands in the state."
  }
  assert {
    condition     = aws_redshiftserverless_usage_limit.this.breach_action == "deactivate" && aws_redshiftserverless_workgroup.this.max_capacity == 16
    error_message = "It may cost anything."
  }
}
