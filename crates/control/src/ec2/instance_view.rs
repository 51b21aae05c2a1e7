//! What answers show of instances: DescribeInstances, its filters, states and their codes.

use std::sync::Arc;

use model::network::{Instance, InstanceState, NetworkInterface};
use model::{Snapshot, arn};
use shapes::ec2::{
    DescribeInstancesInput, DescribeInstancesOutput, IamInstanceProfile, InstanceNetworkInterface,
    InstanceNetworkInterfaceAssociation, InstanceNetworkInterfaceAttachment,
    InstancePrivateIpAddress, Monitoring, Placement, Reservation, StateReason,
};
use wire::{Fault, Time};

use super::filter::{View, Wanted, each, show};
use super::{address, instance, network_interface_view, resource, tags, zone};
use crate::Ctx;

/// `InstanceState` of an answer; some states are only ever told by the operation that leads there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Pending,
    Running,
    ShuttingDown,
    Terminated,
    Stopping,
    Stopped,
}

impl Shown {
    pub(crate) fn of(state: InstanceState) -> Self {
        match state {
            InstanceState::Running => Self::Running,
            InstanceState::Stopped => Self::Stopped,
            InstanceState::Terminated => Self::Terminated,
        }
    }

    pub(crate) fn state(self) -> shapes::ec2::InstanceState {
        let (code, name) = match self {
            Self::Pending => (0, "pending"),
            Self::Running => (16, "running"),
            Self::ShuttingDown => (32, "shutting-down"),
            Self::Terminated => (48, "terminated"),
            Self::Stopping => (64, "stopping"),
            Self::Stopped => (80, "stopped"),
        };
        shapes::ec2::InstanceState { code: Some(code), name: Some(name.into()) }
    }
}

/// An instance as the API shows it.
pub(crate) fn shape(state: &Snapshot, instance: &Instance, shown: Shown) -> shapes::ec2::Instance {
    let mut shape = shapes::ec2::Instance {
        architecture: Some("x86_64".into()),
        block_device_mappings: Some(Vec::new()),
        ebs_optimized: Some(false),
        ena_support: Some(true),
        hypervisor: Some("xen".into()),
        iam_instance_profile: profile(state, instance),
        network_interfaces: Some(Vec::new()),
        root_device_name: Some("/dev/xvda".into()),
        root_device_type: Some("ebs".into()),
        security_groups: Some(Vec::new()),
        tags: tags::shown(&instance.tags),
        virtualization_type: Some("hvm".into()),
        instance_id: Some(instance.id.to_string()),
        image_id: Some(instance.image.clone()),
        state: Some(shown.state()),
        private_dns_name: Some(String::new()),
        public_dns_name: Some(String::new()),
        state_transition_reason: Some(String::new()),
        state_reason: reason(shown),
        key_name: instance.key_name.clone(),
        ami_launch_index: Some(i64::from(instance.launch_index)),
        instance_type: Some(instance.instance_type.clone()),
        launch_time: Some(Time(instance.launched.0)),
        monitoring: Some(Monitoring { state: Some("disabled".into()) }),
        ..Default::default()
    };
    // AWS: a terminated instance shows no network.
    let gone = instance.state == InstanceState::Terminated;
    let interface = state.network_interfaces.get(&instance.interface).filter(|_| !gone);
    if let Some(interface) = interface {
        add_network(&mut shape, state, instance, interface);
    }
    shape
}

