mock_provider "aws" {
  source = "./aws"
  mock_data "aws_subnet" {
    defaults = { vpc_id = "vpc-1" }
  }
  mock_resource "aws_iam_instance_profile" {
    defaults = { arn = "arn:aws:iam::123456789012:instance-profile/mock" }
  }
}

variables {
  name           = "tidemark-test"
  tags           = { Project = "tidemark" }
  workload       = "shop-gold"
  role           = "tidemark-test-shop-gold"
  release        = "emr-7.9.0"
  subnet         = "subnet-1"
  security_group = "sg-jobs"
  kms_key        = "arn:aws:kms:eu-central-1:123456789012:key/platform"
  artefacts      = "artefacts"
  unpacked       = { "/opt/tidemark" = "s3://artefacts/one/venv.tar.gz" }
  log_uri        = "s3://logs/jobs/"
  standing       = { jobs = 2, idle_minutes = 30 }
}

run "one_that_stands_grows_to_its_limit_and_ends_when_nobody_needs_it" {
  module { source = "../../../infra/terraform/modules/emr-cluster" }

  assert {
    condition     = one(one(aws_emr_managed_scaling_policy.this).compute_limits).maximum_capacity_units == 8 && one(one(aws_emr_managed_scaling_policy.this).compute_limits).minimum_capacity_units == 1
    error_message = "It may grow without end, or keeps more than one node."
  }
  assert {
    condition     = one(aws_emr_cluster.this[0].auto_termination_policy).idle_timeout == 1800 && !aws_emr_cluster.this[0].termination_protection
    error_message = "It costs something for ever."
  }
  assert {
    condition     = aws_emr_cluster.this[0].step_concurrency_level == 2 && one(aws_emr_cluster.this[0].bootstrap_action).args == tolist(["s3://artefacts/one/venv.tar.gz#/opt/tidemark"])
    error_message = "Jobs wait for one another, or nothing lies on the nodes."
  }
}

run "one_for_a_job_is_made_as_the_one_that_stands" {
  module { source = "../../../infra/terraform/modules/emr-cluster" }
  variables { standing = null }

  assert {
    condition     = length(aws_emr_cluster.this) == 0 && output.id == null
    error_message = "One stands that nobody has asked for."
  }
  assert {
    condition     = output.template.ManagedScalingPolicy.ComputeLimits.MaximumCapacityUnits == 8 && output.template.SecurityConfiguration == aws_emr_security_configuration.this.name && contains(output.template.Tags, { Key = "Stack", Value = "tidemark-test" })
    error_message = "It is made otherwise, or the worker may not end it."
  }
}

run "its_nodes_are_a_workloads_and_are_handed_no_other_role" {
  module { source = "../../../infra/terraform/modules/emr-cluster" }

  assert {
    condition     = aws_iam_instance_profile.nodes.role == "tidemark-test-shop-gold" && [for statement in jsondecode(aws_iam_role_policy.service.policy).Statement : statement.Resource if contains(statement.Action, "iam:PassRole")] == [["arn:aws:iam::123456789012:role/tidemark-test-shop-gold"]]
    error_message = "EMR may give its machines other roles."
  }
  assert {
    condition     = jsondecode(aws_emr_security_configuration.this.configuration).EncryptionConfiguration.EnableAtRestEncryption && jsondecode(aws_emr_security_configuration.this.configuration).InstanceMetadataServiceConfiguration.MinimumInstanceMetadataServiceVersion == 2
    error_message = "Disks are plain, or a node tells its keys to whoever asks once."
  }
}

run "nodes_talk_to_one_another_and_to_emr" {
  module { source = "../../../infra/terraform/modules/emr-cluster" }

  assert {
    condition     = toset(keys(aws_vpc_security_group_ingress_rule.this)) == toset(["primary-primary", "primary-core", "core-primary", "core-core", "service-primary", "service-core", "primary-service"]) && alltrue([for rule in aws_vpc_security_group_ingress_rule.this : rule.cidr_ipv4 == null])
    error_message = "Somebody else gets in, or a node is not reached."
  }
  assert {
    condition     = alltrue([for group in aws_security_group.this : group.revoke_rules_on_delete && group.tags["for-use-with-amazon-emr-managed-policies"] == "true"])
    error_message = "EMR may not use the groups, or they stay for ever."
  }
}

run "what_no_job_is_is_refused" {
  command = plan
  module { source = "../../../infra/terraform/modules/emr-cluster" }
  variables { workload = "shop-stream" }
  expect_failures = [var.workload]
}
