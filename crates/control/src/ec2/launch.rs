//! RunInstances: checks, the first interface of each instance, the records.

use std::net::Ipv4Addr;
use std::sync::Arc;

use model::limits::INSTANCES_PER_REGION;
use model::network::{
    Instance, InstanceState, InterfaceOwner, NetworkInterface, SecurityGroup, Subnet,
};
use model::{InstanceId, SecurityGroupId, Snapshot, Tags};
use shapes::ec2::{InstanceNetworkInterfaceSpecification, RunInstancesInput, RunInstancesOutput};
use store::Txn;
use wire::Fault;

use super::instance::forget_old;
use super::instance_view::{self, Shown};
use super::interface_pool::{self, NewInterface};
use super::resource::Resource;
use super::{cidr, default_vpc, fault, resource, security_group, tags, zone};
use crate::Ctx;

/// Instances of one request.
const MAX_COUNT: i64 = 100;
/// Where the first interface of a new instance comes from.
enum First {
    /// One that a user made.
    Existing(Arc<NetworkInterface>),
    /// A new one.
    New {
        subnet: Arc<Subnet>,
        groups: Vec<SecurityGroupId>,
        private_ip: Option<Ipv4Addr>,
        public: bool,
        description: String,
        keeps: bool,
    },
}

/// `RunInstances`
pub fn run_instances(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: RunInstancesInput,
) -> Result<RunInstancesOutput, Fault> {
    let image = input.image_id.clone().ok_or_else(|| fault::missing_parameter("ImageId"))?;
    let count = checked_count(&input)?;
    let first = first_interface(ctx, txn, &input, count)?;
    let specifications = input.tag_specifications.as_deref();
    let allowed = [Instance::TYPE, "volume", NetworkInterface::TYPE, "spot-instances-request"];
    let tags = tags::specified_for(specifications, &allowed, Instance::TYPE)?;
    let interface_tags = tags::specified_for(specifications, &allowed, NetworkInterface::TYPE)?;
    let profile = input.iam_instance_profile.and_then(|profile| profile.arn.or(profile.name));
    forget_old(ctx, txn);
    let there = resource::all::<Instance>(ctx, txn).count();
    let asked = usize::try_from(count).unwrap_or(usize::MAX);
    let limit = INSTANCES_PER_REGION.saturating_sub(asked - 1);
    fault::check_limit("InstanceLimitExceeded", "instances", there, limit)?;
    let reservation = ctx.ec2_id("r");
    let mut shapes = Vec::new();
    for index in 0..count {
        let id = InstanceId::from(ctx.ec2_id("i"));
        let (interface, keeps_interface) = take(ctx, txn, &first, &id, &interface_tags)?;
        let instance = Instance {
            scope: ctx.scope.clone(),
            id,
            image: image.clone(),
            // AWS: m1.small unless told.
            instance_type: input.instance_type.clone().unwrap_or_else(|| "m1.small".into()),
            key_name: input.key_name.clone(),
            profile: profile.clone(),
            reservation: reservation.clone(),
            launch_index: u32::try_from(index).unwrap_or(u32::MAX),
            interface: interface.id.clone(),
            keeps_interface,
            terminated: None,
            state: InstanceState::Running,
            launched: ctx.now,
            tags: tags.clone(),
        };
        txn.put(instance.clone());
        // AWS: the answer says `pending`, every later one `running`.
        shapes.push(instance_view::shape(txn, &instance, Shown::Pending));
    }
    Ok(RunInstancesOutput {
        reservation_id: Some(reservation),
        owner_id: Some(ctx.scope.account.to_string()),
        requester_id: None,
        groups: Some(Vec::new()),
        instances: Some(shapes),
    })
}

fn checked_count(input: &RunInstancesInput) -> Result<i64, Fault> {
    let (min, max) = (input.min_count, input.max_count);
    if min < 1 {
        let message =
            format!("Value ({min}) for parameter minCount is invalid. It must be at least 1");
        return Err(fault::invalid(message));
    }
    if max < min {
        let message =
            format!("Value ({max}) for parameter maxCount is invalid. It is less than minCount");
        return Err(fault::invalid(message));
    }
    if min > MAX_COUNT {
        let message = format!("You have requested more instances ({min}) than {MAX_COUNT}.");
        return Err(fault::refuse("InstanceLimitExceeded", message));
    }
    Ok(max.min(MAX_COUNT))
}

