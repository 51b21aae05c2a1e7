//! What answers show of network interfaces: DescribeNetworkInterfaces, its filters, names.

use model::balancer::LoadBalancerType;
use model::network::{InterfaceOwner, NetworkInterface};
use model::{SecurityGroupId, Snapshot};
use shapes::ec2::{
    DescribeNetworkInterfacesInput, DescribeNetworkInterfacesOutput, GroupIdentifier,
    NetworkInterfaceAssociation, NetworkInterfaceAttachment, NetworkInterfacePrivateIpAddress,
};
use wire::{Fault, Time};

use super::filter::{View, Wanted, each, show};
use super::{address, dhcp_options, resource, tags, zone};
use crate::Ctx;

/// `ip-10-0-0-5.ec2.internal`
pub(crate) fn private_dns_name(interface: &NetworkInterface) -> String {
    let [a, b, c, d] = interface.private_ip.octets();
    format!("ip-{a}-{b}-{c}-{d}.{}", dhcp_options::domain(&interface.scope.region))
}

/// `ec2-127-64-0-1.compute-1.amazonaws.com`, when the interface has a public address and its VPC
/// names hosts.
pub(crate) fn public_dns_name(state: &Snapshot, interface: &NetworkInterface) -> Option<String> {
    let named = state.vpcs.get(&interface.vpc).is_some_and(|vpc| vpc.dns_hostnames);
    let [a, b, c, d] = interface.public_ip.filter(|_| named)?.octets();
    let domain = match &*interface.scope.region {
        "us-east-1" => "compute-1".to_owned(),
        region => format!("{region}.compute"),
    };
    Some(format!("ec2-{a}-{b}-{c}-{d}.{domain}.amazonaws.com"))
}

/// Groups with their names.
pub(crate) fn groups(state: &Snapshot, interface: &NetworkInterface) -> Vec<GroupIdentifier> {
    let group = |id: &SecurityGroupId| GroupIdentifier {
        group_id: Some(id.to_string()),
        group_name: state.security_groups.get(id).map(|group| group.name.clone()),
    };
    interface.security_groups.iter().map(group).collect()
}

/// What AWS shows of who made an interface.
struct Maker {
    interface_type: &'static str,
    requester: Option<&'static str>,
}

fn maker(state: &Snapshot, interface: &NetworkInterface) -> Maker {
    let (interface_type, requester) = match &interface.owner {
        InterfaceOwner::User | InterfaceOwner::Instance(_) => ("interface", None),
        InterfaceOwner::LoadBalancer(arn) => {
            let kind = state.load_balancers.get(arn).map(|balancer| balancer.kind);
            let network = kind == Some(LoadBalancerType::Network);
            let interface_type = if network { "network_load_balancer" } else { "interface" };
            (interface_type, Some("amazon-elb"))
        }
        InterfaceOwner::VpcLink(_) => ("api_gateway_managed", Some("amazon-apigateway")),
        InterfaceOwner::NatGateway(_) => ("nat_gateway", Some("amazon-nat-gateway")),
    };
    Maker { interface_type, requester }
}

fn attachment(
    state: &Snapshot,
    interface: &NetworkInterface,
    requester: Option<&str>,
) -> Option<NetworkInterfaceAttachment> {
    let id = interface.attachment_id.clone()?;
    let (instance_id, device_index, stays) = match &interface.owner {
        InterfaceOwner::Instance(id) => {
            let instance = state.instances.get(id);
            (Some(id.to_string()), 0, instance.is_some_and(|instance| instance.keeps_interface))
        }
        // AWS: interfaces of services have the index 1 and go with what they serve.
        _ => (None, 1, true),
    };
    let owner = requester.map_or_else(|| interface.scope.account.to_string(), str::to_owned);
    Some(NetworkInterfaceAttachment {
        attach_time: Some(Time(interface.created.0)),
        attachment_id: Some(id),
        delete_on_termination: Some(!stays),
        device_index: Some(device_index),
        network_card_index: Some(0),
        instance_id,
        instance_owner_id: Some(owner),
        status: Some("attached".into()),
    })
}

fn association(
    state: &Snapshot,
    interface: &NetworkInterface,
) -> Option<NetworkInterfaceAssociation> {
    let public_ip = Some(interface.public_ip?.to_string());
    let elastic = address::of_interface(state, &interface.id);
    let owner = match elastic {
        Some(_) => interface.scope.account.to_string(),
        None => "amazon".into(),
    };
    Some(NetworkInterfaceAssociation {
        allocation_id: elastic.map(|address| address.id.to_string()),
        association_id: elastic.and_then(|a| a.association.clone()).map(|(id, _)| id),
        ip_owner_id: Some(owner),
        public_dns_name: Some(public_dns_name(state, interface).unwrap_or_default()),
        public_ip,
        ..Default::default()
    })
}

