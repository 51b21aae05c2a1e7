# Cloud Map: a private DNS and an HTTP namespace, services and instances in them, and an API whose
# requests go through a VPC link to the instances of a service.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 5.100" }
  }
}

variable "region" {
  type = string
}

# Where the processes behind the private addresses really listen.
variable "origins" {
  type = list(string)
}

variable "change" {
  type    = bool
  default = false
}

provider "aws" {
  region = var.region
}

resource "aws_vpc" "main" {
  cidr_block           = "10.60.0.0/16"
  enable_dns_hostnames = true
}

resource "aws_subnet" "main" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.60.1.0/24"
}

resource "aws_security_group" "link" {
  name   = "link"
  vpc_id = aws_vpc.main.id
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["10.60.0.0/16"]
  }
}

resource "aws_security_group" "tasks" {
  name   = "tasks"
  vpc_id = aws_vpc.main.id
  ingress {
    from_port       = 8080
    to_port         = 8080
    protocol        = "tcp"
    security_groups = [aws_security_group.link.id]
  }
}

resource "aws_network_interface" "tasks" {
  count           = 2
  subnet_id       = aws_subnet.main.id
  security_groups = [aws_security_group.tasks.id]
  tags            = { "breezeway:address" = var.origins[count.index] }
}

resource "aws_service_discovery_private_dns_namespace" "corp" {
  name        = "corp.internal"
  description = var.change ? "after" : "before"
  vpc         = aws_vpc.main.id
  tags        = { Name = var.change ? "two" : "one" }
}

resource "aws_service_discovery_http_namespace" "apps" {
  name        = "apps"
  description = "for all"
}

resource "aws_service_discovery_service" "pets" {
  name        = "pets"
  description = var.change ? "after" : "before"
  dns_config {
    namespace_id   = aws_service_discovery_private_dns_namespace.corp.id
    routing_policy = "MULTIVALUE"
    dns_records {
      type = "SRV"
      ttl  = var.change ? 7 : 5
    }
  }
  health_check_custom_config {
    failure_threshold = 1
  }
  tags = { Name = var.change ? "two" : "one" }
}

resource "aws_service_discovery_service" "plain" {
  name         = "plain"
  namespace_id = aws_service_discovery_http_namespace.apps.id
}

resource "aws_service_discovery_instance" "pets" {
  count       = 2
  service_id  = aws_service_discovery_service.pets.id
  instance_id = "task-${count.index}"
  attributes = {
    AWS_INSTANCE_IPV4 = aws_network_interface.tasks[count.index].private_ip
    AWS_INSTANCE_PORT = "8080"
    color             = var.change && count.index == 1 ? "green" : "blue"
  }
}

resource "aws_service_discovery_instance" "plain" {
  service_id  = aws_service_discovery_service.plain.id
  instance_id = "somewhere"
  attributes  = { url = var.change ? "http://b" : "http://a" }
}

resource "aws_apigatewayv2_vpc_link" "main" {
  name               = "discovery"
  subnet_ids         = [aws_subnet.main.id]
  security_group_ids = [aws_security_group.link.id]
}

resource "aws_apigatewayv2_api" "pets" {
  name          = "pets"
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_integration" "pets" {
  api_id             = aws_apigatewayv2_api.pets.id
  integration_type   = "HTTP_PROXY"
  integration_method = "ANY"
  connection_type    = "VPC_LINK"
  connection_id      = aws_apigatewayv2_vpc_link.main.id
  integration_uri    = "${aws_service_discovery_service.pets.arn}${var.change ? "?color=green" : ""}"
}

resource "aws_apigatewayv2_route" "pets" {
  api_id    = aws_apigatewayv2_api.pets.id
  route_key = "$default"
  target    = "integrations/${aws_apigatewayv2_integration.pets.id}"
}

resource "aws_apigatewayv2_stage" "pets" {
  api_id      = aws_apigatewayv2_api.pets.id
  name        = "$default"
  auto_deploy = true
}

data "aws_service_discovery_dns_namespace" "corp" {
  name       = "corp.internal"
  type       = "DNS_PRIVATE"
  depends_on = [aws_service_discovery_private_dns_namespace.corp]
}

data "aws_service_discovery_http_namespace" "apps" {
  name       = "apps"
  depends_on = [aws_service_discovery_http_namespace.apps]
}

data "aws_service_discovery_service" "pets" {
  name         = aws_service_discovery_service.pets.name
  namespace_id = aws_service_discovery_private_dns_namespace.corp.id
}

output "facts" {
  value = {
    endpoint = aws_apigatewayv2_api.pets.api_endpoint
    zone     = aws_service_discovery_private_dns_namespace.corp.hosted_zone
    ids = [
      aws_service_discovery_private_dns_namespace.corp.id,
      aws_service_discovery_http_namespace.apps.id,
      aws_service_discovery_service.pets.id,
    ]
    found = [
      data.aws_service_discovery_dns_namespace.corp.id,
      data.aws_service_discovery_http_namespace.apps.id,
      data.aws_service_discovery_service.pets.id,
    ]
  }
}
