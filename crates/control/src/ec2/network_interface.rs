//! Network interfaces: create, delete, modify. What answers show of them is in
//! `network_interface_view.rs`; those of services are shown, not changed.

use model::limits::INTERFACES_PER_REGION;
use model::network::{Instance, InterfaceOwner, NetworkInterface, Subnet};
use shapes::ec2::{
    CreateNetworkInterfaceInput, CreateNetworkInterfaceOutput, DeleteNetworkInterfaceInput,
    DeleteNetworkInterfaceOutput, ModifyNetworkInterfaceAttributeInput,
    ModifyNetworkInterfaceAttributeOutput,
};
use store::Txn;
use wire::Fault;

use super::interface_pool::{self, NewInterface};
use super::network_interface_view::shape;
use super::{address, cidr, fault, resource, security_group, tags};
use crate::Ctx;

/// `CreateNetworkInterface`. DEVIATION: an interface has one private IPv4 address.
pub fn create_network_interface(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreateNetworkInterfaceInput,
) -> Result<CreateNetworkInterfaceOutput, Fault> {
    let subnet = resource::get::<Subnet>(ctx, txn, &input.subnet_id)?;
    let listed = input.private_ip_addresses.unwrap_or_default();
    if input.secondary_private_ip_address_count.is_some() || listed.len() > 1 {
        return Err(fault::unsupported("secondary private addresses of interfaces"));
    }
    let primary = listed.first().and_then(|address| address.private_ip_address.as_deref());
    let private_ip = cidr::address(input.private_ip_address.as_deref().or(primary))?;
    let groups = input.groups.as_deref();
    let groups = security_group::for_interface(ctx, txn, &subnet.vpc, groups)?;
    let tags = tags::specified::<NetworkInterface>(input.tag_specifications.as_deref())?;
    let count = resource::all::<NetworkInterface>(ctx, txn).count();
    let limit = INTERFACES_PER_REGION;
    let what = "network interfaces";
    fault::check_limit("NetworkInterfaceLimitExceeded", what, count, limit)?;
    let mut interface = interface_pool::allocate(
        ctx,
        txn,
        NewInterface {
            subnet: &subnet,
            security_groups: groups,
            owner: InterfaceOwner::User,
            description: input.description.unwrap_or_default(),
            private_ip,
            public: false,
        },
    )?;
    interface.tags = tags;
    txn.put(interface.clone());
    let shape = shapes::ec2::NetworkInterface {
        // AWS: the answer says `pending`, every later one `available`.
        status: Some("pending".into()),
        ..shape(txn, &interface)
    };
    Ok(CreateNetworkInterfaceOutput {
        network_interface: Some(shape),
        client_token: input.client_token,
    })
}

/// `DeleteNetworkInterface`
pub fn delete_network_interface(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteNetworkInterfaceInput,
) -> Result<DeleteNetworkInterfaceOutput, Fault> {
    let interface = resource::get::<NetworkInterface>(ctx, txn, &input.network_interface_id)?;
    if interface.owner != InterfaceOwner::User || interface.attachment_id.is_some() {
        let message = format!("Network interface '{}' is currently in use.", interface.id);
        return Err(fault::invalid(message));
    }
    if let Some(elastic) = address::of_interface(txn, &interface.id).map(|a| a.id.clone()) {
        address::untie(txn, &elastic);
    }
    txn.remove::<NetworkInterface>(&interface.id);
    Ok(DeleteNetworkInterfaceOutput {})
}

/// `ModifyNetworkInterfaceAttribute`
pub fn modify_network_interface_attribute(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: ModifyNetworkInterfaceAttributeInput,
) -> Result<ModifyNetworkInterfaceAttributeOutput, Fault> {
    let interface = resource::get::<NetworkInterface>(ctx, txn, &input.network_interface_id)?;
    if !matches!(interface.owner, InterfaceOwner::User | InterfaceOwner::Instance(_)) {
        let message = "You do not have permission to access the specified resource.";
        return Err(fault::refuse("AuthFailure", message));
    }
    let groups = match input.groups.as_deref() {
        None => None,
        Some([]) => return Err(fault::missing_parameter("SecurityGroupId")),
        given => Some(security_group::for_interface(ctx, txn, &interface.vpc, given)?),
    };
    let description = input.description.map(|text| text.value.unwrap_or_default());
    let check = input.source_dest_check.and_then(|check| check.value);
    let attachment = input.attachment;
    if groups.is_none() && description.is_none() && check.is_none() && attachment.is_none() {
        return Err(fault::combination("No attributes specified."));
    }
    if let Some(changes) = attachment {
        if changes.attachment_id != interface.attachment_id || changes.attachment_id.is_none() {
            let id = changes.attachment_id.unwrap_or_default();
            let message = format!("The attachment ID '{id}' does not exist");
            return Err(fault::refuse("InvalidAttachmentID.NotFound", message));
        }
        if let (Some(goes), InterfaceOwner::Instance(id)) =
            (changes.delete_on_termination, &interface.owner)
        {
            txn.update::<Instance>(id, |i| i.keeps_interface = !goes);
        }
    }
    txn.update::<NetworkInterface>(&interface.id, |interface| {
        if let Some(groups) = groups {
            interface.security_groups = groups;
        }
        interface.source_dest_check = check.unwrap_or(interface.source_dest_check);
        if let Some(description) = description {
            interface.description = description;
        }
    });
    Ok(ModifyNetworkInterfaceAttributeOutput {})
}