fn first_interface(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: &RunInstancesInput,
    count: i64,
) -> Result<First, Fault> {
    let specification = match input.network_interfaces.as_deref() {
        None | Some([]) => None,
        Some([one]) => Some(one),
        Some(_) => return Err(fault::unsupported("instances with several interfaces")),
    };
    let has_groups = input.security_group_ids.is_some() || input.security_groups.is_some();
    if specification.is_some() && (input.subnet_id.is_some() || has_groups) {
        let what = if input.subnet_id.is_some() { "subnet ID" } else { "security groups" };
        return Err(fault::combination(format!(
            "Network interfaces and an instance-level {what} may not be specified on the same \
             request"
        )));
    }
    let spec = specification.cloned().unwrap_or_default();
    let address = address_asked(input, &spec)?;
    if count > 1 && (address.is_some() || spec.network_interface_id.is_some()) {
        let message = "A network interface or private address can be given to one instance only";
        return Err(fault::combination(message));
    }
    if let Some(id) = spec.network_interface_id.as_deref() {
        let interface = resource::get::<NetworkInterface>(ctx, state, id)?;
        if interface.owner != InterfaceOwner::User || interface.attachment_id.is_some() {
            let message = format!("Interface: [{id}] in use.");
            return Err(fault::refuse("InvalidNetworkInterface.InUse", message));
        }
        return Ok(First::Existing(interface));
    }
    let subnet = subnet(ctx, state, input, &spec)?;
    let public = spec.associate_public_ip_address.unwrap_or(subnet.map_public_ip_on_launch);
    Ok(First::New {
        groups: groups(ctx, state, input, &spec, &subnet)?,
        private_ip: address,
        public,
        description: spec.description.unwrap_or_default(),
        keeps: spec.delete_on_termination == Some(false),
        subnet,
    })
}

fn address_asked(
    input: &RunInstancesInput,
    spec: &InstanceNetworkInterfaceSpecification,
) -> Result<Option<Ipv4Addr>, Fault> {
    let listed = spec.private_ip_addresses.as_deref().unwrap_or_default();
    if listed.len() > 1 {
        return Err(fault::unsupported("secondary private addresses of interfaces"));
    }
    let listed = listed.first().and_then(|address| address.private_ip_address.as_deref());
    let own = spec.private_ip_address.as_deref().or(listed);
    cidr::address(input.private_ip_address.as_deref().or(own))
}

/// AWS: without a subnet, the default one of the zone asked for, else of any zone.
fn subnet(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: &RunInstancesInput,
    spec: &InstanceNetworkInterfaceSpecification,
) -> Result<Arc<Subnet>, Fault> {
    if let Some(id) = input.subnet_id.as_deref().or(spec.subnet_id.as_deref()) {
        return resource::get::<Subnet>(ctx, state, id);
    }
    let placement = input.placement.as_ref();
    let name = placement.and_then(|placement| placement.availability_zone.as_deref());
    let id = placement.and_then(|placement| placement.availability_zone_id.as_deref());
    let zone = zone::asked(&ctx.scope, name, id)?;
    let vpc = default_vpc::find(ctx, state).ok_or_else(|| {
        fault::refuse("VPCIdNotSpecified", "No default VPC for this user. Specify a subnet.")
    })?;
    let fits = |subnet: &&Arc<Subnet>| {
        subnet.vpc == vpc.id
            && subnet.default_for_az
            && zone.as_ref().is_none_or(|zone| *zone == subnet.zone)
    };
    let subnets = state.subnets.iter().filter(fits);
    subnets.min_by_key(|subnet| &subnet.zone).cloned().ok_or_else(|| {
        let message =
            format!("No subnets found for the default VPC '{}'. Please specify a subnet.", vpc.id);
        fault::refuse("MissingInput", message)
    })
}

fn groups(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: &RunInstancesInput,
    spec: &InstanceNetworkInterfaceSpecification,
    subnet: &Subnet,
) -> Result<Vec<SecurityGroupId>, Fault> {
    let given = input.security_group_ids.as_ref().or(spec.groups.as_ref());
    let mut ids = given.cloned().unwrap_or_default();
    for name in input.security_groups.iter().flatten() {
        let group = security_group::named(state, &subnet.vpc, name);
        let group = group.ok_or_else(|| resource::not_found::<SecurityGroup>(name))?;
        ids.push(group.id.to_string());
    }
    security_group::for_interface(ctx, state, &subnet.vpc, Some(&ids))
}

/// Gives an instance its interface; says whether that outlives it.
fn take(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    first: &First,
    instance: &InstanceId,
    tags: &Tags,
) -> Result<(NetworkInterface, bool), Fault> {
    let owner = InterfaceOwner::Instance(instance.clone());
    let (mut interface, keeps) = match first {
        First::Existing(interface) => {
            let mut interface = NetworkInterface::clone(interface);
            interface.owner = owner;
            interface.attachment_id = Some(ctx.ec2_id("eni-attach"));
            (interface, true)
        }
        First::New { subnet, groups, private_ip, public, description, keeps } => {
            let interface = interface_pool::allocate(
                ctx,
                txn,
                NewInterface {
                    subnet,
                    security_groups: groups.clone(),
                    owner,
                    description: description.clone(),
                    private_ip: *private_ip,
                    public: *public,
                },
            )?;
            (interface, *keeps)
        }
    };
    interface.tags.extend(tags.clone());
    txn.put(interface.clone());
    Ok((interface, keeps))
}
