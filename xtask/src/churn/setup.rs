//! The configuration that is churned, built through the control API as any client would, and the
//! writes that churn it.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};

use super::client::{Call, Client, Started};
use crate::bench::origin::Origin;

/// APIs over which the routes are spread.
const APIS: usize = 40;
/// Target groups over which the targets are spread; each has a rule.
const GROUPS: usize = 100;
/// Clients that build at once.
const BUILDERS: usize = 4;
/// API versions of the query services.
const EC2: &str = "2016-11-15";
const ELB: &str = "2015-12-01";

/// Origins that stand for all targets.
pub fn origins(count: usize) -> Result<Vec<SocketAddr>> {
    (0..count).map(|_| Ok(Origin::start(100)?.address())).collect()
}

/// Address of a target. Those beyond the first ones are there to be registered and deregistered.
fn address(number: usize) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 64, 0, 0)) + number as u32 + 1)
}

/// Further targets per group, for writes.
const SPARE: usize = 4;

/// Where the targets really are.
pub fn address_book(targets: usize, origins: &[SocketAddr]) -> Vec<String> {
    let all = targets + GROUPS * SPARE;
    (0..all).map(|n| format!("{}:80={}", address(n), origins[n % origins.len()])).collect()
}

/// What was built.
pub struct World {
    routes: usize,
    targets: usize,
    listener: String,
    groups: Vec<String>,
    /// Id, host and integration of each API.
    apis: Vec<(String, String, String)>,
}

impl World {
    /// Builds it.
    pub fn build(node: &Started, routes: usize, targets: usize) -> Result<Self> {
        let client = &mut Client::connect(node.api)?;
        let vpc = tag(client, EC2, "CreateVpc", "&CidrBlock=127.20.0.0/16", "vpcId")?;
        let subnet = |client: &mut Client, n: usize, zone: &str| {
            let rest =
                format!("&VpcId={vpc}&CidrBlock=127.20.{n}.0/24&AvailabilityZone=us-east-1{zone}");
            tag(client, EC2, "CreateSubnet", &rest, "subnetId")
        };
        let (a, b) = (subnet(client, 0, "a")?, subnet(client, 1, "b")?);
        let rest = format!("&Name=churn&Scheme=internal&Subnets.member.1={a}&Subnets.member.2={b}");
        let balancer = tag(client, ELB, "CreateLoadBalancer", &rest, "LoadBalancerArn")?;
        let groups: Result<Vec<_>> = (0..GROUPS)
            .map(|n| {
                let rest = format!(
                    "&Name=g{n}&Protocol=HTTP&Port=80&TargetType=ip&VpcId={vpc}&HealthCheckPath=/"
                );
                tag(client, ELB, "CreateTargetGroup", &rest, "TargetGroupArn")
            })
            .collect();
        let groups = groups?;
        let rest = format!(
            "&LoadBalancerArn={balancer}&Protocol=HTTP&Port=18081&DefaultActions.member.1.Type=\
             forward&DefaultActions.member.1.TargetGroupArn={}",
            groups[0]
        );
        let listener = tag(client, ELB, "CreateListener", &rest, "ListenerArn")?;
        for (n, group) in groups.iter().enumerate() {
            client.call(&rule(&listener, n + 1, &format!("/g{n}/*"), group))?;
        }
        let body = json!({"name": "churn", "subnetIds": [a, b]});
        let link = send(client, Call::json("POST", "/v2/vpclinks".into(), &body))?;
        let link = field(&link, "vpcLinkId")?;
        let apis = (0..APIS).map(|n| api(client, n, &link, &listener)).collect::<Result<_>>()?;
        let world = Self { routes, targets, listener, groups, apis };
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
        use std::fmt::Write as _;
        let mut rest = format!("&TargetGroupArn={}", self.groups[group]);
        let own = (group..self.targets).step_by(GROUPS);
        for (member, number) in own.enumerate() {
            let (member, ip) = (member + 1, address(number));
            let _ = write!(
                rest,
                "&Targets.member.{member}.Id={ip}&Targets.member.{member}.AvailabilityZone=all"
            );
        }
        Call::query(ELB, "RegisterTargets", &rest)
    }

