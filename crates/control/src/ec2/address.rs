//! Elastic IP addresses: allocate, release, associate, disassociate, describe.

use std::sync::Arc;

use model::limits::ADDRESSES_PER_REGION;
use model::network::{Address, Instance, InterfaceOwner, NetworkInterface, Vpc};
use model::{AllocationId, NetworkInterfaceId, Snapshot};
use shapes::ec2::{
    AllocateAddressInput, AllocateAddressOutput, AssociateAddressInput, AssociateAddressOutput,
    DescribeAddressesAttributeInput, DescribeAddressesAttributeOutput, DescribeAddressesInput,
    DescribeAddressesOutput, DisassociateAddressInput, DisassociateAddressOutput,
    ReleaseAddressInput, ReleaseAddressOutput,
};
use store::Txn;
use wire::Fault;

use super::filter::{View, show};
use super::{cidr, fault, interface_pool, internet_gateway, resource, tags};
use crate::Ctx;

/// The elastic address of an interface.
pub(crate) fn of_interface<'a>(
    state: &'a Snapshot,
    interface: &NetworkInterfaceId,
) -> Option<&'a Arc<Address>> {
    let here = |address: &&Arc<Address>| {
        address.association.as_ref().is_some_and(|(_, id)| id == interface)
    };
    state.addresses.iter().find(here)
}

/// Ties an address to an interface; what either was tied to before is let go.
pub(crate) fn tie(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    address: &AllocationId,
    interface: &NetworkInterfaceId,
) -> String {
    untie(txn, address);
    if let Some(other) = of_interface(txn, interface).map(|address| address.id.clone()) {
        untie(txn, &other);
    }
    let id = ctx.ec2_id("eipassoc");
    let association = Some((id.clone(), interface.clone()));
    txn.update::<Address>(address, |address| address.association = association);
    let public_ip = txn.addresses.get(address).map(|address| address.public_ip);
    txn.update::<NetworkInterface>(interface, |interface| interface.public_ip = public_ip);
    id
}

/// Lets an address go from its interface.
pub(crate) fn untie(txn: &mut Txn, address: &AllocationId) {
    let Some(record) = txn.get::<Address>(address) else { return };
    let Some((_, interface)) = &record.association else { return };
    txn.update::<NetworkInterface>(interface, |interface| interface.public_ip = None);
    txn.update::<Address>(address, |address| address.association = None);
}

fn shape(state: &Snapshot, address: &Address) -> shapes::ec2::Address {
    let mut shape = shapes::ec2::Address {
        allocation_id: Some(address.id.to_string()),
        domain: Some("vpc".into()),
        tags: tags::shown(&address.tags),
        public_ipv4_pool: Some("amazon".into()),
        network_border_group: Some(address.scope.region.to_string()),
        public_ip: Some(address.public_ip.to_string()),
        ..Default::default()
    };
    let Some((association, id)) = &address.association else { return shape };
    shape.association_id = Some(association.clone());
    shape.network_interface_id = Some(id.to_string());
    shape.network_interface_owner_id = Some(address.scope.account.to_string());
    let Some(interface) = state.network_interfaces.get(id) else { return shape };
    shape.private_ip_address = Some(interface.private_ip.to_string());
    shape.subnet_id = Some(interface.subnet.to_string());
    if let InterfaceOwner::Instance(instance) = &interface.owner {
        shape.instance_id = Some(instance.to_string());
    }
    shape
}