/// An interface as the API shows it.
pub(crate) fn shape(
    state: &Snapshot,
    interface: &NetworkInterface,
) -> shapes::ec2::NetworkInterface {
    let maker = maker(state, interface);
    let association = association(state, interface);
    let private_ip = Some(interface.private_ip.to_string());
    let named = state.vpcs.get(&interface.vpc).is_some_and(|vpc| vpc.dns_hostnames);
    let private_dns_name = named.then(|| private_dns_name(interface));
    let in_use = interface.attachment_id.is_some();
    shapes::ec2::NetworkInterface {
        attachment: attachment(state, interface, maker.requester),
        availability_zone: Some(interface.zone.clone()),
        availability_zone_id: Some(zone::id(&interface.zone)),
        description: Some(interface.description.clone()),
        groups: Some(groups(state, interface)),
        interface_type: Some(maker.interface_type.into()),
        ipv6_addresses: Some(Vec::new()),
        mac_address: Some(interface.mac.clone()),
        network_interface_id: Some(interface.id.to_string()),
        owner_id: Some(interface.scope.account.to_string()),
        private_dns_name: private_dns_name.clone(),
        private_ip_address: private_ip.clone(),
        private_ip_addresses: Some(vec![NetworkInterfacePrivateIpAddress {
            association: association.clone(),
            primary: Some(true),
            private_dns_name,
            private_ip_address: private_ip,
        }]),
        association,
        requester_id: maker.requester.map(Into::into),
        requester_managed: Some(maker.requester.is_some()),
        source_dest_check: Some(interface.source_dest_check),
        status: Some(if in_use { "in-use" } else { "available" }.into()),
        subnet_id: Some(interface.subnet.to_string()),
        tag_set: tags::listed(&interface.tags),
        vpc_id: Some(interface.vpc.to_string()),
        ..Default::default()
    }
}

type Shape = shapes::ec2::NetworkInterface;

fn public(v: &Shape) -> impl Iterator<Item = &NetworkInterfaceAssociation> {
    v.association.iter()
}

fn attached(v: &Shape) -> impl Iterator<Item = &NetworkInterfaceAttachment> {
    v.attachment.iter()
}

const VIEW: View<Shape> = View {
    id: |v| v.network_interface_id.as_deref(),
    tags: |v| v.tag_set.as_deref(),
    fields: &[
        ("addresses.association.owner-id", |v| {
            public(v).flat_map(|a| show(&a.ip_owner_id)).collect()
        }),
        ("addresses.association.public-ip", |v| {
            public(v).flat_map(|a| show(&a.public_ip)).collect()
        }),
        ("addresses.primary", |v| each(&v.private_ip_addresses, |a| &a.primary)),
        ("addresses.private-ip-address", |v| {
            each(&v.private_ip_addresses, |a| &a.private_ip_address)
        }),
        ("association.allocation-id", |v| public(v).flat_map(|a| show(&a.allocation_id)).collect()),
        ("association.association-id", |v| {
            public(v).flat_map(|a| show(&a.association_id)).collect()
        }),
        ("association.ip-owner-id", |v| public(v).flat_map(|a| show(&a.ip_owner_id)).collect()),
        ("association.public-dns-name", |v| {
            public(v).flat_map(|a| show(&a.public_dns_name)).collect()
        }),
        ("association.public-ip", |v| public(v).flat_map(|a| show(&a.public_ip)).collect()),
        ("attachment.attachment-id", |v| {
            attached(v).flat_map(|a| show(&a.attachment_id)).collect()
        }),
        ("attachment.attach-time", |v| {
            attached(v).flat_map(|a| a.attach_time.map(Time::iso_millis)).collect()
        }),
        ("attachment.delete-on-termination", |v| {
            attached(v).flat_map(|a| show(&a.delete_on_termination)).collect()
        }),
        ("attachment.device-index", |v| attached(v).flat_map(|a| show(&a.device_index)).collect()),
        ("attachment.instance-id", |v| attached(v).flat_map(|a| show(&a.instance_id)).collect()),
        ("attachment.instance-owner-id", |v| {
            attached(v).flat_map(|a| show(&a.instance_owner_id)).collect()
        }),
        ("attachment.status", |v| attached(v).flat_map(|a| show(&a.status)).collect()),
        ("availability-zone", |v| show(&v.availability_zone)),
        ("availability-zone-id", |v| show(&v.availability_zone_id)),
        ("description", |v| show(&v.description)),
        ("group-id", |v| each(&v.groups, |group| &group.group_id)),
        ("group-name", |v| each(&v.groups, |group| &group.group_name)),
        ("interface-type", |v| show(&v.interface_type)),
        ("ipv6-addresses.ipv6-address", |_| Vec::new()),
        ("mac-address", |v| show(&v.mac_address)),
        ("network-interface-id", |v| show(&v.network_interface_id)),
        ("owner-id", |v| show(&v.owner_id)),
        ("private-dns-name", |v| show(&v.private_dns_name)),
        ("private-ip-address", |v| show(&v.private_ip_address)),
        ("requester-id", |v| show(&v.requester_id)),
        ("requester-managed", |v| show(&v.requester_managed)),
        ("source-dest-check", |v| show(&v.source_dest_check)),
        ("status", |v| show(&v.status)),
        ("subnet-id", |v| show(&v.subnet_id)),
        ("vpc-id", |v| show(&v.vpc_id)),
    ],
};

/// `DescribeNetworkInterfaces`
pub fn describe_network_interfaces(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeNetworkInterfacesInput,
) -> Result<DescribeNetworkInterfacesOutput, Fault> {
    let ids = input.network_interface_ids.as_deref();
    let found = resource::list::<NetworkInterface>(ctx, state, ids)?;
    let wanted = Wanted {
        filters: input.filters.as_deref(),
        max: input.max_results,
        token: input.next_token.as_deref(),
    };
    let page = VIEW.page(found.iter().map(|interface| shape(state, interface)), wanted)?;
    Ok(DescribeNetworkInterfacesOutput {
        network_interfaces: Some(page.items),
        next_token: page.next,
    })
}
