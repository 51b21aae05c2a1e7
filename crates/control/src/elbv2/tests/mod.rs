//! Tests of the operations through their table: JSON in, JSON out, each call a commit of a store,
//! so that the store's invariants are held after every one of them.

mod attributes;
mod authenticate;
mod listener;
mod load_balancer;
mod other;
mod quota;
mod renewal;
mod rule;
mod target;
mod target_group;
mod trust_store;

use std::cell::{Cell, RefCell};
use std::sync::LazyLock;

use model::balancer::{LoadBalancer, LoadBalancerState, TargetId};
use model::health::{HealthView, TargetHealth};
use model::{LoadBalancerArn, Record, Scope, Settings, TargetGroupArn, Timestamp};
use serde_json::{Value, json};
use store::{Aborted, Store, Txn};
use wire::Fault;

use crate::operations::{Run, find};
use crate::testing::{to_json, to_node};
use crate::{Ctx, Principal};

static SETTINGS: LazyLock<Settings> = LazyLock::new(Settings::default);

/// A state with two VPCs, and calls on it at a time that only the test moves.
struct World {
    store: Store,
    calls: Cell<u64>,
    now: Cell<i64>,
    health: RefCell<HealthView>,
    region: Cell<&'static str>,
    settings: &'static Settings,
}

impl World {
    /// `vpc-main` (10.0.0.0/16) with `subnet-a`, `subnet-b`, `subnet-c` in three zones,
    /// `subnet-a2` in the first, the full `subnet-tiny` in the second, an internet gateway, the
    /// groups `sg-main` (default) and `sg-web`, and the instances `i-run`, `i-stop`; `vpc-else`
    /// (10.1.0.0/16) with `subnet-else`, `subnet-else-b`, `sg-else` and `i-else`.
    fn new() -> Self {
        let world = Self {
            store: Store::ephemeral(),
            calls: Cell::new(0),
            now: Cell::new(1_700_000_000_000),
            health: RefCell::default(),
            region: Cell::new("us-east-1"),
            settings: &SETTINGS,
        };
        let made: Result<_, Aborted<Fault>> = world.store.transact(|txn| {
            vpc(txn, "vpc-main", "10.0.0.0/16", "sg-main");
            vpc(txn, "vpc-else", "10.1.0.0/16", "sg-else");
            group(txn, "vpc-main", "sg-web", "web");
            subnet(txn, "vpc-main", "subnet-a", "10.0.0.0/24", "us-east-1a");
            subnet(txn, "vpc-main", "subnet-b", "10.0.1.0/24", "us-east-1b");
            subnet(txn, "vpc-main", "subnet-c", "10.0.2.0/24", "us-east-1c");
            subnet(txn, "vpc-main", "subnet-a2", "10.0.3.0/24", "us-east-1a");
            subnet(txn, "vpc-main", "subnet-tiny", "10.0.4.0/29", "us-east-1b");
            subnet(txn, "vpc-else", "subnet-else", "10.1.0.0/24", "us-east-1a");
            subnet(txn, "vpc-else", "subnet-else-b", "10.1.1.0/24", "us-east-1b");
            put::<model::network::InternetGateway>(
                txn,
                json!({ "scope": scope(), "id": "igw-main", "vpc": "vpc-main", "tags": {} }),
            );
            instance(txn, "i-run", "vpc-main", "subnet-a", "10.0.0.10", "Running");
            instance(txn, "i-stop", "vpc-main", "subnet-a", "10.0.0.11", "Stopped");
            instance(txn, "i-else", "vpc-else", "subnet-else", "10.1.0.10", "Running");
            Ok(())
        });
        made.unwrap();
        world
    }

