# The public name with its certificate, and names that only the network knows.
resource "aws_route53_zone" "public" {
  #checkov:skip=CKV2_AWS_38: DNSSEC needs a key in us-east-1 and the registrar's hand; a wrong turn takes the name away for a day (2026-11-26)
  #checkov:skip=CKV2_AWS_39: Who asks for the name of a login page is told by the balancer's own log (2026-11-26)
  name = var.domain
  tags = var.tags
}

resource "aws_route53_record" "pages" {
  zone_id = aws_route53_zone.public.zone_id
  name    = var.domain
  type    = "A"
  alias {
    name                   = aws_lb.this.dns_name
    zone_id                = aws_lb.this.zone_id
    evaluate_target_health = true
  }
}

resource "aws_acm_certificate" "this" {
  domain_name       = var.domain
  validation_method = "DNS"
  tags              = merge(var.tags, { Name = var.domain })

  lifecycle { create_before_destroy = true }
}

resource "aws_route53_record" "proof" {
  zone_id         = aws_route53_zone.public.zone_id
  name            = one(aws_acm_certificate.this.domain_validation_options).resource_record_name
  type            = one(aws_acm_certificate.this.domain_validation_options).resource_record_type
  records         = [one(aws_acm_certificate.this.domain_validation_options).resource_record_value]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "this" {
  certificate_arn         = aws_acm_certificate.this.arn
  validation_record_fqdns = [aws_route53_record.proof.fqdn]
}

resource "aws_route53_zone" "private" {
  name = "${var.name}.private"
  tags = var.tags
  vpc { vpc_id = var.vpc_id }
}

resource "aws_route53_record" "private" {
  for_each = var.internal_names

  zone_id = aws_route53_zone.private.zone_id
  name    = "${each.key}.${var.name}.private"
  type    = "CNAME"
  records = [each.value]
  ttl     = 60
}
