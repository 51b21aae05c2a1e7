//! A region to test in, and short ways to make things in it.

use std::cell::Cell;
use std::fmt::Debug;

use model::balancer::{
    Listener, LoadBalancer, LoadBalancerState, LoadBalancerType, Priority, Rule, Scheme,
};
use model::network::{SecurityGroup, Subnet, Vpc};
use model::{
    ListenerArn, LoadBalancerArn, Record, RuleArn, Scope, Settings, Snapshot, Tags, Timestamp,
};
use shapes::apigatewayv2::*;
use store::{Aborted, Store, Txn};
use wire::Fault;

use crate::apigatewayv2::{api, deployment, integration, route, stage, vpc_link};
use crate::{Ctx, Principal};

pub const LISTENER: &str =
    "arn:aws:elasticloadbalancing:us-east-1:000000000000:listener/app/web/50dc/f2f7";
const RULE: &str =
    "arn:aws:elasticloadbalancing:us-east-1:000000000000:listener-rule/app/web/50dc/f2f7/1";
const BALANCER: &str =
    "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/web/50dc";

type Write<I, O> = fn(&Ctx<'_>, &mut Txn, I) -> Result<O, Fault>;
type Read<I, O> = fn(&Ctx<'_>, &Snapshot, I) -> Result<O, Fault>;

/// A region with two VPCs (`a`, `b`), subnets `subnet-a1`, `subnet-a2`, `subnet-b1`, a group and a
/// default group in each, and the listener `LISTENER`. Each call has its own time and ids.
pub struct World {
    store: Store,
    settings: Settings,
    calls: Cell<i64>,
}

impl World {
    pub fn new() -> Self {
        let world =
            Self { store: Store::ephemeral(), settings: Settings::default(), calls: Cell::new(0) };
        world.put(|txn| {
            for vpc in ["a", "b"] {
                let block = if vpc == "a" { "10.0" } else { "10.1" };
                txn.put(a_vpc(vpc, &format!("{block}.0.0/16")));
                txn.put(a_subnet(vpc, "1", &format!("{block}.1.0/24")));
                txn.put(a_group(vpc, "sg-default", "default"));
                txn.put(a_group(vpc, "sg-web", "web"));
            }
            txn.put(a_subnet("a", "2", "10.0.2.0/28"));
            txn.put(a_load_balancer());
            txn.put(a_listener());
            txn.put(a_default_rule());
        });
        world
    }

    pub fn put(&self, change: impl FnOnce(&mut Txn)) {
        let done = self.store.transact(|txn| {
            change(txn);
            Ok::<(), Fault>(())
        });
        done.unwrap();
    }

    pub fn state(&self) -> std::sync::Arc<Snapshot> {
        self.store.snapshot()
    }

    fn ctx(&self, region: &str) -> Ctx<'_> {
        let call = self.calls.get() + 1;
        self.calls.set(call);
        let principal = Principal { arn: String::new(), user_id: String::new() };
        let scope = Scope::new("000000000000", region);
        let seed = u64::try_from(call).unwrap();
        let now = Timestamp(call * 1000);
        Ctx::new(&self.settings, scope, principal, now, String::new(), seed)
    }

    pub fn write<I, O>(&self, operation: Write<I, O>, input: I) -> Result<O, Fault> {
        self.write_in("us-east-1", operation, input)
    }

    pub fn write_in<I, O>(&self, region: &str, run: Write<I, O>, input: I) -> Result<O, Fault> {
        let ctx = self.ctx(region);
        match self.store.transact(|txn| run(&ctx, txn, input)) {
            Ok(done) => Ok(done.value),
            Err(Aborted::Operation(fault)) => Err(fault),
            Err(Aborted::Store(error)) => panic!("{error}"),
        }
    }

    pub fn read<I, O>(&self, operation: Read<I, O>, input: I) -> Result<O, Fault> {
        operation(&self.ctx("us-east-1"), &self.state(), input)
    }

    pub fn read_in<I, O>(&self, region: &str, run: Read<I, O>, input: I) -> Result<O, Fault> {
        run(&self.ctx(region), &self.state(), input)
    }

    /// Makes an API and gives its id.
    pub fn api(&self) -> Option<String> {
        let input = CreateApiInput {
            name: Some("shop".into()),
            protocol_type: Some("HTTP".into()),
            ..CreateApiInput::default()
        };
        self.write(api::create_api, input).unwrap().api_id
    }

    /// Makes a route and gives its id.
    pub fn route(&self, api: &Option<String>, key: &str) -> Option<String> {
        let input = CreateRouteInput {
            api_id: api.clone(),
            route_key: Some(key.into()),
            ..CreateRouteInput::default()
        };
        self.write(route::create_route, input).unwrap().route_id
    }

    /// Makes a public integration and gives its id.
    pub fn integration(&self, api: &Option<String>) -> Option<String> {
        let input = CreateIntegrationInput {
            api_id: api.clone(),
            ..an_integration("https://example.com/")
        };
        self.write(integration::create_integration, input).unwrap().integration_id
    }

    /// Makes a stage.
    pub fn stage(&self, api: &Option<String>, name: &str, auto_deploy: bool) -> CreateStageOutput {
        let input = CreateStageInput {
            api_id: api.clone(),
            stage_name: Some(name.into()),
            auto_deploy: Some(auto_deploy),
            ..CreateStageInput::default()
        };
        self.write(stage::create_stage, input).unwrap()
    }

    pub fn get_stage(&self, api: &Option<String>, name: &str) -> GetStageOutput {
        let input = GetStageInput { api_id: api.clone(), stage_name: Some(name.into()) };
        self.read(stage::get_stage, input).unwrap()
    }

    /// Freezes an API and gives the deployment's id.
    pub fn deployment(&self, api: &Option<String>) -> Option<String> {
        let input =
            CreateDeploymentInput { api_id: api.clone(), ..CreateDeploymentInput::default() };
        self.write(deployment::create_deployment, input).unwrap().deployment_id
    }

    /// Makes a VPC link in VPC `a` and gives its id.
    pub fn link(&self) -> Option<String> {
        let input = CreateVpcLinkInput {
            name: Some("link".into()),
            subnet_ids: Some(vec!["subnet-a1".into()]),
            ..CreateVpcLinkInput::default()
        };
        self.write(vpc_link::create_vpc_link, input).unwrap().vpc_link_id
    }
}

/// A result in one line: `ok`, or the status and the message.
pub fn said<T: Debug>(result: Result<T, Fault>) -> String {
    match result {
        Ok(_) => "ok".into(),
        Err(fault) => {
            let code = match fault.status {
                400 => "BadRequestException",
                404 => "NotFoundException",
                409 => "ConflictException",
                429 => "TooManyRequestsException",
                other => panic!("status {other}"),
            };
            assert_eq!(fault.code, code);
            assert_eq!(fault.status == 404, fault.fields.iter().any(|f| f.0 == "resourceType"));
            format!("{} {}", fault.status, fault.message)
        }
    }
}

pub fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

pub fn texts(values: &[&str]) -> Option<Vec<String>> {
    Some(values.iter().map(|value| (*value).to_owned()).collect())
}

pub fn map(pairs: &[(&str, &str)]) -> std::collections::BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

pub fn an_integration(uri: &str) -> CreateIntegrationInput {
    CreateIntegrationInput {
        integration_type: text("HTTP_PROXY"),
        integration_method: text("GET"),
        integration_uri: text(uri),
        payload_format_version: text("1.0"),
        ..CreateIntegrationInput::default()
    }
}

/// All records of a kind.
pub fn all<R: Record>(state: &Snapshot) -> Vec<R> {
    R::table(state).iter().map(|record| R::clone(record)).collect()
}

fn scope() -> Scope {
    Scope::new("000000000000", "us-east-1")
}

fn a_vpc(id: &str, cidr: &str) -> Vpc {
    Vpc {
        scope: scope(),
        id: format!("vpc-{id}").into(),
        cidr: cidr.parse().unwrap(),
        cidr_association_id: "vpc-cidr-assoc-1".into(),
        is_default: false,
        dns_support: true,
        dns_hostnames: true,
        address_usage_metrics: false,
        instance_tenancy: "default".into(),
        dhcp_options_id: "dopt-1".into(),
        tags: Tags::new(),
    }
}

fn a_subnet(vpc: &str, number: &str, cidr: &str) -> Subnet {
    Subnet {
        scope: scope(),
        id: format!("subnet-{vpc}{number}").into(),
        vpc: format!("vpc-{vpc}").into(),
        cidr: cidr.parse().unwrap(),
        zone: "us-east-1a".into(),
        default_for_az: false,
        map_public_ip_on_launch: false,
        assign_ipv6_on_creation: false,
        launch_options: std::collections::BTreeMap::new(),
        tags: Tags::new(),
    }
}

fn a_group(vpc: &str, id: &str, name: &str) -> SecurityGroup {
    SecurityGroup {
        scope: scope(),
        id: format!("{id}-{vpc}").into(),
        vpc: format!("vpc-{vpc}").into(),
        name: name.into(),
        description: String::new(),
        tags: Tags::new(),
    }
}

fn a_load_balancer() -> LoadBalancer {
    LoadBalancer {
        scope: scope(),
        arn: LoadBalancerArn::from(BALANCER),
        name: "web".into(),
        kind: LoadBalancerType::Application,
        scheme: Scheme::Internal,
        dns_name: "internal-web-1.us-east-1.elb.amazonaws.com".into(),
        vpc: "vpc-a".into(),
        zones: Vec::new(),
        security_groups: Vec::new(),
        ip_address_type: "ipv4".into(),
        attributes: model::balancer::Attributes::new(),
        capacity: None,
        state: LoadBalancerState::Active,
        tags: Tags::new(),
        created: Timestamp(0),
    }
}

fn a_listener() -> Listener {
    Listener {
        load_balancer: LoadBalancerArn::from(BALANCER),
        arn: ListenerArn::from(LISTENER),
        protocol: "HTTP".into(),
        port: 80,
        ssl_policy: None,
        certificates: Vec::new(),
        alpn_policy: None,
        mutual: model::balancer::MutualAuthentication::Off,
        attributes: model::balancer::Attributes::new(),
        tags: Tags::new(),
        created: Timestamp(0),
    }
}

fn a_default_rule() -> Rule {
    Rule {
        listener: ListenerArn::from(LISTENER),
        arn: RuleArn::from(RULE),
        priority: Priority::Default,
        conditions: Vec::new(),
        actions: Vec::new(),
        transforms: Vec::new(),
        tags: Tags::new(),
    }
}
