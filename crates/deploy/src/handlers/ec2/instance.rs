//! `AWS::EC2::Instance`: an address with groups. No guest is started; user data is kept from the
//! operation, which does the same with it as for any client.

use std::borrow::Cow;

use control::Ctx;
use model::network::{Instance, NetworkInterface};
use model::stack::StackResource;
use model::{InstanceId, Snapshot};
use serde_json::{Value as Json, json};
use wire::{Fault, Node};

use super::{EC2, tagged};
use crate::handlers::call::{Call, answer, members};
use crate::handlers::{ResourceType, at_once};
use crate::properties::{Kind, Spelling, boolean, integer, objects, tags, text, texts};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::EC2::Instance",
    properties: &[
        boolean("DisableApiTermination"),
        boolean("EbsOptimized"),
        text("IamInstanceProfile"),
        text("ImageId").create_only(),
        text("InstanceType"),
        text("KeyName").create_only(),
        boolean("Monitoring"),
        objects("NetworkInterfaces", &INTERFACE).create_only(),
        text("PrivateIpAddress").create_only(),
        texts("SecurityGroupIds"),
        texts("SecurityGroups"),
        text("SubnetId").create_only(),
        text("UserData"),
        tags(),
    ],
    spelling: Spelling::Same,
    delete_first: false,
    create,
    delete,
    attributes: &[
        "AvailabilityZone",
        "InstanceId",
        "PrivateDnsName",
        "PrivateIp",
        "PublicIp",
        "VpcId",
    ],
    attribute,
    stable: at_once,
};

const INTERFACE: Kind = Kind::Object(&[
    boolean("AssociatePublicIpAddress"),
    boolean("DeleteOnTermination"),
    text("Description"),
    integer("DeviceIndex").required(),
    texts("GroupSet"),
    text("NetworkInterfaceId"),
    text("PrivateIpAddress"),
    text("SubnetId"),
]);

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let names = ["DisableApiTermination", "EbsOptimized", "ImageId", "InstanceType", "KeyName"];
    let mut input = call.take(&names);
    input.extend(call.take(&["PrivateIpAddress", "SubnetId", "UserData"]));
    input.extend(["MinCount", "MaxCount"].map(|name| (Cow::Borrowed(name), Node::Int(1))));
    let renamed = [("SecurityGroupIds", "SecurityGroupId"), ("SecurityGroups", "SecurityGroup")];
    for (name, wire) in renamed {
        input.extend(call.get(name).map(|node| (Cow::Borrowed(wire), node.clone())));
    }
    let interfaces: Vec<Node> = call.list("NetworkInterfaces").into_iter().map(interface).collect();
    if !interfaces.is_empty() {
        input.push((Cow::Borrowed("NetworkInterface"), Node::List(interfaces)));
    }
    if call.get("IamInstanceProfile").is_some() {
        let profile = members([("Name", call.text("IamInstanceProfile"))]);
        input.push((Cow::Borrowed("IamInstanceProfile"), profile));
    }
    let input = tagged(call, "instance", input);
    answer(&call.run(EC2, "RunInstances", input)?, "instancesSet.instanceId")
}

/// EC2 calls the groups of an interface otherwise.
fn interface(node: Node) -> Node {
    let Node::Struct(members) = node else { return node };
    let renamed = members.into_iter().map(|(name, value)| match &*name {
        "GroupSet" => (Cow::Borrowed("SecurityGroupId"), value),
        _ => (name, value),
    });
    Node::Struct(renamed.collect())
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let ids = Node::List(vec![Node::text(call.physical_id)]);
    call.run(EC2, "TerminateInstances", vec![(Cow::Borrowed("InstanceId"), ids)]).map(drop)
}

fn attribute(_: &Ctx<'_>, state: &Snapshot, resource: &StackResource, name: &str) -> Option<Json> {
    let instance = state.instances.get(&InstanceId::from(resource.physical_id.as_str()))?;
    let interface = state.network_interfaces.get(&instance.interface)?;
    of(instance, interface, name)
}

fn of(instance: &Instance, interface: &NetworkInterface, name: &str) -> Option<Json> {
    Some(match name {
        "AvailabilityZone" => json!(interface.zone),
        "InstanceId" => json!(instance.id.as_str()),
        "PrivateDnsName" => {
            let address = interface.private_ip.to_string().replace('.', "-");
            // AWS: us-east-1 has names of its own.
            match &*instance.scope.region {
                "us-east-1" => json!(format!("ip-{address}.ec2.internal")),
                region => json!(format!("ip-{address}.{region}.compute.internal")),
            }
        }
        "PrivateIp" => json!(interface.private_ip.to_string()),
        "PublicIp" => json!(interface.public_ip?.to_string()),
        "VpcId" => json!(interface.vpc.as_str()),
        _ => return None,
    })
}
