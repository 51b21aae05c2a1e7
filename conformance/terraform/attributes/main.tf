# Every attribute of application load balancers, HTTP listeners and their target groups that the
# provider can set, each with another value after the change, and the data sources that read them.
# What needs certificates, buckets or functions is left out.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 5.100" }
  }
}

variable "region" {
  type = string
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
}

data "aws_availability_zones" "available" {}

resource "aws_vpc" "main" {
  cidr_block = "127.32.0.0/16"
}

resource "aws_subnet" "main" {
  count             = 2
  vpc_id            = aws_vpc.main.id
  cidr_block        = "127.32.${count.index}.0/24"
  availability_zone = data.aws_availability_zones.available.names[count.index]
}

resource "aws_lb" "all" {
  name                                        = "attributes"
  internal                                    = true
  load_balancer_type                          = "application"
  ip_address_type                             = "ipv4"
  client_keep_alive                           = var.change ? 604800 : 60
  desync_mitigation_mode                      = var.change ? "monitor" : "strictest"
  drop_invalid_header_fields                  = !var.change
  enable_cross_zone_load_balancing            = true
  enable_deletion_protection                  = false
  enable_http2                                = var.change
  enable_tls_version_and_cipher_suite_headers = !var.change
  enable_waf_fail_open                        = !var.change
  enable_xff_client_port                      = !var.change
  enable_zonal_shift                          = !var.change
  idle_timeout                                = var.change ? 4000 : 1
  preserve_host_header                        = !var.change
  xff_header_processing_mode                  = var.change ? "append" : "remove"
  minimum_load_balancer_capacity {
    capacity_units = var.change ? 15000 : 100
  }
  dynamic "subnet_mapping" {
    for_each = aws_subnet.main
    content {
      subnet_id = subnet_mapping.value.id
    }
  }
}

# Only the change sets something.
resource "aws_lb" "later" {
  name_prefix        = "late-"
  internal           = true
  subnets            = aws_subnet.main[*].id
  idle_timeout       = var.change ? 61 : null
  enable_zonal_shift = var.change ? true : null
  dynamic "minimum_load_balancer_capacity" {
    for_each = var.change ? [200] : []
    content {
      capacity_units = minimum_load_balancer_capacity.value
    }
  }
}

locals {
  origin  = var.change ? "https://b.example" : "https://a.example"
  methods = var.change ? "GET" : "GET,POST,OPTIONS"
  policy  = var.change ? "default-src 'none'" : "default-src 'self'; img-src *"
}

resource "aws_lb_listener" "headers" {
  load_balancer_arn = aws_lb.all.arn
  port              = 18100
  protocol          = "HTTP"

  routing_http_response_access_control_allow_credentials_header_value = "true"
  routing_http_response_access_control_allow_headers_header_value     = local.methods
  routing_http_response_access_control_allow_methods_header_value     = local.methods
  routing_http_response_access_control_allow_origin_header_value      = local.origin
  routing_http_response_access_control_expose_headers_header_value    = local.methods
  routing_http_response_access_control_max_age_header_value           = var.change ? "1" : "600"
  routing_http_response_content_security_policy_header_value          = local.policy
  routing_http_response_server_enabled                                = var.change
  routing_http_response_x_content_type_options_header_value           = "nosniff"
  routing_http_response_x_frame_options_header_value = (
    var.change ? "SAMEORIGIN" : "DENY"
  )
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.all["random"].arn
  }
}

locals {
  groups = {
    random = {
      algorithm  = ["weighted_random", "round_robin"]
      mitigation = ["on", "off"]
    }
    least = {
      algorithm  = ["least_outstanding_requests", "weighted_random"]
      mitigation = ["off", "on"]
    }
    turns = {
      algorithm  = ["round_robin", "least_outstanding_requests"]
      mitigation = ["off", "off"]
    }
  }
  after = var.change ? 1 : 0
}

resource "aws_lb_target_group" "all" {
  for_each                          = local.groups
  name                              = each.key
  port                              = 8080
  protocol                          = "HTTP"
  protocol_version                  = "HTTP1"
  ip_address_type                   = "ipv4"
  target_type                       = "ip"
  vpc_id                            = aws_vpc.main.id
  deregistration_delay              = var.change ? 3600 : 0
  load_balancing_algorithm_type     = each.value.algorithm[local.after]
  load_balancing_anomaly_mitigation = each.value.mitigation[local.after]
  load_balancing_cross_zone_enabled = var.change ? "use_load_balancer_configuration" : "true"
  target_group_health {
    dns_failover {
      minimum_healthy_targets_count      = var.change ? "off" : "3"
      minimum_healthy_targets_percentage = var.change ? "off" : "60"
    }
    unhealthy_state_routing {
      minimum_healthy_targets_count      = var.change ? 1 : 3
      minimum_healthy_targets_percentage = var.change ? "off" : "50"
    }
  }
}