fn add_network(
    shape: &mut shapes::ec2::Instance,
    state: &Snapshot,
    instance: &Instance,
    interface: &NetworkInterface,
) {
    let private_dns_name = network_interface_view::private_dns_name(interface);
    let public_dns_name = network_interface_view::public_dns_name(state, interface);
    let elastic = address::of_interface(state, &interface.id);
    let association = interface.public_ip.map(|ip| InstanceNetworkInterfaceAssociation {
        ip_owner_id: Some(match elastic {
            Some(_) => interface.scope.account.to_string(),
            None => "amazon".into(),
        }),
        public_dns_name: public_dns_name.clone(),
        public_ip: Some(ip.to_string()),
        ..Default::default()
    });
    let private_ip = Some(interface.private_ip.to_string());
    let groups = network_interface_view::groups(state, interface);
    let attachment = InstanceNetworkInterfaceAttachment {
        attach_time: Some(Time(instance.launched.0)),
        attachment_id: interface.attachment_id.clone(),
        delete_on_termination: Some(!instance.keeps_interface),
        device_index: Some(0),
        status: Some("attached".into()),
        network_card_index: Some(0),
    };
    shape.network_interfaces = Some(vec![InstanceNetworkInterface {
        association: association.clone(),
        attachment: Some(attachment),
        description: Some(interface.description.clone()),
        groups: Some(groups.clone()),
        ipv6_addresses: Some(Vec::new()),
        mac_address: Some(interface.mac.clone()),
        network_interface_id: Some(interface.id.to_string()),
        owner_id: Some(interface.scope.account.to_string()),
        private_dns_name: Some(private_dns_name.clone()),
        private_ip_address: private_ip.clone(),
        private_ip_addresses: Some(vec![InstancePrivateIpAddress {
            association,
            primary: Some(true),
            private_dns_name: Some(private_dns_name.clone()),
            private_ip_address: private_ip.clone(),
        }]),
        source_dest_check: Some(interface.source_dest_check),
        status: Some("in-use".into()),
        subnet_id: Some(interface.subnet.to_string()),
        vpc_id: Some(interface.vpc.to_string()),
        interface_type: Some("interface".into()),
    }]);
    shape.security_groups = Some(groups);
    shape.source_dest_check = Some(interface.source_dest_check);
    shape.private_dns_name = Some(private_dns_name);
    shape.public_dns_name = Some(public_dns_name.unwrap_or_default());
    shape.private_ip_address = private_ip;
    shape.public_ip_address = interface.public_ip.map(|ip| ip.to_string());
    shape.subnet_id = Some(interface.subnet.to_string());
    shape.vpc_id = Some(interface.vpc.to_string());
    shape.placement = Some(Placement {
        availability_zone: Some(interface.zone.clone()),
        availability_zone_id: Some(zone::id(&interface.zone)),
        group_name: Some(String::new()),
        tenancy: Some("default".into()),
    });
}

fn reason(shown: Shown) -> Option<StateReason> {
    let (code, message) = match shown {
        Shown::Pending => ("pending", "pending"),
        Shown::Stopped | Shown::Stopping | Shown::ShuttingDown | Shown::Terminated => {
            let code = "Client.UserInitiatedShutdown";
            (code, "Client.UserInitiatedShutdown: User initiated shutdown")
        }
        Shown::Running => return None,
    };
    Some(StateReason { code: Some(code.into()), message: Some(message.into()) })
}

fn profile(state: &Snapshot, instance: &Instance) -> Option<IamInstanceProfile> {
    let given = instance.profile.as_deref()?;
    let name = given.rsplit('/').next().unwrap_or(given);
    let record = state.instance_profiles.get(&model::InstanceProfileName::from(name));
    let resource = match record {
        Some(profile) => format!("instance-profile{}{name}", profile.path),
        None => format!("instance-profile/{name}"),
    };
    let arn = match given.starts_with("arn:") {
        true => given.to_owned(),
        false => arn::iam(&instance.scope.account, &resource),
    };
    Some(IamInstanceProfile { arn: Some(arn), id: record.map(|profile| profile.id.clone()) })
}

/// An instance with its reservation; what filters look at.
struct Row {
    reservation: String,
    owner: String,
    shape: shapes::ec2::Instance,
}

fn networks(row: &Row) -> impl Iterator<Item = &InstanceNetworkInterface> {
    row.shape.network_interfaces.iter().flatten()
}

