# HTTPS: certificates that are imported, issued and renewed, listeners with further certificates,
# with names for the headers about the client's leg, and with clients that are held to a trust store.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 5.100" }
  }
}

variable "region" {
  type = string
}

# Each a certificate, its key and its chain, PEM; the last one takes the place of the first.
variable "certificates" {
  type = list(list(string))
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
  cidr_block = "127.33.0.0/16"
}

resource "aws_subnet" "main" {
  count             = 2
  vpc_id            = aws_vpc.main.id
  cidr_block        = "127.33.${count.index}.0/24"
  availability_zone = data.aws_availability_zones.available.names[count.index]
}

resource "aws_lb" "main" {
  name     = "secure"
  internal = true
  subnets  = aws_subnet.main[*].id
}

resource "aws_acm_certificate" "imported" {
  certificate_body  = var.certificates[var.change ? 2 : 0][0]
  private_key       = var.certificates[var.change ? 2 : 0][1]
  certificate_chain = var.certificates[var.change ? 2 : 0][2]
  tags              = { Name = var.change ? "imported-2" : "imported" }
}

resource "aws_acm_certificate" "bare" {
  certificate_body = var.certificates[1][0]
  private_key      = var.certificates[1][1]
}

resource "aws_acm_certificate" "issued" {
  domain_name               = "shop.example.com"
  subject_alternative_names = ["*.shop.example.com", "buy.example.com"]
  validation_method         = "DNS"
  key_algorithm             = "EC_prime256v1"
  options {
    certificate_transparency_logging_preference = var.change ? "DISABLED" : "ENABLED"
  }
  tags = { Name = "issued" }
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_acm_certificate" "plain" {
  domain_name       = "plain.example.com"
  validation_method = "EMAIL"
}

resource "aws_acm_certificate_validation" "issued" {
  certificate_arn = aws_acm_certificate.issued.arn
}

resource "aws_lb_trust_store" "clients" {
  name                             = "clients"
  ca_certificates_bundle_s3_bucket = "pki"
  ca_certificates_bundle_s3_key    = var.change ? "two.pem" : "one.pem"
  tags                             = { Name = var.change ? "clients-2" : "clients" }
}

resource "aws_lb_trust_store" "named" {
  name_prefix                      = "cl-"
  ca_certificates_bundle_s3_bucket = "pki"
  ca_certificates_bundle_s3_key    = "one.pem"
}

resource "aws_lb_trust_store_revocation" "list" {
  trust_store_arn       = aws_lb_trust_store.clients.arn
  revocations_s3_bucket = "pki"
  revocations_s3_key    = "list.crl"
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.main.arn
  port              = 18451
  protocol          = "HTTPS"
  ssl_policy = (
    var.change ? "ELBSecurityPolicy-TLS13-1-3-2021-06" : "ELBSecurityPolicy-TLS13-1-2-2021-06"
  )
  certificate_arn = (
    var.change ? aws_acm_certificate_validation.issued.certificate_arn :
    aws_acm_certificate.imported.arn
  )
  routing_http_response_strict_transport_security_header_value = (
    var.change ? "max-age=1" : "max-age=600; includeSubDomains"
  )
  routing_http_request_x_amzn_tls_version_header_name      = var.change ? "X-Two" : "X-One"
  routing_http_request_x_amzn_tls_cipher_suite_header_name = "X-Suite"
  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      status_code  = "200"
    }
  }
}

# Nothing but what is required.
resource "aws_lb_listener" "plain" {
  load_balancer_arn = aws_lb.main.arn
  port              = 18452
  protocol          = "HTTPS"
  certificate_arn   = aws_acm_certificate.bare.arn
  default_action {
    type = "redirect"
    redirect {
      host        = "other.example.com"
      status_code = "HTTP_302"
    }
  }
}

resource "aws_lb_listener" "verified" {
  load_balancer_arn = aws_lb.main.arn
  port              = 18453
  protocol          = "HTTPS"
  certificate_arn   = aws_acm_certificate.bare.arn
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
  mutual_authentication {
    mode                             = "verify"
    trust_store_arn                  = aws_lb_trust_store.clients.arn
    ignore_client_certificate_expiry = var.change
    advertise_trust_store_ca_names   = var.change ? "on" : "off"
  }
  routing_http_request_x_amzn_mtls_clientcert_header_name         = "X-Cert"
  routing_http_request_x_amzn_mtls_clientcert_issuer_header_name  = "X-Issuer"
  routing_http_request_x_amzn_mtls_clientcert_leaf_header_name    = "X-Leaf"
  routing_http_request_x_amzn_mtls_clientcert_subject_header_name = "X-Subject"
  routing_http_request_x_amzn_mtls_clientcert_serial_number_header_name = (
    var.change ? "X-Number" : "X-Serial"
  )
  routing_http_request_x_amzn_mtls_clientcert_validity_header_name = "X-Validity"
  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      status_code  = "200"
    }
  }
}

# It is taken back to no verification.
resource "aws_lb_listener" "passed" {
  load_balancer_arn = aws_lb.main.arn
  port              = 18454
  protocol          = "HTTPS"
  certificate_arn   = aws_acm_certificate.imported.arn
  mutual_authentication {
    mode = var.change ? "off" : "passthrough"
  }
  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      status_code  = "200"
    }
  }
}

resource "aws_lb_listener_certificate" "more" {
  for_each = {
    bare   = aws_acm_certificate.bare.arn
    issued = aws_acm_certificate_validation.issued.certificate_arn
  }
  listener_arn    = aws_lb_listener.https.arn
  certificate_arn = each.value
}

data "aws_acm_certificate" "issued" {
  domain      = aws_acm_certificate.issued.domain_name
  statuses    = ["ISSUED"]
  key_types   = ["EC_prime256v1"]
  most_recent = true
  depends_on  = [aws_acm_certificate_validation.issued]
}

data "aws_lb_trust_store" "clients" {
  name       = aws_lb_trust_store.clients.name
  depends_on = [aws_lb_trust_store.clients]
}

data "aws_lb_listener" "verified" {
  arn        = aws_lb_listener.verified.arn
  depends_on = [aws_lb_listener.verified]
}

output "facts" {
  value = {
    issued     = [data.aws_acm_certificate.issued.arn, aws_acm_certificate.issued.arn]
    names      = sort(aws_acm_certificate.issued.subject_alternative_names)
    types      = [aws_acm_certificate.imported.type, aws_acm_certificate.issued.type]
    stores     = [data.aws_lb_trust_store.clients.arn, aws_lb_trust_store.clients.arn]
    policy     = aws_lb_listener.https.ssl_policy
    default    = aws_lb_listener.plain.ssl_policy
    mutual     = data.aws_lb_listener.verified.mutual_authentication[0]
    expires    = aws_acm_certificate.imported.not_after
    revocation = aws_lb_trust_store_revocation.list.revocation_id
  }
}
