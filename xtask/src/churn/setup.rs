//! The configuration that is churned, built through the control API as any client would.

use std::net::Ipv4Addr;

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};

use super::client::{Call, Client};
use super::node::Started;

/// APIs over which the routes are spread.
pub const APIS: usize = 40;
/// Target groups over which the targets are spread; each has a rule.
pub const GROUPS: usize = 100;
/// Clients that build at once.
const BUILDERS: usize = 32;
/// API versions of the query services.
pub const EC2: &str = "2016-11-15";
pub const ELB: &str = "2015-12-01";

/// Address of a target. Those beyond the first ones are there to be registered and deregistered.
pub fn address(number: usize) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 20, 128, 0)) + number as u32 + 16)
}

/// The number of a target's address.
pub fn number(address: Ipv4Addr) -> Option<usize> {
    let first = u32::from(self::address(0));
    u32::from(address).checked_sub(first).map(|number| number as usize)
}

/// Most addresses of targets: those of their subnet, but for some that it needs itself.
pub const ADDRESSES: usize = 32_000;

/// What was built.
pub struct World {
    /// How many routes.
    pub routes: usize,
    /// How many targets.
    pub targets: usize,
    /// ARN of the one listener.
    pub listener: String,
    /// The security group of the load balancer.
    pub security_group: String,
    /// ARNs of the target groups.
    pub groups: Vec<String>,
    /// Id, host and integration of each API.
    pub apis: Vec<(String, String, String)>,
}

impl World {
    /// Builds it; all targets listen on `port`.
    pub fn build(node: &Started, routes: usize, targets: usize, port: u16) -> Result<Self> {
        let client = &mut Client::connect(node.api)?;
        let vpc = tag(client, EC2, "CreateVpc", "&CidrBlock=127.20.0.0/16", "vpcId")?;
        let subnet = |client: &mut Client, block: &str, zone: &str| {
            let rest =
                format!("&VpcId={vpc}&CidrBlock=127.20.{block}&AvailabilityZone=us-east-1{zone}");
            tag(client, EC2, "CreateSubnet", &rest, "subnetId")
        };
        let (a, b) = (subnet(client, "0.0/24", "a")?, subnet(client, "1.0/24", "b")?);
        subnet(client, "128.0/17", "a")?;
        let rest = format!("&VpcId={vpc}&GroupName=churn&GroupDescription=churn");
        let security_group = tag(client, EC2, "CreateSecurityGroup", &rest, "groupId")?;
        let rest = permission(&security_group, "-1", 0);
        client.call(&Call::query(EC2, "AuthorizeSecurityGroupIngress", &rest))?;
        let rest = format!(
            "&Name=churn&Scheme=internal&Subnets.member.1={a}&Subnets.member.2={b}\
             &SecurityGroups.member.1={security_group}"
        );
        let balancer = tag(client, ELB, "CreateLoadBalancer", &rest, "LoadBalancerArn")?;
        let groups =
            (0..GROUPS).map(|n| group(client, n, &vpc, port)).collect::<Result<Vec<_>>>()?;
        let rest = format!(
            "&LoadBalancerArn={balancer}&Protocol=HTTP&Port=18081&DefaultActions.member.1.Type=\
             forward&DefaultActions.member.1.TargetGroupArn={}",
            groups[0]
        );
        let listener = tag(client, ELB, "CreateListener", &rest, "ListenerArn")?;
        for (n, group) in groups.iter().enumerate() {
            client.call(&rule(&listener, n + 1, &format!("/g{n}/*"), group))?;
        }
        let body =
            json!({"name": "churn", "subnetIds": [a, b], "securityGroupIds": [security_group]});
        let link = send(client, Call::json("POST", "/v2/vpclinks".into(), &body))?;
        let link = field(&link, "vpcLinkId")?;
        let apis = (0..APIS).map(|n| api(client, n, &link, &listener)).collect::<Result<_>>()?;
        let world = Self { routes, targets, listener, security_group, groups, apis };
        world.fill(node)?;
        Ok(world)
    }

    /// Routes and targets, by several clients at once.
    fn fill(&self, node: &Started) -> Result<()> {
        let mut calls: Vec<Call> = (0..GROUPS).map(|group| self.registration(group)).collect();
        calls.extend((0..self.routes).map(|route| self.route_call(route)));
        std::thread::scope(|scope| {
            let builders: Vec<_> = (0..BUILDERS)
                .map(|builder| {
                    let calls = &calls;
                    scope.spawn(move || -> Result<()> {
                        let mut client = Client::connect(node.api)?;
                        for call in calls.iter().skip(builder).step_by(BUILDERS) {
                            client.call(call)?;
                        }
                        Ok(())
                    })
                })
                .collect();
            for builder in builders {
                builder.join().map_err(|_| anyhow!("a builder ended unexpectedly"))??;
            }
            Ok(())
        })
    }