const VIEW: View<Row> = View {
    id: |v| v.shape.instance_id.as_deref(),
    tags: |v| v.shape.tags.as_deref(),
    fields: &[
        ("affinity", |_| Vec::new()),
        ("architecture", |v| show(&v.shape.architecture)),
        ("availability-zone", |v| {
            v.shape.placement.iter().flat_map(|p| show(&p.availability_zone)).collect()
        }),
        ("availability-zone-id", |v| {
            v.shape.placement.iter().flat_map(|p| show(&p.availability_zone_id)).collect()
        }),
        ("client-token", |v| show(&v.shape.client_token)),
        ("dns-name", |v| show(&v.shape.public_dns_name)),
        ("group-id", |v| each(&v.shape.security_groups, |g| &g.group_id)),
        ("group-name", |v| each(&v.shape.security_groups, |g| &g.group_name)),
        ("hypervisor", |v| show(&v.shape.hypervisor)),
        ("iam-instance-profile.arn", |v| {
            v.shape.iam_instance_profile.iter().flat_map(|p| show(&p.arn)).collect()
        }),
        ("iam-instance-profile.id", |v| {
            v.shape.iam_instance_profile.iter().flat_map(|p| show(&p.id)).collect()
        }),
        ("image-id", |v| show(&v.shape.image_id)),
        ("instance-id", |v| show(&v.shape.instance_id)),
        ("instance-lifecycle", |_| Vec::new()),
        ("instance-state-code", |v| v.shape.state.iter().flat_map(|s| show(&s.code)).collect()),
        ("instance-state-name", |v| v.shape.state.iter().flat_map(|s| show(&s.name)).collect()),
        ("instance-type", |v| show(&v.shape.instance_type)),
        ("instance.group-id", |v| each(&v.shape.security_groups, |g| &g.group_id)),
        ("instance.group-name", |v| each(&v.shape.security_groups, |g| &g.group_name)),
        ("ip-address", |v| show(&v.shape.public_ip_address)),
        ("key-name", |v| show(&v.shape.key_name)),
        ("launch-index", |v| show(&v.shape.ami_launch_index)),
        ("launch-time", |v| v.shape.launch_time.map(Time::iso_millis).into_iter().collect()),
        ("monitoring-state", |v| v.shape.monitoring.iter().flat_map(|m| show(&m.state)).collect()),
        ("network-interface.addresses.private-ip-address", |v| {
            networks(v).flat_map(|n| show(&n.private_ip_address)).collect()
        }),
        ("network-interface.association.public-ip", |v| {
            networks(v).flat_map(|n| &n.association).flat_map(|a| show(&a.public_ip)).collect()
        }),
        ("network-interface.group-id", |v| {
            networks(v).flat_map(|n| each(&n.groups, |g| &g.group_id)).collect()
        }),
        ("network-interface.mac-address", |v| {
            networks(v).flat_map(|n| show(&n.mac_address)).collect()
        }),
        ("network-interface.network-interface-id", |v| {
            networks(v).flat_map(|n| show(&n.network_interface_id)).collect()
        }),
        ("network-interface.private-ip-address", |v| {
            networks(v).flat_map(|n| show(&n.private_ip_address)).collect()
        }),
        ("network-interface.subnet-id", |v| networks(v).flat_map(|n| show(&n.subnet_id)).collect()),
        ("network-interface.vpc-id", |v| networks(v).flat_map(|n| show(&n.vpc_id)).collect()),
        ("owner-id", |v| vec![v.owner.clone()]),
        ("placement-group-name", |_| Vec::new()),
        ("platform", |_| Vec::new()),
        ("private-dns-name", |v| show(&v.shape.private_dns_name)),
        ("private-ip-address", |v| show(&v.shape.private_ip_address)),
        ("reason", |v| show(&v.shape.state_transition_reason)),
        ("requester-id", |_| Vec::new()),
        ("reservation-id", |v| vec![v.reservation.clone()]),
        ("root-device-name", |v| show(&v.shape.root_device_name)),
        ("root-device-type", |v| show(&v.shape.root_device_type)),
        ("source-dest-check", |v| show(&v.shape.source_dest_check)),
        ("state-reason-code", |v| {
            v.shape.state_reason.iter().flat_map(|r| show(&r.code)).collect()
        }),
        ("subnet-id", |v| show(&v.shape.subnet_id)),
        ("tenancy", |v| v.shape.placement.iter().flat_map(|p| show(&p.tenancy)).collect()),
        ("virtualization-type", |v| show(&v.shape.virtualization_type)),
        ("vpc-id", |v| show(&v.shape.vpc_id)),
    ],
};

/// `DescribeInstances`
pub fn describe_instances(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeInstancesInput,
) -> Result<DescribeInstancesOutput, Fault> {
    let found = resource::list::<Instance>(ctx, state, input.instance_ids.as_deref())?;
    let row = |instance: &Arc<Instance>| Row {
        reservation: instance.reservation.clone(),
        owner: instance.scope.account.to_string(),
        shape: shape(state, instance, Shown::of(instance.state)),
    };
    let rows = found.iter().filter(|instance| instance::is_shown(instance, ctx.now)).map(row);
    let wanted = Wanted {
        filters: input.filters.as_deref(),
        max: input.max_results,
        token: input.next_token.as_deref(),
    };
    let page = VIEW.page(rows, wanted)?;
    let mut reservations: Vec<Reservation> = Vec::new();
    for row in page.items {
        let id = Some(row.reservation);
        let known = reservations.iter_mut().find(|reservation| reservation.reservation_id == id);
        match known {
            Some(reservation) => reservation.instances.get_or_insert_default().push(row.shape),
            None => reservations.push(Reservation {
                reservation_id: id,
                owner_id: Some(row.owner),
                requester_id: None,
                groups: Some(Vec::new()),
                instances: Some(vec![row.shape]),
            }),
        }
    }
    Ok(DescribeInstancesOutput { reservations: Some(reservations), next_token: page.next })
}