/// `AllocateAddress`
pub fn allocate_address(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: AllocateAddressInput,
) -> Result<AllocateAddressOutput, Fault> {
    let pool = input.public_ipv4_pool.as_deref().is_some_and(|pool| pool != "amazon");
    if input.address.is_some() || pool || input.ipam_pool_id.is_some() {
        return Err(fault::unsupported("elastic addresses of one's choice or from own pools"));
    }
    let count = resource::all::<Address>(ctx, txn).count();
    fault::check_limit("AddressLimitExceeded", "addresses", count, ADDRESSES_PER_REGION)?;
    let public_ip = interface_pool::public_address(txn).ok_or_else(|| {
        let message = "There are not enough free elastic addresses to satisfy the request.";
        fault::refuse("InsufficientAddressCapacity", message)
    })?;
    let address = Address {
        scope: ctx.scope.clone(),
        id: AllocationId::from(ctx.ec2_id("eipalloc")),
        public_ip,
        association: None,
        tags: tags::specified::<Address>(input.tag_specifications.as_deref())?,
    };
    txn.put(address.clone());
    Ok(AllocateAddressOutput {
        allocation_id: Some(address.id.to_string()),
        public_ipv4_pool: Some("amazon".into()),
        network_border_group: Some(ctx.scope.region.to_string()),
        domain: Some("vpc".into()),
        public_ip: Some(public_ip.to_string()),
        ..Default::default()
    })
}

/// The address that a request names.
fn asked(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    id: Option<&str>,
    public_ip: Option<&str>,
) -> Result<Arc<Address>, Fault> {
    match (id, public_ip) {
        (Some(id), _) => resource::get::<Address>(ctx, state, id),
        (None, Some(ip)) => by_public_ip(ctx, state, ip),
        (None, None) => Err(fault::missing("Either AllocationId or PublicIp must be specified")),
    }
}

fn by_public_ip(ctx: &Ctx<'_>, state: &Snapshot, ip: &str) -> Result<Arc<Address>, Fault> {
    let found = resource::all::<Address>(ctx, state).find(|a| a.public_ip.to_string() == ip);
    found.cloned().ok_or_else(|| {
        fault::refuse("InvalidAddress.NotFound", format!("Address '{ip}' not found."))
    })
}

/// Refuses what belongs to a service. AWS: so it guards addresses of NAT gateways and load
/// balancers.
fn check_owner(interface: &NetworkInterface) -> Result<(), Fault> {
    match interface.owner {
        InterfaceOwner::User | InterfaceOwner::Instance(_) => Ok(()),
        _ => {
            let message = "You do not have permission to access the specified resource.";
            Err(fault::refuse("AuthFailure", message))
        }
    }
}

/// `AssociateAddress`. AWS: an address that is associated moves, unless `AllowReassociation` is
/// false.
pub fn associate_address(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: AssociateAddressInput,
) -> Result<AssociateAddressOutput, Fault> {
    let address = asked(ctx, txn, input.allocation_id.as_deref(), input.public_ip.as_deref())?;
    let interface = match (&input.network_interface_id, &input.instance_id) {
        (Some(id), _) => resource::get::<NetworkInterface>(ctx, txn, id)?,
        (None, Some(id)) => {
            let instance = resource::get::<Instance>(ctx, txn, id)?;
            resource::get::<NetworkInterface>(ctx, txn, instance.interface.as_str())?
        }
        (None, None) => {
            let message = "Either instance ID or network interface ID must be specified";
            return Err(fault::missing(message));
        }
    };
    check_owner(&interface)?;
    if cidr::address(input.private_ip_address.as_deref())?
        .is_some_and(|ip| ip != interface.private_ip)
    {
        let message = format!(
            "The private IP address is not assigned to the network interface '{}'",
            interface.id
        );
        return Err(fault::invalid(message));
    }
    check_internet(ctx, txn, &interface)?;
    if let Some((association, id)) = &address.association {
        if *id == interface.id {
            return Ok(AssociateAddressOutput { association_id: Some(association.clone()) });
        }
        if let Some(holder) = txn.network_interfaces.get(id) {
            check_owner(holder)?;
        }
        if input.allow_reassociation == Some(false) {
            let message = format!(
                "resource {} is already associated with associate-id {association}",
                address.id
            );
            return Err(fault::refuse("Resource.AlreadyAssociated", message));
        }
    }
    let association = tie(ctx, txn, &address.id, &interface.id);
    Ok(AssociateAddressOutput { association_id: Some(association) })
}

