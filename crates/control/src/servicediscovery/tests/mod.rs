//! Tests of the operations through their table: JSON in, JSON out, each call a commit of a store.

mod discovery;
mod instances;
mod namespaces;
mod services;

use std::cell::{Cell, RefCell};
use std::sync::LazyLock;

use model::health::HealthView;
use model::{Record, Scope, Settings, Timestamp};
use serde_json::{Value, json};
use store::{Aborted, Store, Txn};
use wire::Fault;

use crate::operations::{Run, find};
use crate::testing::{to_json, to_node};
use crate::{Ctx, Principal};

static SETTINGS: LazyLock<Settings> = LazyLock::new(Settings::default);

/// A region with the VPCs `vpc-a` and `vpc-b` and the instance `i-run` at 10.0.0.10, and calls on
/// it at a time that only the test moves.
struct World {
    store: Store,
    calls: Cell<u64>,
    now: Cell<i64>,
    health: RefCell<HealthView>,
}

impl World {
    fn new() -> Self {
        let world = Self {
            store: Store::ephemeral(),
            calls: Cell::new(0),
            now: Cell::new(1_700_000_000_000),
            health: RefCell::default(),
        };
        let made: Result<_, Aborted<Fault>> = world.store.transact(|txn| {
            for (vpc, cidr) in [("vpc-a", "10.0.0.0/16"), ("vpc-b", "10.0.0.0/16")] {
                put::<model::network::Vpc>(
                    txn,
                    json!({
                        "scope": scope(), "id": vpc, "cidr": cidr, "cidr_association_id": "",
                        "is_default": false, "dns_support": true, "dns_hostnames": true,
                        "address_usage_metrics": false, "instance_tenancy": "default",
                        "dhcp_options_id": "", "tags": {},
                    }),
                );
            }
            an_instance(txn);
            Ok(())
        });
        made.unwrap();
        world
    }

    /// Calls an operation as a client does.
    fn call(&self, name: &str, input: Value) -> Result<Value, Fault> {
        self.calls.set(self.calls.get() + 1);
        let principal = Principal { arn: String::new(), user_id: String::new() };
        let region = Scope::new("000000000000", "us-east-1");
        let now = Timestamp(self.now.get());
        let ctx = Ctx::new(&SETTINGS, region, principal, now, String::new(), self.calls.get());
        let ctx = ctx.with_health(self.health.borrow().clone());
        let node = to_node(input);
        let operation = find("servicediscovery", name).unwrap_or_else(|| panic!("no {name}"));
        let output = match operation.run {
            Run::Read(run) => run(&ctx, &self.store.snapshot(), &node),
            Run::Write(run) => match self.store.transact(|txn| run(&ctx, txn, &node)) {
                Ok(committed) => Ok(committed.value),
                Err(Aborted::Operation(fault)) => Err(fault),
                Err(Aborted::Store(error)) => panic!("{name}: {error}"),
            },
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

    /// What an operation that a call started was about.
    #[track_caller]
    fn target(&self, answer: &Value, kind: &str) -> String {
        let operation = self.ok("GetOperation", json!({ "OperationId": answer["OperationId"] }));
        assert_eq!(operation["Operation"]["Status"], "SUCCESS");
        text(&operation["Operation"]["Targets"][kind])
    }

    /// An HTTP namespace; its id.
    fn namespace(&self, name: &str) -> String {
        self.target(&self.ok("CreateHttpNamespace", json!({ "Name": name })), "NAMESPACE")
    }

    /// A private DNS namespace in `vpc-a`; its id.
    fn private(&self, name: &str) -> String {
        let input = json!({ "Name": name, "Vpc": "vpc-a" });
        self.target(&self.ok("CreatePrivateDnsNamespace", input), "NAMESPACE")
    }

    /// A service of a namespace with further members; its id.
    fn service(&self, namespace: &str, name: &str, more: Value) -> String {
        let mut input = json!({ "Name": name, "NamespaceId": namespace });
        input.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        text(&self.ok("CreateService", input)["Service"]["Id"])
    }

    /// Registers an instance.
    #[track_caller]
    fn register(&self, service: &str, id: &str, attributes: Value) {
        let input = json!({ "ServiceId": service, "InstanceId": id, "Attributes": attributes });
        self.ok("RegisterInstance", input);
    }
}

fn scope() -> Value {
    json!({ "account": "000000000000", "region": "us-east-1" })
}

fn put<R: Record>(txn: &mut Txn, record: Value) {
    txn.put(serde_json::from_value::<R>(record).unwrap());
}

fn an_instance(txn: &mut Txn) {
    put::<model::network::Subnet>(
        txn,
        json!({
            "scope": scope(), "id": "subnet-a", "vpc": "vpc-a", "cidr": "10.0.0.0/24",
            "zone": "us-east-1a", "default_for_az": false, "map_public_ip_on_launch": false,
            "assign_ipv6_on_creation": false, "launch_options": {}, "tags": {},
        }),
    );
    put::<model::network::NetworkInterface>(
        txn,
        json!({
            "scope": scope(), "id": "eni-run", "vpc": "vpc-a", "subnet": "subnet-a",
            "zone": "us-east-1a", "private_ip": "10.0.0.10", "public_ip": null, "mac": "",
            "security_groups": [], "description": "", "owner": { "Instance": "i-run" },
            "source_dest_check": true, "attachment_id": null, "created": 0, "tags": {},
        }),
    );
    put::<model::network::Instance>(
        txn,
        json!({
            "scope": scope(), "id": "i-run", "image": "", "instance_type": "", "key_name": null,
            "profile": null, "reservation": "", "interface": "eni-run", "state": "Running",
            "launched": 0, "tags": {},
        }),
    );
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}")).to_owned()
}

/// The members called `name` of a list of structures.
fn column(list: &Value, name: &str) -> Vec<String> {
    let items = list.as_array().unwrap_or_else(|| panic!("not a list: {list}"));
    items.iter().map(|item| text(&item[name])).collect()
}

#[test]
fn every_generated_operation_exists() {
    let generated = shapes::OPERATIONS.iter().filter(|op| op.service == "servicediscovery");
    let missing: Vec<_> = generated.filter(|op| find(op.service, op.name).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(super::OPERATIONS.len(), 30);
}
