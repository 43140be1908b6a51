mock_provider "aws" {
  source = "./aws"
  mock_resource "aws_lb" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/mock/0123456789abcdef", dns_name = "mock.elb.amazonaws.com", zone_id = "Z1" }
  }
  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/mock/0123456789abcdef" }
  }
  mock_resource "aws_wafv2_web_acl" {
    defaults = { arn = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/mock/0b8d5c62-0000-4000-8000-000000000000" }
  }
  mock_resource "aws_acm_certificate_validation" {
    defaults = { certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/mock" }
  }
  mock_resource "aws_acm_certificate" {
    defaults = {
      arn                       = "arn:aws:acm:eu-central-1:123456789012:certificate/mock"
      domain_validation_options = [{ domain_name = "airflow.example.org", resource_record_name = "_x.airflow.example.org", resource_record_type = "CNAME", resource_record_value = "_y.acm-validations.aws" }]
    }
  }
}

variables {
  name           = "tidemark-test"
  tags           = { Project = "tidemark" }
  domain         = "airflow.example.org"
  vpc_id         = "vpc-1"
  subnets        = ["subnet-1", "subnet-2"]
  security_group = "sg-balancer"
  log_bucket     = "access"
  internal_names = { airflow-db = "mock.rds.amazonaws.com" }
}

run "only_tls_of_today_comes_through" {
  module { source = "../../../infra/terraform/modules/edge" }

  assert {
    condition     = aws_lb_listener.https.ssl_policy == "ELBSecurityPolicy-TLS13-1-3-2021-06" && aws_lb_listener.http.default_action[0].type == "redirect"
    error_message = "The pages are read on the way."
  }
  assert {
    condition     = aws_lb.this.access_logs[0].enabled && aws_lb.this.drop_invalid_header_fields && aws_lb.this.enable_deletion_protection
    error_message = "Nobody knows who has asked, or the balancer goes by mistake."
  }
}

run "one_address_does_not_take_all" {
  module { source = "../../../infra/terraform/modules/edge" }

  assert {
    condition     = [for rule in aws_wafv2_web_acl.this.rule : rule.statement[0].rate_based_statement[0].limit if rule.name == "TooManyOfOneAddress"] == [2000] && length(aws_wafv2_web_acl.this.rule) == 4
    error_message = "There is no limit, or one of AWS's lists is not asked."
  }
}

run "names_of_the_network_are_the_networks" {
  module { source = "../../../infra/terraform/modules/edge" }

  assert {
    condition     = aws_route53_record.private["airflow-db"].name == "airflow-db.tidemark-test.private" && one(aws_route53_zone.private.vpc).vpc_id == "vpc-1"
    error_message = "A name of the network is everybody's."
  }
}