# Stickiness comes and goes; slow start goes with round robin only.
resource "aws_lb_target_group" "sticky" {
  name                              = "sticky"
  port                              = 8081
  protocol                          = "HTTPS"
  vpc_id                            = aws_vpc.main.id
  load_balancing_cross_zone_enabled = var.change ? "false" : "true"
  slow_start                        = var.change ? 900 : 30
  health_check {
    enabled             = true
    protocol            = "HTTPS"
    path                = var.change ? "/up?deep=1" : "/up"
    port                = var.change ? "traffic-port" : "9443"
    interval            = var.change ? 300 : 5
    timeout             = var.change ? 120 : 2
    healthy_threshold   = var.change ? 10 : 2
    unhealthy_threshold = var.change ? 10 : 2
    matcher             = var.change ? "200-299,301,499" : "200,202"
  }
  stickiness {
    enabled         = !var.change
    type            = var.change ? "lb_cookie" : "app_cookie"
    cookie_name     = var.change ? null : "SESSION"
    cookie_duration = var.change ? 604800 : 1
  }
}

# The versions that need an HTTPS listener can be made without one.
resource "aws_lb_target_group" "versions" {
  for_each         = toset(["HTTP2", "GRPC"])
  name             = "version-${each.key}"
  port             = 8082
  protocol         = "HTTP"
  protocol_version = each.key
  vpc_id           = aws_vpc.main.id
  health_check {
    path    = var.change ? "/second" : "/first"
    matcher = each.key == "GRPC" ? (var.change ? "0-99" : "0,12") : "200"
  }
}

# Every kind of condition that may stand in one rule, and those that may stand there twice.
resource "aws_lb_listener_rule" "conditions" {
  listener_arn = aws_lb_listener.headers.arn
  priority     = var.change ? 50000 : 1
  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.all[var.change ? "least" : "turns"].arn
  }
  condition {
    host_header {
      values = [var.change ? "b.example" : "a.example"]
    }
  }
  condition {
    http_header {
      http_header_name = "X-One"
      values           = [var.change ? "1" : "*"]
    }
  }
  condition {
    http_header {
      http_header_name = "X-Two"
      values           = ["a b"]
    }
  }
  condition {
    query_string {
      key   = "k"
      value = var.change ? "w" : "v*"
    }
  }
  condition {
    query_string {
      value = "a\\*b"
    }
  }
}

resource "aws_lb_listener_rule" "more_conditions" {
  listener_arn = aws_lb_listener.headers.arn
  priority     = 2
  action {
    type = "redirect"
    redirect {
      host        = "#{host}"
      path        = var.change ? "/#{path}/#{port}" : "/#{host}/#{path}"
      port        = var.change ? "8443" : "#{port}"
      protocol    = var.change ? "HTTPS" : "#{protocol}"
      query       = "#{query}&p=#{protocol}"
      status_code = var.change ? "HTTP_301" : "HTTP_302"
    }
  }
  condition {
    path_pattern {
      values = var.change ? ["/z"] : ["/a?/*", "/b"]
    }
  }
  condition {
    http_request_method {
      values = var.change ? ["M-SEARCH"] : ["GET", "PUT"]
    }
  }
  condition {
    source_ip {
      values = var.change ? ["10.0.0.0/8", "2001:db8::/32"] : ["127.0.0.0/8"]
    }
  }
}

data "aws_lb" "all" {
  arn        = aws_lb.all.arn
  depends_on = [aws_lb.all]
}

data "aws_lb_target_group" "sticky" {
  arn        = aws_lb_target_group.sticky.arn
  depends_on = [aws_lb_target_group.sticky]
}

data "aws_lb_listener_rule" "conditions" {
  listener_arn = aws_lb_listener.headers.arn
  priority     = aws_lb_listener_rule.conditions.priority
}

data "aws_lb_hosted_zone_id" "main" {
  load_balancer_type = "application"
}

output "facts" {
  value = {
    balancer = [
      data.aws_lb.all.client_keep_alive, data.aws_lb.all.desync_mitigation_mode,
      data.aws_lb.all.idle_timeout, data.aws_lb.all.xff_header_processing_mode,
      data.aws_lb.all.preserve_host_header, data.aws_lb.all.enable_http2,
    ]
    zones  = [data.aws_lb_hosted_zone_id.main.id, aws_lb.all.zone_id]
    sticky = data.aws_lb_target_group.sticky.stickiness[0]
    rule   = data.aws_lb_listener_rule.conditions.arn == aws_lb_listener_rule.conditions.arn
  }
}
