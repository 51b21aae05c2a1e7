# An internal load balancer with every kind of condition and most kinds of actions, an HTTPS listener
# whose rule lets clients log in, target groups, and the data sources that find them. The provider has
# the `endpoints` and `skip_…` settings that people use with local endpoints.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 5.100" }
  }
}

variable "region" {
  type = string
}

variable "endpoint" {
  type = string
}

# A certificate and its key, PEM.
variable "certificate" {
  type = list(string)
}

variable "change" {
  type    = bool
  default = false
}

provider "aws" {
  region                      = var.region
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  skip_region_validation      = true
  endpoints {
    acm   = var.endpoint
    ec2   = var.endpoint
    elbv2 = var.endpoint
    iam   = var.endpoint
    sts   = var.endpoint
  }
}

data "aws_availability_zones" "available" {}

resource "aws_vpc" "main" {
  cidr_block = "127.31.0.0/16"
}

resource "aws_subnet" "main" {
  count             = 3
  vpc_id            = aws_vpc.main.id
  cidr_block        = "127.31.${count.index}.0/24"
  availability_zone = data.aws_availability_zones.available.names[count.index]
}

resource "aws_security_group" "balancer" {
  count  = 2
  name   = "balancer-${count.index}"
  vpc_id = aws_vpc.main.id
  ingress {
    protocol    = "tcp"
    from_port   = 18000
    to_port     = 18999
    cidr_blocks = ["127.0.0.0/8"]
  }
  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_lb" "main" {
  name                       = "balancer"
  internal                   = true
  load_balancer_type         = "application"
  security_groups            = slice(aws_security_group.balancer[*].id, 0, var.change ? 2 : 1)
  subnets                    = slice(aws_subnet.main[*].id, 0, var.change ? 3 : 2)
  idle_timeout               = var.change ? 30 : 60
  client_keep_alive          = var.change ? 600 : 3600
  drop_invalid_header_fields = var.change
  preserve_host_header       = var.change
  xff_header_processing_mode = var.change ? "preserve" : "append"
  desync_mitigation_mode     = var.change ? "strictest" : "defensive"
  enable_http2               = !var.change
  tags                       = var.change ? { Name = "two" } : { Name = "one", old = "" }
}

resource "aws_lb_target_group" "blue" {
  name                          = "blue"
  port                          = 8080
  protocol                      = "HTTP"
  vpc_id                        = aws_vpc.main.id
  target_type                   = "ip"
  deregistration_delay          = var.change ? 0 : 5
  slow_start                    = var.change ? 30 : 0
  load_balancing_algorithm_type = "round_robin"
  health_check {
    path                = var.change ? "/ready" : "/health"
    port                = var.change ? "9000" : "traffic-port"
    interval            = var.change ? 10 : 5
    timeout             = 2
    healthy_threshold   = var.change ? 3 : 2
    unhealthy_threshold = 2
    matcher             = var.change ? "200-299" : "200"
  }
  stickiness {
    type            = var.change ? "app_cookie" : "lb_cookie"
    cookie_name     = var.change ? "session" : null
    cookie_duration = 600
    enabled         = var.change
  }
  tags = { Name = var.change ? "blue-2" : "blue" }
}

resource "aws_lb_target_group" "green" {
  name_prefix          = "green-"
  port                 = 8081
  protocol             = "HTTP"
  vpc_id               = aws_vpc.main.id
  target_type          = "ip"
  deregistration_delay = 0
  target_group_health {
    dns_failover {
      minimum_healthy_targets_count = var.change ? "2" : "1"
    }
    unhealthy_state_routing {
      minimum_healthy_targets_percentage = var.change ? "50" : "off"
    }
  }
}

# Nothing but what is required: the rest must come back as AWS's defaults.
resource "aws_lb_target_group" "plain" {
  port     = 80
  protocol = "HTTP"
  vpc_id   = aws_vpc.main.id
}

resource "aws_lb_target_group_attachment" "blue" {
  count            = 2
  target_group_arn = aws_lb_target_group.blue.arn
  target_id        = "127.31.${count.index}.50"
  port             = var.change ? null : 9000 + count.index
}

resource "aws_lb_target_group_attachment" "green" {
  target_group_arn  = aws_lb_target_group.green.arn
  target_id         = "10.99.0.1"
  availability_zone = "all"
}

resource "aws_lb_listener" "http" {
  load_balancer_arn                    = aws_lb.main.arn
  port                                 = 18080
  protocol                             = "HTTP"
  routing_http_response_server_enabled = !var.change
  default_action {
    type             = "forward"
    target_group_arn = var.change ? aws_lb_target_group.green.arn : aws_lb_target_group.blue.arn
  }
  tags = { Name = var.change ? "http-2" : "http" }
}

resource "aws_lb_listener" "weighted" {
  load_balancer_arn = aws_lb.main.arn
  port              = var.change ? 18082 : 18081
  protocol          = "HTTP"
  default_action {
    type = "forward"
    forward {
      target_group {
        arn    = aws_lb_target_group.blue.arn
        weight = var.change ? 5 : 90
      }
      target_group {
        arn    = aws_lb_target_group.green.arn
        weight = 10
      }
      stickiness {
        enabled  = true
        duration = var.change ? 120 : 60
      }
    }
  }
}

resource "aws_lb_listener" "fixed" {
  load_balancer_arn = aws_lb.main.arn
  port              = 18090
  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      message_body = var.change ? "gone" : "nothing here"
      status_code  = var.change ? "410" : "404"
    }
  }
}