    fn route_call(&self, route: usize) -> Call {
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

fn rule(listener: &str, priority: usize, path: &str, group: &str) -> Call {
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

fn field(value: &Value, name: &str) -> Result<String> {
    value[name].as_str().map(str::to_owned).with_context(|| format!("no {name} in {value}"))
}

/// Makes a query call and reads the first element of a name from its XML.
fn tag(client: &mut Client, version: &str, action: &str, rest: &str, name: &str) -> Result<String> {
    let answer = client.call(&Call::query(version, action, rest))?;
    element(&answer.body, name)
}

fn element(xml: &str, name: &str) -> Result<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let found = xml.split_once(&open).and_then(|(_, rest)| rest.split_once(&close));
    found.map(|(text, _)| text.to_owned()).with_context(|| format!("no {name} in {xml}"))
}

/// One write of the churn.
pub struct Write {
    /// The call.
    pub call: Call,
    kind: Kind,
    number: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    AddRoute,
    DropRoute,
    AddTarget,
    DropTarget,
    AddRule,
    DropRule,
}

/// Adds and removes routes, targets and rules in turn.
pub struct Writes<'w> {
    world: &'w World,
    count: usize,
    routes: VecDeque<(usize, String)>,
    rules: VecDeque<String>,
    dropped: Option<usize>,
}

impl<'w> Writes<'w> {
    /// None written yet.
    pub fn new(world: &'w World) -> Self {
        let (routes, rules) = (VecDeque::new(), VecDeque::new());
        Self { world, count: 0, routes, rules, dropped: None }
    }

    /// The next write.
    pub fn next(&mut self) -> Write {
        use Kind::{AddRoute, AddRule, AddTarget, DropRoute, DropRule, DropTarget};
        let kinds = [AddRoute, AddTarget, AddRule, DropRoute, DropTarget, DropRule];
        let (kind, number) = (kinds[self.count % kinds.len()], self.count / kinds.len());
        self.count += 1;
        let world = self.world;
        let group = &world.groups[number % GROUPS];
        let spare = world.targets + (number % (GROUPS * SPARE));
        let target = format!(
            "&TargetGroupArn={group}&Targets.member.1.Id={}&Targets.member.1.AvailabilityZone=all",
            address(spare)
        );
        let call = match kind {
            AddRoute => world.route_call(world.routes + number),
            DropRoute => {
                let (route, id) = self.routes.pop_front().unwrap_or_default();
                self.dropped = Some(route);
                let api = &world.apis[route % APIS].0;
                Call::json("DELETE", format!("/v2/apis/{api}/routes/{id}"), &Value::Null)
            }
            AddTarget => Call::query(ELB, "RegisterTargets", &target),
            DropTarget => Call::query(ELB, "DeregisterTargets", &target),
            AddRule => rule(&world.listener, 1000 + number, &format!("/new{number}/*"), group),
            DropRule => {
                let arn = self.rules.pop_front().unwrap_or_default();
                Call::query(ELB, "DeleteRule", &format!("&RuleArn={arn}"))
            }
        };
        Write { call, kind, number }
    }

    /// Remembers what a write has made.
    pub fn done(&mut self, write: &Write, body: &str) -> Result<()> {
        match write.kind {
            Kind::AddRoute => {
                let id = field(&serde_json::from_str(body)?, "routeId")?;
                self.routes.push_back((self.world.routes + write.number, id));
            }
            Kind::AddRule => self.rules.push_back(element(body, "RuleArn")?),
            Kind::DropRoute | Kind::AddTarget | Kind::DropTarget | Kind::DropRule => {}
        }
        Ok(())
    }

    /// The host and path that tell whether the write is live, and the status that says so.
    pub fn check(&self, write: &Write) -> Option<(String, String, u16)> {
        let (route, status) = match write.kind {
            Kind::AddRoute => (self.world.routes + write.number, 200),
            Kind::DropRoute => (self.dropped?, 404),
            Kind::AddTarget | Kind::DropTarget | Kind::AddRule | Kind::DropRule => return None,
        };
        let host = self.world.apis[route % APIS].1.clone();
        Some((host, format!("/g{}/item{route}/1", route % GROUPS), status))
    }
}
