# The main road: HTTP API -> VPC link -> internal load balancer -> private targets. The targets'
# real sockets are told by the tag `breezeway:address` of their network interfaces.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 5.100" }
  }
}

variable "region" {
  type = string
}

variable "origins" {
  type        = list(string)
  description = "Where the two targets really listen: HOST:PORT"
}

variable "change" {
  type    = bool
  default = false
}

provider "aws" {
  region = var.region
}

data "aws_availability_zones" "available" {}

resource "aws_vpc" "main" {
  cidr_block = "10.40.0.0/16"
}

resource "aws_subnet" "main" {
  count             = 2
  vpc_id            = aws_vpc.main.id
  cidr_block        = "10.40.${count.index}.0/24"
  availability_zone = data.aws_availability_zones.available.names[count.index]
}

resource "aws_security_group" "link" {
  name   = "link"
  vpc_id = aws_vpc.main.id
  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "balancer" {
  name   = "balancer"
  vpc_id = aws_vpc.main.id
}

resource "aws_vpc_security_group_ingress_rule" "balancer" {
  security_group_id            = aws_security_group.balancer.id
  referenced_security_group_id = aws_security_group.link.id
  ip_protocol                  = "tcp"
  from_port                    = 18080
  to_port                      = 18080
}

resource "aws_vpc_security_group_egress_rule" "balancer" {
  security_group_id            = aws_security_group.balancer.id
  referenced_security_group_id = aws_security_group.target.id
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
}

resource "aws_security_group" "target" {
  name   = "target"
  vpc_id = aws_vpc.main.id
}

resource "aws_vpc_security_group_ingress_rule" "target" {
  security_group_id            = aws_security_group.target.id
  referenced_security_group_id = aws_security_group.balancer.id
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
}

resource "aws_network_interface" "target" {
  count           = 2
  subnet_id       = aws_subnet.main[count.index].id
  private_ips     = ["10.40.${count.index}.10"]
  security_groups = [aws_security_group.target.id]
  tags            = { "breezeway:address" = var.origins[count.index] }
}

resource "aws_lb" "main" {
  name               = "road"
  internal           = true
  load_balancer_type = "application"
  security_groups    = [aws_security_group.balancer.id]
  subnets            = aws_subnet.main[*].id
}

resource "aws_lb_target_group" "main" {
  name                 = "road"
  port                 = 8080
  protocol             = "HTTP"
  vpc_id               = aws_vpc.main.id
  target_type          = "ip"
  deregistration_delay = 0
  health_check {
    interval            = 5
    timeout             = 2
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_target_group_attachment" "main" {
  count            = 2
  target_group_arn = aws_lb_target_group.main.arn
  target_id        = aws_network_interface.target[count.index].private_ip
  port             = 8080
}

resource "aws_lb_listener" "main" {
  load_balancer_arn = aws_lb.main.arn
  port              = 18080
  protocol          = "HTTP"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.main.arn
  }
}

resource "aws_lb_listener_rule" "notice" {
  listener_arn = aws_lb_listener.main.arn
  priority     = 5
  action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      message_body = var.change ? "back soon" : "later"
      status_code  = "503"
    }
  }
  condition {
    path_pattern {
      values = var.change ? ["/closed*"] : ["/maintenance*"]
    }
  }
}

resource "aws_apigatewayv2_vpc_link" "main" {
  name               = var.change ? "road-2" : "road"
  subnet_ids         = aws_subnet.main[*].id
  security_group_ids = [aws_security_group.link.id]
  tags               = { Name = var.change ? "road-2" : "road" }
}

resource "aws_apigatewayv2_api" "main" {
  name          = "road"
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_integration" "main" {
  api_id             = aws_apigatewayv2_api.main.id
  integration_type   = "HTTP_PROXY"
  integration_method = "ANY"
  integration_uri    = aws_lb_listener.main.arn
  connection_type    = "VPC_LINK"
  connection_id      = aws_apigatewayv2_vpc_link.main.id
  request_parameters = {
    "overwrite:header.x-road" = var.change ? "second" : "first"
  }
}

resource "aws_apigatewayv2_route" "main" {
  api_id    = aws_apigatewayv2_api.main.id
  route_key = "ANY /{proxy+}"
  target    = "integrations/${aws_apigatewayv2_integration.main.id}"
}

resource "aws_apigatewayv2_stage" "main" {
  api_id      = aws_apigatewayv2_api.main.id
  name        = "$default"
  auto_deploy = true
}

data "aws_apigatewayv2_vpc_link" "main" {
  vpc_link_id = aws_apigatewayv2_vpc_link.main.id
}

output "facts" {
  value = {
    endpoint = aws_apigatewayv2_api.main.api_endpoint
    url      = aws_apigatewayv2_stage.main.invoke_url
    link     = data.aws_apigatewayv2_vpc_link.main.name
  }
}