/// AWS: a public address needs an internet gateway.
fn check_internet(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    interface: &NetworkInterface,
) -> Result<(), Fault> {
    let vpc = resource::get::<Vpc>(ctx, state, interface.vpc.as_str())?;
    if internet_gateway::of_vpc(state, &vpc).is_none() {
        let message = format!("Network {} is not attached to any internet gateway", vpc.id);
        return Err(fault::refuse("Gateway.NotAttached", message));
    }
    Ok(())
}

/// `DisassociateAddress`
pub fn disassociate_address(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DisassociateAddressInput,
) -> Result<DisassociateAddressOutput, Fault> {
    let address = match (&input.association_id, &input.public_ip) {
        (Some(id), _) => {
            let with_id = |address: &&Arc<Address>| {
                address.association.as_ref().is_some_and(|(association, _)| association == id)
            };
            resource::all::<Address>(ctx, txn).find(with_id).cloned().ok_or_else(|| {
                let message = format!("The association ID '{id}' does not exist");
                fault::refuse("InvalidAssociationID.NotFound", message)
            })?
        }
        (None, Some(ip)) => by_public_ip(ctx, txn, ip)?,
        (None, None) => {
            let message = "Either 'AssociationId' or 'PublicIp' must be specified";
            return Err(fault::missing(message));
        }
    };
    if let Some((_, interface)) = &address.association
        && let Some(interface) = txn.network_interfaces.get(interface)
    {
        check_owner(interface)?;
    }
    untie(txn, &address.id);
    Ok(DisassociateAddressOutput {})
}

/// `ReleaseAddress`
pub fn release_address(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: ReleaseAddressInput,
) -> Result<ReleaseAddressOutput, Fault> {
    let Some(id) = input.allocation_id.as_deref() else {
        return Err(match input.public_ip {
            Some(_) => fault::invalid(
                "You must specify an allocation id when releasing a VPC elastic IP address",
            ),
            None => fault::missing_parameter("AllocationId"),
        });
    };
    let address = resource::get::<Address>(ctx, txn, id)?;
    if address.association.is_some() {
        let message = format!("Address {} is in use.", address.public_ip);
        return Err(fault::refuse("InvalidIPAddress.InUse", message));
    }
    txn.remove::<Address>(&address.id);
    Ok(ReleaseAddressOutput {})
}

const VIEW: View<shapes::ec2::Address> = View {
    id: |v| v.allocation_id.as_deref(),
    tags: |v| v.tags.as_deref(),
    fields: &[
        ("allocation-id", |v| show(&v.allocation_id)),
        ("association-id", |v| show(&v.association_id)),
        ("domain", |v| show(&v.domain)),
        ("instance-id", |v| show(&v.instance_id)),
        ("network-border-group", |v| show(&v.network_border_group)),
        ("network-interface-id", |v| show(&v.network_interface_id)),
        ("network-interface-owner-id", |v| show(&v.network_interface_owner_id)),
        ("private-ip-address", |v| show(&v.private_ip_address)),
        ("public-ip", |v| show(&v.public_ip)),
    ],
};

/// `DescribeAddresses`
pub fn describe_addresses(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeAddressesInput,
) -> Result<DescribeAddressesOutput, Fault> {
    let mut found = resource::list::<Address>(ctx, state, input.allocation_ids.as_deref())?;
    if let Some(ips) = input.public_ips.filter(|ips| !ips.is_empty()) {
        for ip in &ips {
            by_public_ip(ctx, state, ip)?;
        }
        found.retain(|address| ips.contains(&address.public_ip.to_string()));
    }
    let shapes = found.iter().map(|address| shape(state, address));
    let addresses = VIEW.select(shapes, input.filters.as_deref())?;
    Ok(DescribeAddressesOutput { addresses: Some(addresses) })
}

/// `DescribeAddressesAttribute`. Only addresses with a reverse name have an attribute; none has.
pub fn describe_addresses_attribute(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeAddressesAttributeInput,
) -> Result<DescribeAddressesAttributeOutput, Fault> {
    resource::list::<Address>(ctx, state, input.allocation_ids.as_deref())?;
    Ok(DescribeAddressesAttributeOutput { addresses: Some(Vec::new()), next_token: None })
}
