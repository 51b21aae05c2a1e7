"""An application load balancer on loopback addresses, and the two doors that lead to what is behind
it: its own listeners, and HTTP APIs with a VPC link."""

from support import until


class Doors:
    """A load balancer, its VPC and its link. `block` is the first half of the VPC's addresses."""

    def __init__(self, client, name, block, **attributes):
        self.name = name
        self.ec2, self.elb, self.gateway = client("ec2"), client("elbv2"), client("apigatewayv2")
        self.vpc = self.ec2.create_vpc(CidrBlock=f"{block}.0.0/16")["Vpc"]["VpcId"]
        internet = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=internet, VpcId=self.vpc)
        zones = self.ec2.describe_availability_zones()["AvailabilityZones"]
        self.subnets = [
            self.ec2.create_subnet(
                VpcId=self.vpc, CidrBlock=f"{block}.{n}.0/24",
                AvailabilityZone=zones[n]["ZoneName"],
            )["Subnet"]["SubnetId"]
            for n in (0, 1)
        ]
        self.security_group = self.ec2.create_security_group(
            GroupName=name, Description=name, VpcId=self.vpc
        )["GroupId"]
        self.ec2.authorize_security_group_ingress(
            GroupId=self.security_group,
            IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "127.0.0.0/8"}]}],
        )
        self.arn = self.elb.create_load_balancer(
            Name=name, Subnets=self.subnets, SecurityGroups=[self.security_group]
        )["LoadBalancers"][0]["LoadBalancerArn"]
        self.set(**attributes)
        self.elb.get_waiter("load_balancer_available").wait(
            LoadBalancerArns=[self.arn], WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )
        interfaces = self.ec2.describe_network_interfaces(
            Filters=[{"Name": "description", "Values": [f"ELB app/{name}/*"]}]
        )["NetworkInterfaces"]
        self.ip = interfaces[0]["PrivateIpAddress"]
        self.link = self.gateway.create_vpc_link(
            Name=name, SubnetIds=self.subnets, SecurityGroupIds=[self.security_group]
        )["VpcLinkId"]
        state = lambda: self.gateway.get_vpc_link(VpcLinkId=self.link)["VpcLinkStatus"]
        until(lambda: state() == "AVAILABLE", what="the link is available")

    def set(self, **attributes):
        """Sets attributes; `__` stands for a dot in their names."""
        if attributes:
            self.elb.modify_load_balancer_attributes(
                LoadBalancerArn=self.arn,
                Attributes=[
                    {"Key": key.replace("__", "."), "Value": str(value)}
                    for key, value in attributes.items()
                ],
            )

    def group(self, name, *origins, **more):
        """A target group with these origins."""
        made = self.elb.create_target_group(
            Name=name, VpcId=self.vpc, TargetType="ip",
            **{"Protocol": "HTTP", "Port": 80, "HealthCheckIntervalSeconds": 300, **more},
        )["TargetGroups"][0]["TargetGroupArn"]
        targets = [{"Id": o.host, "Port": o.port, "AvailabilityZone": "all"} for o in origins]
        self.elb.register_targets(TargetGroupArn=made, Targets=targets)
        return made

    def listen(self, port, group, **more):
        """A listener that forwards to a group whose targets are healthy then."""
        arn = self.elb.create_listener(
            LoadBalancerArn=self.arn, Port=port, DefaultActions=[forward(group)],
            **{"Protocol": "HTTP", **more},
        )["Listeners"][0]["ListenerArn"]
        self.serves(group)
        return arn

    def rule(self, listener, priority, path, group):
        """A rule for a path."""
        self.elb.create_rule(
            ListenerArn=listener, Priority=priority, Actions=[forward(group)],
            Conditions=[{"Field": "path-pattern", "Values": [path]}],
        )
        self.serves(group)

    def serves(self, group):
        """Waits until the targets of a group in use are healthy."""
        def states():
            found = self.elb.describe_target_health(TargetGroupArn=group)
            return {d["TargetHealth"]["State"] for d in found["TargetHealthDescriptions"]}

        until(lambda: states() == {"healthy"}, 60, what="the targets are healthy")

    def api(self, listener, **more):
        """An API whose every path leads through the link to a listener; its host."""
        api = self.gateway.create_api(Name=self.name, ProtocolType="HTTP")
        integration = self.gateway.create_integration(
            ApiId=api["ApiId"], IntegrationType="HTTP_PROXY", IntegrationMethod="ANY",
            ConnectionType="VPC_LINK", ConnectionId=self.link, IntegrationUri=listener,
            PayloadFormatVersion="1.0", **more,
        )["IntegrationId"]
        self.gateway.create_route(
            ApiId=api["ApiId"], RouteKey="$default", Target=f"integrations/{integration}"
        )
        self.gateway.create_stage(ApiId=api["ApiId"], StageName="$default", AutoDeploy=True)
        return api["ApiEndpoint"].removeprefix("http://")


def forward(group):
    return {"Type": "forward", "TargetGroupArn": group}