    fn ctx(&self) -> Ctx<'static> {
        self.calls.set(self.calls.get() + 1);
        let principal = Principal { arn: String::new(), user_id: String::new() };
        let scope = Scope::new("000000000000", self.region.get());
        let now = Timestamp(self.now.get());
        let ctx = Ctx::new(self.settings, scope, principal, now, String::new(), self.calls.get());
        ctx.with_health(self.health.borrow().clone())
    }

    /// Calls an operation as a client does.
    fn call(&self, name: &str, input: Value) -> Result<Value, Fault> {
        let node = to_node(input);
        let operation = find("elbv2", name).unwrap_or_else(|| panic!("no operation {name}"));
        let output = match operation.run {
            Run::Read(run) => run(&self.ctx(), &self.store.snapshot(), &node),
            Run::Write(run) => {
                let committed = self.store.transact(|txn| run(&self.ctx(), txn, &node));
                committed.map(|committed| committed.value).map_err(|aborted| match aborted {
                    Aborted::Operation(fault) => fault,
                    Aborted::Store(error) => panic!("{name}: {error}"),
                })
            }
        };
        output.map(to_json)
    }

    /// Calls an operation that must succeed.
    #[track_caller]
    fn ok(&self, name: &str, input: Value) -> Value {
        let shown = input.to_string();
        self.call(name, input).unwrap_or_else(|fault| panic!("{name} {shown}: {fault}"))
    }

    /// Calls an operation that must refuse with this code and a message that contains `part`.
    #[track_caller]
    fn refuses(&self, name: &str, input: Value, code: &str, part: &str) {
        let shown = input.to_string();
        let before = self.store.snapshot().revision;
        match self.call(name, input) {
            Ok(output) => panic!("{name} {shown} gave {output}"),
            Err(fault) => {
                assert_eq!((fault.code.as_ref(), fault.status), (code, 400), "{shown}: {fault}");
                assert!(fault.message.contains(part), "{shown}: {fault}");
            }
        }
        assert_eq!(self.store.snapshot().revision, before);
    }

    /// An internal load balancer in `subnet-a` and `subnet-b`; its ARN.
    fn load_balancer(&self, name: &str) -> String {
        let input = json!({
            "Name": name, "Scheme": "internal", "Subnets": ["subnet-a", "subnet-b"],
        });
        text(&self.ok("CreateLoadBalancer", input)["LoadBalancers"][0]["LoadBalancerArn"])
    }

    /// An HTTP target group of addresses in `vpc-main`; its ARN.
    fn group(&self, name: &str) -> String {
        let input = json!({
            "Name": name, "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-main", "TargetType": "ip",
        });
        text(&self.ok("CreateTargetGroup", input)["TargetGroups"][0]["TargetGroupArn"])
    }

    /// An HTTP listener that forwards to a group; its ARN.
    fn listener(&self, load_balancer: &str, port: u16, group: &str) -> String {
        let input = json!({
            "LoadBalancerArn": load_balancer, "Protocol": "HTTP", "Port": port,
            "DefaultActions": [forward(group)],
        });
        text(&self.ok("CreateListener", input)["Listeners"][0]["ListenerArn"])
    }

    /// A rule for a path with a fixed response; its ARN.
    fn rule(&self, listener: &str, priority: u32, path: &str) -> String {
        let input = json!({
            "ListenerArn": listener, "Priority": priority, "Conditions": [path_is(path)],
            "Actions": [fixed("200")],
        });
        text(&self.ok("CreateRule", input)["Rules"][0]["RuleArn"])
    }

    /// What the node does once the listeners of a load balancer are there.
    fn activate(&self, arn: &str) {
        let arn = LoadBalancerArn::from(arn);
        let done: Result<_, Aborted<Fault>> = self.store.transact(|txn| {
            txn.update::<LoadBalancer>(&arn, |lb| lb.state = LoadBalancerState::Active);
            Ok(())
        });
        done.unwrap();
    }

    /// What the health checker publishes.
    fn verdict(&self, group: &str, id: &str, port: u16, verdict: TargetHealth) {
        let id = TargetId { id: id.to_owned(), port };
        self.health.borrow_mut().set(TargetGroupArn::from(group), id, verdict);
    }
}

fn scope() -> Value {
    json!({ "account": "000000000000", "region": "us-east-1" })
}

fn put<R: Record>(txn: &mut Txn, record: Value) {
    txn.put(serde_json::from_value::<R>(record).unwrap());
}

fn vpc(txn: &mut Txn, id: &str, cidr: &str, default_group: &str) {
    put::<model::network::Vpc>(
        txn,
        json!({
            "scope": scope(), "id": id, "cidr": cidr, "cidr_association_id": "",
            "is_default": false,
            "dns_support": true, "dns_hostnames": true, "address_usage_metrics": false,
            "instance_tenancy": "default", "dhcp_options_id": "", "tags": {},
        }),
    );
    group(txn, id, default_group, "default");
}

fn group(txn: &mut Txn, vpc: &str, id: &str, name: &str) {
    put::<model::network::SecurityGroup>(
        txn,
        json!({
            "scope": scope(), "id": id, "vpc": vpc, "name": name, "description": "", "tags": {},
        }),
    );
}

fn subnet(txn: &mut Txn, vpc: &str, id: &str, cidr: &str, zone: &str) {
    put::<model::network::Subnet>(
        txn,
        json!({
            "scope": scope(), "id": id, "vpc": vpc, "cidr": cidr, "zone": zone,
            "default_for_az": false, "map_public_ip_on_launch": false,
            "assign_ipv6_on_creation": false, "launch_options": {}, "tags": {},
        }),
    );
}

fn instance(txn: &mut Txn, id: &str, vpc: &str, subnet: &str, address: &str, state: &str) {
    let interface = format!("eni-{id}");
    put::<model::network::NetworkInterface>(
        txn,
        json!({
            "scope": scope(), "id": interface, "vpc": vpc, "subnet": subnet, "zone": "us-east-1a",
            "private_ip": address, "public_ip": null, "mac": "", "security_groups": [],
            "description": "", "owner": { "Instance": id }, "source_dest_check": true,
            "attachment_id": null, "created": 0, "tags": {},
        }),
    );
    put::<model::network::Instance>(
        txn,
        json!({
            "scope": scope(), "id": id, "image": "", "instance_type": "", "key_name": null,
            "profile": null, "reservation": "", "interface": interface, "state": state,
            "launched": 0, "tags": {},
        }),
    );
}

fn forward(group: &str) -> Value {
    json!({ "Type": "forward", "TargetGroupArn": group })
}

fn fixed(status: &str) -> Value {
    json!({ "Type": "fixed-response", "FixedResponseConfig": { "StatusCode": status } })
}

fn path_is(path: &str) -> Value {
    json!({ "Field": "path-pattern", "Values": [path] })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}")).to_owned()
}

/// The members called `name` of a list of structures.
fn column(list: &Value, name: &str) -> Vec<String> {
    let items = list.as_array().unwrap_or_else(|| panic!("not a list: {list}"));
    items.iter().map(|item| text(&item[name])).collect()
}

/// The input with other members, or without those that are null.
fn with(mut base: Value, changes: Value) -> Value {
    let members = base.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    base
}

#[test]
fn every_generated_operation_exists() {
    let known = shapes::OPERATIONS.iter().filter(|operation| operation.service == "elbv2");
    for operation in known {
        assert!(find("elbv2", operation.name).is_some(), "{}", operation.name);
    }
    assert!(!super::OPERATIONS.is_empty());
}