resource "aws_lb_listener" "redirect" {
  load_balancer_arn = aws_lb.main.arn
  port              = 18091
  default_action {
    type = "redirect"
    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = var.change ? "HTTP_302" : "HTTP_301"
    }
  }
}

resource "aws_lb_listener_rule" "path" {
  listener_arn = aws_lb_listener.http.arn
  priority     = var.change ? 15 : 10
  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.green.arn
  }
  condition {
    path_pattern {
      values = var.change ? ["/api/*", "/v2/*"] : ["/api/*"]
    }
  }
  condition {
    http_request_method {
      values = ["GET", "HEAD"]
    }
  }
  tags = { Name = var.change ? "path-2" : "path" }
}

resource "aws_lb_listener_rule" "host" {
  listener_arn = aws_lb_listener.http.arn
  priority     = 20
  action {
    type = "redirect"
    redirect {
      host        = var.change ? "new.example.com" : "www.example.com"
      path        = "/moved/#{path}"
      query       = "from=#{host}&#{query}"
      status_code = "HTTP_302"
    }
  }
  condition {
    host_header {
      values = var.change ? ["old.example.com"] : ["*.example.com", "example.com"]
    }
  }
}

resource "aws_lb_listener_rule" "header_and_query" {
  listener_arn = aws_lb_listener.http.arn
  priority     = 30
  action {
    type = "fixed-response"
    fixed_response {
      content_type = "application/json"
      message_body = jsonencode({ changed = var.change })
      status_code  = "200"
    }
  }
  condition {
    http_header {
      http_header_name = "X-Version"
      values           = var.change ? ["2.*"] : ["1.*", "1"]
    }
  }
  condition {
    query_string {
      key   = "mode"
      value = var.change ? "off" : "on"
    }
    query_string {
      value = "any*"
    }
  }
}

resource "aws_lb_listener_rule" "source" {
  listener_arn = aws_lb_listener.http.arn
  action {
    type = "forward"
    forward {
      target_group {
        arn    = aws_lb_target_group.blue.arn
        weight = var.change ? 1 : 2
      }
      target_group {
        arn    = aws_lb_target_group.green.arn
        weight = 1
      }
      stickiness {
        enabled  = true
        duration = var.change ? 600 : 300
      }
    }
  }
  condition {
    source_ip {
      values = var.change ? ["127.31.0.0/16"] : ["127.31.0.0/16", "10.0.0.0/8"]
    }
  }
  # Its priority is the next free one, so it must come after the others.
  depends_on = [
    aws_lb_listener_rule.path, aws_lb_listener_rule.host, aws_lb_listener_rule.header_and_query
  ]
}

resource "aws_acm_certificate" "own" {
  certificate_body = var.certificate[0]
  private_key      = var.certificate[1]
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.main.arn
  port              = 18443
  protocol          = "HTTPS"
  certificate_arn   = aws_acm_certificate.own.arn
  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      status_code  = "404"
    }
  }
}

resource "aws_lb_listener_rule" "login" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 1
  action {
    type = "authenticate-oidc"
    authenticate_oidc {
      issuer                              = "https://idp.example.com"
      authorization_endpoint              = "https://idp.example.com/authorize"
      token_endpoint                      = "https://idp.example.com/token"
      user_info_endpoint                  = "https://idp.example.com/me"
      client_id                           = "client"
      client_secret                       = "secret"
      scope                               = var.change ? "openid email" : null
      session_timeout                     = var.change ? 3600 : null
      on_unauthenticated_request          = var.change ? "deny" : null
      authentication_request_extra_params = var.change ? { prompt = "login" } : null
    }
  }
  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.blue.arn
  }
  condition {
    path_pattern {
      values = ["/in/*"]
    }
  }
}

resource "aws_lb_listener_rule" "pool" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 2
  action {
    type = "authenticate-cognito"
    authenticate_cognito {
      user_pool_arn       = "arn:aws:cognito-idp:${var.region}:000000000000:userpool/${var.region}_a"
      user_pool_client_id = "client"
      user_pool_domain    = var.change ? "login.example.com" : "login"
    }
  }
  action {
    type = "redirect"
    redirect {
      path        = "/home"
      status_code = "HTTP_302"
    }
  }
  condition {
    path_pattern {
      values = ["/pool/*"]
    }
  }
}

data "aws_lb" "by_name" {
  name       = aws_lb.main.name
  depends_on = [aws_lb.main]
}

data "aws_lb" "by_arn" {
  arn = aws_lb.main.arn
}

data "aws_lbs" "all" {
  depends_on = [aws_lb.main]
}

data "aws_lb_listener" "by_port" {
  load_balancer_arn = aws_lb.main.arn
  port              = aws_lb_listener.http.port
}

data "aws_lb_listener" "by_arn" {
  arn = aws_lb_listener.weighted.arn
}

data "aws_lb_listener_rule" "path" {
  arn = aws_lb_listener_rule.path.arn
}

data "aws_lb_target_group" "by_name" {
  name = aws_lb_target_group.blue.name
}

data "aws_lb_target_group" "by_arn" {
  arn = aws_lb_target_group.green.arn
}

output "facts" {
  value = {
    balancers = [data.aws_lb.by_name.arn, data.aws_lb.by_arn.arn, one(data.aws_lbs.all.arns)]
    dns_name  = data.aws_lb.by_name.dns_name
    zone      = aws_lb.main.zone_id
    listeners = [data.aws_lb_listener.by_port.arn, aws_lb_listener.http.arn]
    suffix    = aws_lb_target_group.blue.arn_suffix
    path      = data.aws_lb_target_group.by_name.health_check[0].path
    priority  = data.aws_lb_listener_rule.path.priority
    last      = aws_lb_listener_rule.source.priority
  }
}
