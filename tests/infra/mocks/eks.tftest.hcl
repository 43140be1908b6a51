mock_provider "aws" {
  source = "./aws"
  mock_resource "aws_eks_cluster" {
    defaults = {
      arn        = "arn:aws:eks:eu-central-1:123456789012:cluster/mock"
      identity   = [{ oidc = [{ issuer = "https://oidc.eks.eu-central-1.amazonaws.com/id/MOCK" }] }]
      vpc_config = { cluster_security_group_id = "sg-cluster" }
    }
  }
}

variables {
  name    = "tidemark-test"
  tags    = { Project = "tidemark" }
  subnets = ["subnet-1", "subnet-2"]
  admins  = { people = "arn:aws:iam::123456789012:role/people" }
  kms_key = "arn:aws:kms:eu-central-1:123456789012:key/platform"
  node_groups = {
    platform  = { instance_types = ["m6i.large"], least = 2, most = 4, security_group = "sg-platform" }
    streaming = { instance_types = ["m6i.xlarge"], least = 1, most = 3, security_group = "sg-streaming" }
  }
  pod_identities = { "tidemark-stream/shop-stream" = "arn:aws:iam::123456789012:role/shop-stream" }
}

run "the_api_is_not_on_the_internet_and_its_maker_is_no_admin" {
  module { source = "../../../infra/terraform/modules/eks" }

  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_private_access && !aws_eks_cluster.this.vpc_config[0].endpoint_public_access
    error_message = "The API of Kubernetes is reached from the internet."
  }
  assert {
    condition     = aws_eks_cluster.this.access_config[0].authentication_mode == "API" && !aws_eks_cluster.this.access_config[0].bootstrap_cluster_creator_admin_permissions && keys(aws_eks_access_policy_association.admin) == ["people"]
    error_message = "Others than those that are named are admins."
  }
  assert {
    condition     = toset(aws_eks_cluster.this.enabled_cluster_log_types) == toset(["api", "audit", "authenticator", "controllerManager", "scheduler"]) && aws_eks_cluster.this.encryption_config[0].provider[0].key_arn == var.kms_key
    error_message = "What is done in it is not logged, or its secrets are not encrypted by our key."
  }
}

run "a_pod_cannot_take_its_nodes_role" {
  module { source = "../../../infra/terraform/modules/eks" }

  assert {
    condition     = alltrue([for template in aws_launch_template.this : template.metadata_options[0].http_tokens == "required" && template.metadata_options[0].http_put_response_hop_limit == 1])
    error_message = "A pod reaches the node's credentials."
  }
  assert {
    condition     = aws_eks_pod_identity_association.this["tidemark-stream/shop-stream"].namespace == "tidemark-stream" && aws_eks_pod_identity_association.this["tidemark-stream/shop-stream"].service_account == "shop-stream"
    error_message = "A pod has not the role of its service account."
  }
}

run "what_is_not_of_the_platform_asks_for_its_nodes" {
  module { source = "../../../infra/terraform/modules/eks" }

  assert {
    condition     = [for key, group in aws_eks_node_group.this : key if length(group.taint) == 0] == ["platform"]
    error_message = "Other nodes than the platform's take any pod."
  }
  assert {
    condition     = contains(aws_launch_template.this["streaming"].vpc_security_group_ids, "sg-streaming") && !contains(aws_launch_template.this["streaming"].vpc_security_group_ids, "sg-platform")
    error_message = "Nodes for Flink are in another's security group."
  }
}

run "everybody_is_refused" {
  command = plan
  module { source = "../../../infra/terraform/modules/eks" }
  variables { public_from = ["0.0.0.0/0"] }
  expect_failures = [var.public_from]
}
