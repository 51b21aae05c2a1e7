# A VPC with everything around it, roles for what runs in it, and every data source that looks at
# them. The provider is as most people have it: no `endpoints`, no `skip_…`; the endpoint comes
# from AWS_ENDPOINT_URL. `change` selects between two states of the same resources: each difference
# must be an update in place.

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
  region = var.region
  default_tags {
    tags = { suite = "network" }
  }
}

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

data "aws_partition" "current" {}

data "aws_availability_zones" "available" {
  state = "available"
}

resource "aws_vpc" "main" {
  cidr_block           = "10.20.0.0/16"
  enable_dns_hostnames = !var.change
  enable_dns_support   = true
  tags                 = var.change ? { Name = "renamed", new = "" } : { Name = "main", old = "" }
}

resource "aws_subnet" "private" {
  count             = 2
  vpc_id            = aws_vpc.main.id
  cidr_block        = cidrsubnet(aws_vpc.main.cidr_block, 8, count.index)
  availability_zone = data.aws_availability_zones.available.names[count.index]
  tags              = { Name = var.change ? "inner-${count.index}" : "private-${count.index}" }
}

resource "aws_subnet" "public" {
  vpc_id                  = aws_vpc.main.id
  cidr_block              = "10.20.100.0/24"
  availability_zone_id    = data.aws_availability_zones.available.zone_ids[2]
  map_public_ip_on_launch = !var.change
}

resource "aws_internet_gateway" "main" {
  vpc_id = aws_vpc.main.id
  tags   = { Name = var.change ? "gateway-2" : "gateway" }
}

resource "aws_eip" "nat" {
  domain     = "vpc"
  tags       = { Name = var.change ? "nat-2" : "nat" }
  depends_on = [aws_internet_gateway.main]
}

resource "aws_nat_gateway" "main" {
  allocation_id = aws_eip.nat.id
  subnet_id     = aws_subnet.public.id
  tags          = { Name = var.change ? "nat-2" : "nat" }
  depends_on    = [aws_internet_gateway.main]
}

# Routes inside the table, and routes of their own: Terraform reads them back in different ways.
resource "aws_route_table" "public" {
  vpc_id = aws_vpc.main.id
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.main.id
  }
  dynamic "route" {
    for_each = var.change ? ["198.51.100.0/24"] : ["192.0.2.0/24"]
    content {
      cidr_block     = route.value
      nat_gateway_id = aws_nat_gateway.main.id
    }
  }
  tags = { Name = "public" }
}

resource "aws_route_table" "private" {
  vpc_id = aws_vpc.main.id
}

resource "aws_route_table" "other" {
  vpc_id = aws_vpc.main.id
}

resource "aws_route" "out" {
  route_table_id         = aws_route_table.private.id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = var.change ? null : aws_nat_gateway.main.id
  gateway_id             = var.change ? aws_internet_gateway.main.id : null
}

resource "aws_route_table_association" "public" {
  subnet_id      = aws_subnet.public.id
  route_table_id = aws_route_table.public.id
}

resource "aws_route_table_association" "private" {
  count          = 2
  subnet_id      = aws_subnet.private[count.index].id
  route_table_id = var.change ? aws_route_table.other.id : aws_route_table.private.id
}

resource "aws_security_group" "inline" {
  name        = "inline"
  description = "Rules inside the group"
  vpc_id      = aws_vpc.main.id
  ingress {
    description = var.change ? "web, again" : "web"
    protocol    = "tcp"
    from_port   = 80
    to_port     = var.change ? 8080 : 80
    cidr_blocks = ["10.0.0.0/8", "192.168.0.0/16"]
  }
  ingress {
    protocol  = "tcp"
    from_port = 9000
    to_port   = 9000
    self      = true
  }
  ingress {
    protocol        = "icmp"
    from_port       = 8
    to_port         = -1
    security_groups = [aws_security_group.separate.id]
  }
  egress {
    protocol         = "-1"
    from_port        = 0
    to_port          = 0
    cidr_blocks      = ["0.0.0.0/0"]
    ipv6_cidr_blocks = ["::/0"]
  }
  tags = { Name = var.change ? "inline-2" : "inline" }
}

resource "aws_security_group" "separate" {
  name_prefix            = "separate-"
  description            = "Rules of their own"
  vpc_id                 = aws_vpc.main.id
  revoke_rules_on_delete = true
}

resource "aws_vpc_security_group_ingress_rule" "cidr" {
  security_group_id = aws_security_group.separate.id
  description       = var.change ? "after" : "before"
  cidr_ipv4         = var.change ? "10.20.0.0/24" : "10.20.0.0/16"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = { Name = var.change ? "rule-2" : "rule" }
}

resource "aws_vpc_security_group_ingress_rule" "group" {
  security_group_id            = aws_security_group.separate.id
  referenced_security_group_id = aws_security_group.inline.id
  ip_protocol                  = "udp"
  from_port                    = 53
  to_port                      = var.change ? 54 : 53
}

