# HTTP APIs in front of public URLs: the explicit way (routes, integrations, stages, deployments)
# and quick create, and the data sources that find them.

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

variable "origin" {
  type = string
}

variable "change" {
  type    = bool
  default = false
}

provider "aws" {
  region = var.region
  endpoints {
    apigatewayv2 = var.endpoint
    iam          = var.endpoint
    sts          = var.endpoint
  }
}

resource "aws_apigatewayv2_api" "pets" {
  name          = var.change ? "pets-2" : "pets"
  description   = var.change ? "after" : "before"
  version       = var.change ? "2" : "1"
  protocol_type = "HTTP"
  cors_configuration {
    allow_credentials = !var.change
    allow_headers     = var.change ? ["*"] : ["authorization", "x-own"]
    allow_methods     = ["GET", "POST", "OPTIONS"]
    allow_origins     = ["https://one.example.com", "https://two.example.com"]
    expose_headers    = ["x-seen"]
    max_age           = var.change ? 60 : 300
  }
  tags = var.change ? { Name = "pets-2" } : { Name = "pets", old = "" }
}

resource "aws_apigatewayv2_integration" "pets" {
  api_id                 = aws_apigatewayv2_api.pets.id
  description            = var.change ? "after" : "before"
  integration_type       = "HTTP_PROXY"
  integration_method     = var.change ? "ANY" : "GET"
  integration_uri        = "${var.origin}/pets/{proxy}"
  payload_format_version = "1.0"
  timeout_milliseconds   = var.change ? 5000 : 30000
  request_parameters = {
    "append:header.x-stage"  = "$context.stage"
    "overwrite:header.x-own" = var.change ? "two" : "one"
  }
  # Another status, not another mapping: the provider takes a status away after it has changed its
  # mappings.
  response_parameters {
    status_code = var.change ? "500" : "404"
    mappings    = { "overwrite:statuscode" = "403" }
  }
}

resource "aws_apigatewayv2_integration" "plain" {
  api_id             = aws_apigatewayv2_api.pets.id
  integration_type   = "HTTP_PROXY"
  integration_method = "GET"
  integration_uri    = var.origin
}

resource "aws_apigatewayv2_route" "pets" {
  api_id         = aws_apigatewayv2_api.pets.id
  route_key      = var.change ? "ANY /animals/{proxy+}" : "ANY /pets/{proxy+}"
  operation_name = "pets"
  target         = "integrations/${aws_apigatewayv2_integration.pets.id}"
}

resource "aws_apigatewayv2_route" "default" {
  api_id    = aws_apigatewayv2_api.pets.id
  route_key = "$default"
  target    = "integrations/${aws_apigatewayv2_integration.plain.id}"
}

resource "aws_apigatewayv2_stage" "live" {
  api_id      = aws_apigatewayv2_api.pets.id
  name        = "$default"
  auto_deploy = true
  description = var.change ? "after" : "before"
  default_route_settings {
    throttling_burst_limit = var.change ? 500 : 1000
    throttling_rate_limit  = 2000
  }
  route_settings {
    route_key              = aws_apigatewayv2_route.default.route_key
    throttling_burst_limit = 10
    throttling_rate_limit  = var.change ? 20.5 : 10
  }
  stage_variables = var.change ? { color = "green" } : { color = "blue", old = "yes" }
  tags            = { Name = var.change ? "live-2" : "live" }
}

resource "aws_apigatewayv2_deployment" "fixed" {
  api_id      = aws_apigatewayv2_api.pets.id
  description = var.change ? "after" : "before"
  triggers    = { once = "1" }
  lifecycle {
    create_before_destroy = true
  }
  depends_on = [aws_apigatewayv2_route.pets, aws_apigatewayv2_route.default]
}

resource "aws_apigatewayv2_stage" "fixed" {
  api_id        = aws_apigatewayv2_api.pets.id
  name          = "fixed"
  deployment_id = aws_apigatewayv2_deployment.fixed.id
}

resource "aws_apigatewayv2_api" "quick" {
  name          = var.change ? "quick-2" : "quick"
  protocol_type = "HTTP"
  target        = var.origin
  route_key     = "GET /quick"
}

data "aws_apigatewayv2_api" "pets" {
  api_id = aws_apigatewayv2_api.pets.id
}

data "aws_apigatewayv2_apis" "named" {
  name          = aws_apigatewayv2_api.quick.name
  protocol_type = "HTTP"
}

data "aws_apigatewayv2_apis" "all" {
  depends_on = [aws_apigatewayv2_api.pets, aws_apigatewayv2_api.quick]
}

output "facts" {
  value = {
    api      = aws_apigatewayv2_api.pets.id
    name     = data.aws_apigatewayv2_api.pets.name
    endpoint = data.aws_apigatewayv2_api.pets.api_endpoint
    live     = aws_apigatewayv2_stage.live.invoke_url
    fixed    = aws_apigatewayv2_stage.fixed.invoke_url
    arn      = aws_apigatewayv2_stage.fixed.execution_arn
    quick    = aws_apigatewayv2_api.quick.api_endpoint
    named    = [data.aws_apigatewayv2_apis.named.ids, [aws_apigatewayv2_api.quick.id]]
    count    = length(data.aws_apigatewayv2_apis.all.ids)
  }
}
