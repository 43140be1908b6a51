mock_provider "aws" { source = "./aws" }

variables {
  name     = "tidemark-test"
  tags     = { Project = "tidemark" }
  sources  = ["shop", "billing"]
  buckets  = { lake = "arn:aws:s3:::lake", checkpoints = "arn:aws:s3:::checkpoints", logs = "arn:aws:s3:::logs", dags = "arn:aws:s3:::dags", xcom = "arn:aws:s3:::xcom", artefacts = "arn:aws:s3:::artefacts" }
  kms_keys = { lake = "arn:aws:kms:eu-central-1:123456789012:key/lake", platform = "arn:aws:kms:eu-central-1:123456789012:key/platform" }
  eks      = { name = "tidemark-test", oidc_arn = "arn:aws:iam::123456789012:oidc-provider/oidc.eks/id/MOCK", oidc_issuer = "oidc.eks/id/MOCK", jobs_namespace = "tidemark-jobs" }
}

run "there_is_a_role_for_each_workload_of_each_source" {
  module { source = "../../../infra/terraform/modules/workloads" }

  assert {
    condition     = toset([for key in keys(output.arns) : key if !startswith(key, "airflow-")]) == toset([for pair in setproduct(var.sources, ["stream", "mirror", "gold", "maintain", "erase"]) : "${pair[0]}-${pair[1]}"])
    error_message = "The roles are not those of the sources."
  }
  assert {
    condition     = alltrue([for key, policy in aws_iam_role_policy.this : length(policy.policy) < 10240])
    error_message = "A policy is longer than IAM takes."
  }
}

run "no_role_of_a_source_names_another" {
  module { source = "../../../infra/terraform/modules/workloads" }

  assert {
    condition     = alltrue([for key, policy in aws_iam_role_policy.this : !strcontains(policy.policy, startswith(key, "shop-") ? "billing" : "shop") if !startswith(key, "airflow-")])
    error_message = "A role of a source may do something with another."
  }
}

run "nobody_takes_a_role_from_anywhere" {
  module { source = "../../../infra/terraform/modules/workloads" }

  assert {
    condition     = alltrue(flatten([for role in aws_iam_role.this : [for trust in jsondecode(role.assume_role_policy).Statement : can(trust.Condition.StringEquals)]]))
    error_message = "A role is given to whoever asks a service for it."
  }
}

run "no_policy_allows_everything_of_a_service" {
  module { source = "../../../infra/terraform/modules/workloads" }

  assert {
    condition = alltrue(flatten([for policy in aws_iam_role_policy.this : [for statement in jsondecode(policy.policy).Statement :
    alltrue([for action in statement.Action : !strcontains(action, "*")]) && (!contains(statement.Resource, "*") || statement.Sid == "CountWorkers")]]))
    error_message = "A statement has * for an action or for all resources."
  }
}

run "nodes_of_emr_take_the_role_of_their_workload_and_no_other" {
  module { source = "../../../infra/terraform/modules/workloads" }
  variables { emr_clusters = ["shop-gold"] }

  assert {
    condition     = [for key, role in aws_iam_role.this : key if strcontains(role.assume_role_policy, "ec2.amazonaws.com")] == ["shop-gold"]
    error_message = "Machines take roles that nobody has given them."
  }
  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.this["airflow-worker"].policy).Statement : statement.Resource if statement.Sid == "HandRolesToNodes"] == [["arn:aws:iam::123456789012:role/tidemark-test-shop-gold"]]
    error_message = "A worker hands machines other roles, or none."
  }
  assert {
    condition     = alltrue([for statement in jsondecode(aws_iam_role_policy.this["airflow-worker"].policy).Statement : can(statement.Condition) if contains(["MakeClusters", "TagClusters", "UseClusters", "WaitClusters"], statement.Sid)])
    error_message = "A worker may make or use clusters of others."
  }
  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.this["airflow-triggerer"].policy).Statement : statement.Condition if strcontains(statement.Sid, "Clusters")] == [{ StringEquals = { "elasticmapreduce:ResourceTag/Stack" = var.name } }]
    error_message = "The triggerer does not see the jobs that it waits for, may do more, or sees those of others."
  }
}

run "where_aws_runs_airflow_its_environment_takes_one_role_and_nobody_else_does" {
  module { source = "../../../infra/terraform/modules/workloads" }
  variables {
    mwaa           = true
    emr_serverless = { arn = "arn:aws:emr-serverless:eu-central-1:123456789012:/applications/00application" }
  }

  assert {
    condition     = toset([for key in keys(output.arns) : key if startswith(key, "airflow-")]) == toset(["airflow-mwaa", "airflow-secrets"])
    error_message = "Services of ours that do not run there have roles, or MWAA has none."
  }
  assert {
    condition = jsondecode(aws_iam_role.this["airflow-mwaa"].assume_role_policy).Statement == [{
      Sid       = "Mwaa", Effect = "Allow", Action = ["sts:AssumeRole"]
      Principal = { Service = ["airflow.amazonaws.com", "airflow-env.amazonaws.com"] }
      Condition = {
        StringEquals = { "aws:SourceAccount" = "123456789012" }
        ArnLike      = { "aws:SourceArn" = "arn:aws:airflow:eu-central-1:123456789012:environment/tidemark-test" }
      }
    }]
    error_message = "Others than our environment take its role."
  }
  assert {
    condition     = [for account in keys(output.service_accounts) : account if startswith(account, "airflow/")] == []
    error_message = "A pod takes the role of MWAA."
  }
  assert {
    condition = alltrue([for sid in ["TellHowItIs", "ReadDags", "LookAround", "Log", "Queue", "KeyOfQueueAndDags", "StartServerless", "WaitServerless", "HandRolesToServerless", "Secrets"] :
    contains([for statement in jsondecode(aws_iam_role_policy.this["airflow-mwaa"].policy).Statement : statement.Sid], sid)])
    error_message = "It may not do what MWAA asks for, or what our tasks do."
  }
  assert {
    condition = alltrue([for statement in jsondecode(aws_iam_role_policy.this["airflow-mwaa"].policy).Statement :
    alltrue([for action in statement.Action : !strcontains(action, "*") || statement.Sid == "ReadDags" || action == "kms:GenerateDataKey*"]) && (!contains(statement.Resource, "*") || statement.Sid == "LookAround")])
    error_message = "It may do more than MWAA asks for."
  }
  assert {
    condition     = length(aws_iam_role_policy.this["airflow-mwaa"].policy) < 10240
    error_message = "A policy is longer than IAM takes."
  }
}

run "a_source_whose_roles_would_have_too_long_names_is_refused_before_anything_is_made" {
  command = plan
  module { source = "../../../infra/terraform/modules/workloads" }
  variables { sources = ["shop", "a_source_with_a_name_that_goes_on_for_ever"] }
  expect_failures = [var.sources]
}