resource "aws_vpc_security_group_egress_rule" "all" {
  security_group_id = aws_security_group.separate.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

resource "aws_vpc_security_group_egress_rule" "all6" {
  security_group_id = aws_security_group.separate.id
  cidr_ipv6         = "::/0"
  ip_protocol       = "-1"
}

resource "aws_security_group" "old_style" {
  name   = "old-style"
  vpc_id = aws_vpc.main.id
}

resource "aws_security_group_rule" "old_style" {
  security_group_id = aws_security_group.old_style.id
  type              = "ingress"
  description       = var.change ? "after" : "before"
  protocol          = "tcp"
  from_port         = 22
  to_port           = 22
  cidr_blocks       = ["10.20.0.0/16", "10.21.0.0/16"]
}

# What a VPC has from the start, adopted.
resource "aws_default_security_group" "main" {
  vpc_id = aws_vpc.main.id
  dynamic "ingress" {
    for_each = var.change ? [8080] : []
    content {
      protocol  = "tcp"
      from_port = ingress.value
      to_port   = ingress.value
      self      = true
    }
  }
}

resource "aws_default_route_table" "main" {
  default_route_table_id = aws_vpc.main.default_route_table_id
  dynamic "route" {
    for_each = var.change ? ["0.0.0.0/0"] : []
    content {
      cidr_block = route.value
      gateway_id = aws_internet_gateway.main.id
    }
  }
  tags = { Name = var.change ? "default-2" : "default" }
}

resource "aws_network_interface" "fixed" {
  subnet_id         = aws_subnet.private[0].id
  description       = var.change ? "after" : "before"
  private_ips       = ["10.20.0.50"]
  security_groups   = var.change ? [aws_security_group.separate.id] : [aws_security_group.inline.id]
  source_dest_check = !var.change
  tags              = { "breezeway:address" = "127.0.0.1:9001" }
}

resource "aws_network_interface" "any" {
  subnet_id = aws_subnet.private[1].id
}

resource "aws_eip" "interface" {
  domain            = "vpc"
  network_interface = aws_network_interface.fixed.id
  depends_on        = [aws_internet_gateway.main]
}

resource "aws_iam_role" "task" {
  name                 = "network-task"
  description          = var.change ? "after" : "before"
  max_session_duration = var.change ? 7200 : 3600
  path                 = "/suite/"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      Action = "sts:AssumeRole"
      Principal = {
        Service = [for name in var.change ? ["ec2", "ecs"] : ["ec2"] : "${name}.amazonaws.com"]
      }
    }]
  })
  tags = { step = var.change ? "two" : "one" }
}

resource "aws_iam_role_policy" "task" {
  name = "logs"
  role = aws_iam_role.task.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow", Action = var.change ? ["logs:Put*"] : ["logs:*"], Resource = "*"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "task" {
  role       = aws_iam_role.task.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
}

resource "aws_iam_instance_profile" "task" {
  name = "network-task"
  path = "/suite/"
  role = aws_iam_role.task.name
  tags = { step = var.change ? "two" : "one" }
}

data "aws_iam_role" "task" {
  name = aws_iam_role.task.name
}

data "aws_vpc" "by_id" {
  id = aws_vpc.main.id
}

data "aws_vpc" "by_tag" {
  tags       = { suite = "network" }
  depends_on = [aws_vpc.main]
}

data "aws_vpc" "default" {
  default = true
}

data "aws_subnets" "default" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.default.id]
  }
}

data "aws_subnets" "main" {
  filter {
    name   = "vpc-id"
    values = [aws_vpc.main.id]
  }
  depends_on = [aws_subnet.public, aws_subnet.private]
}

data "aws_subnet" "public" {
  id = aws_subnet.public.id
}

data "aws_security_group" "default" {
  vpc_id = aws_vpc.main.id
  name   = "default"
}

data "aws_security_group" "by_id" {
  id = aws_security_group.inline.id
}

data "aws_security_groups" "main" {
  filter {
    name   = "vpc-id"
    values = [aws_vpc.main.id]
  }
  depends_on = [
    aws_security_group.inline, aws_security_group.separate, aws_security_group.old_style
  ]
}

data "aws_route_table" "main" {
  vpc_id = aws_vpc.main.id
  filter {
    name   = "association.main"
    values = ["true"]
  }
}

data "aws_internet_gateway" "main" {
  filter {
    name   = "attachment.vpc-id"
    values = [aws_internet_gateway.main.vpc_id]
  }
}

data "aws_nat_gateway" "main" {
  id = aws_nat_gateway.main.id
}

data "aws_network_acls" "main" {
  vpc_id = aws_vpc.main.id
}

data "aws_network_interface" "fixed" {
  id = aws_network_interface.fixed.id
}

data "aws_eip" "nat" {
  id = aws_eip.nat.id
}

output "facts" {
  value = {
    account    = data.aws_caller_identity.current.account_id
    region     = data.aws_region.current.name
    partition  = data.aws_partition.current.partition
    zones      = data.aws_availability_zones.available.names
    vpc        = aws_vpc.main.id
    vpc_by_tag = data.aws_vpc.by_tag.id
    hostnames  = aws_vpc.main.enable_dns_hostnames
    name       = aws_vpc.main.tags_all["Name"]
    acls       = [data.aws_network_acls.main.ids, [aws_vpc.main.default_network_acl_id]]
    tables     = [data.aws_route_table.main.id, aws_vpc.main.main_route_table_id]
    defaults   = [data.aws_security_group.default.id, aws_vpc.main.default_security_group_id]
    subnets    = length(data.aws_subnets.main.ids)
    own        = length(data.aws_subnets.default.ids)
    groups     = length(data.aws_security_groups.main.ids)
    nat        = [data.aws_nat_gateway.main.public_ip, data.aws_eip.nat.public_ip]
    interface  = data.aws_network_interface.fixed.private_ip
    role       = data.aws_iam_role.task.arn
    profile    = aws_iam_instance_profile.task.arn
  }
}
