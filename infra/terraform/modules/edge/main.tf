# How people reach Airflow's pages: TLS 1.3 from the internet, past a firewall, to whatever serves them.
resource "aws_lb" "this" {
  #checkov:skip=CKV_AWS_150: it is protected unless the stack is one that comes and goes (2026-11-26)
  #checkov:skip=CKV2_AWS_76: KnownBadInputs has the rule for Log4j; the scanner does not follow local.lists (2026-11-26)
  name                       = var.name
  load_balancer_type         = "application"
  internal                   = false
  subnets                    = var.subnets
  security_groups            = [var.security_group]
  drop_invalid_header_fields = true
  enable_deletion_protection = var.protect
  tags                       = merge(var.tags, { Name = var.name })

  access_logs {
    bucket  = var.log_bucket
    prefix  = "balancer"
    enabled = true
  }
}

resource "aws_lb_target_group" "this" {
  #checkov:skip=CKV_AWS_378: Within the network, from the balancer to the pages alone, it is plain HTTP: matrix.yaml (2026-11-26)
  name        = "${var.name}-pages"
  target_type = "ip"
  port        = 8080
  protocol    = "HTTP"
  vpc_id      = var.vpc_id
  tags        = var.tags

  # Whether the server answers. How all components are is in the text, which a balancer does not read.
  health_check {
    path                = "/api/v2/monitor/health"
    matcher             = "200"
    interval            = 30
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-3-2021-06"
  certificate_arn   = aws_acm_certificate_validation.this.certificate_arn
  tags              = var.tags

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"
  tags              = var.tags

  default_action {
    type = "redirect"
    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}