    fn registration(&self, group: usize) -> Call {
        let own: Vec<usize> = (group..self.targets).step_by(GROUPS).collect();
        self.on_targets("RegisterTargets", group, &own)
    }

    /// An operation on targets of a group.
    pub fn on_targets(&self, operation: &str, group: usize, numbers: &[usize]) -> Call {
        use std::fmt::Write as _;
        let mut rest = format!("&TargetGroupArn={}", self.groups[group]);
        for (member, number) in numbers.iter().enumerate() {
            let _ = write!(rest, "&Targets.member.{}.Id={}", member + 1, address(*number));
        }
        Call::query(ELB, operation, &rest)
    }

    /// Makes a route of a number.
    pub fn route_call(&self, route: usize) -> Call {
        let (api, _, integration) = &self.apis[route % APIS];
        let body = json!({
            "routeKey": format!("GET /g{}/item{route}/{{id}}", route % GROUPS),
            "target": format!("integrations/{integration}"),
        });
        Call::json("POST", format!("/v2/apis/{api}/routes"), &body)
    }

    /// Hosts and paths that lead to targets, in an order of each connection's own.
    pub fn sample(&self, connection: usize) -> Vec<(String, String)> {
        let start = connection * 7919;
        let pick = |n: usize| {
            let route = (start + n * 104_729) % self.routes;
            let path = format!("/g{}/item{route}/{n}", route % GROUPS);
            (self.apis[route % APIS].1.clone(), path)
        };
        (0..self.routes.min(2000)).map(pick).collect()
    }
}

fn group(client: &mut Client, number: usize, vpc: &str, port: u16) -> Result<String> {
    let rest = format!(
        "&Name=g{number}&Protocol=HTTP&Port={port}&TargetType=ip&VpcId={vpc}&HealthCheckPath=/probe"
    );
    let arn = tag(client, ELB, "CreateTargetGroup", &rest, "TargetGroupArn")?;
    let rest = format!(
        "&TargetGroupArn={arn}&Attributes.member.1.Key=deregistration_delay.timeout_seconds\
         &Attributes.member.1.Value=5"
    );
    client.call(&Call::query(ELB, "ModifyTargetGroupAttributes", &rest))?;
    Ok(arn)
}

/// Parameters that name a rule of a security group for everyone.
pub fn permission(group: &str, protocol: &str, port: usize) -> String {
    format!(
        "&GroupId={group}&IpPermissions.1.IpProtocol={protocol}&IpPermissions.1.FromPort={port}\
         &IpPermissions.1.ToPort={port}&IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0%2F0"
    )
}

fn api(
    client: &mut Client,
    number: usize,
    link: &str,
    listener: &str,
) -> Result<(String, String, String)> {
    let body = json!({"name": format!("churn{number}"), "protocolType": "HTTP"});
    let made = send(client, Call::json("POST", "/v2/apis".into(), &body))?;
    let id = field(&made, "apiId")?;
    let host = field(&made, "apiEndpoint")?.trim_start_matches("http://").to_owned();
    let body = json!({
        "integrationType": "HTTP_PROXY", "integrationMethod": "ANY", "connectionType": "VPC_LINK",
        "connectionId": link, "integrationUri": listener, "payloadFormatVersion": "1.0",
    });
    let made = send(client, Call::json("POST", format!("/v2/apis/{id}/integrations"), &body))?;
    let integration = field(&made, "integrationId")?;
    let body = json!({"stageName": "$default", "autoDeploy": true});
    send(client, Call::json("POST", format!("/v2/apis/{id}/stages"), &body))?;
    Ok((id, host, integration))
}

/// Makes a rule.
pub fn rule(listener: &str, priority: usize, path: &str, group: &str) -> Call {
    let rest = format!(
        "&ListenerArn={listener}&Priority={priority}&Conditions.member.1.Field=path-pattern\
         &Conditions.member.1.PathPatternConfig.Values.member.1={path}\
         &Actions.member.1.Type=forward&Actions.member.1.TargetGroupArn={group}"
    );
    Call::query(ELB, "CreateRule", &rest)
}

fn send(client: &mut Client, call: Call) -> Result<Value> {
    let answer = client.call(&call)?;
    Ok(serde_json::from_str(&answer.body)?)
}

/// A member of a JSON answer.
pub fn field(value: &Value, name: &str) -> Result<String> {
    value[name].as_str().map(str::to_owned).with_context(|| format!("no {name} in {value}"))
}

/// Makes a query call and reads the first element of a name from its XML.
fn tag(client: &mut Client, version: &str, action: &str, rest: &str, name: &str) -> Result<String> {
    let answer = client.call(&Call::query(version, action, rest))?;
    element(&answer.body, name)
}

/// The first element of a name in an XML answer.
pub fn element(xml: &str, name: &str) -> Result<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let found = xml.split_once(&open).and_then(|(_, rest)| rest.split_once(&close));
    found.map(|(text, _)| text.to_owned()).with_context(|| format!("no {name} in {xml}"))
}
