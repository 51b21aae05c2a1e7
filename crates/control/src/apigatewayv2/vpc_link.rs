//! CreateVpcLink, GetVpcLink, GetVpcLinks, UpdateVpcLink, DeleteVpcLink.
//!
//! A link gets its network interfaces here; the node makes it available.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::limits::{SECURITY_GROUPS_PER_INTERFACE, SUBNETS_PER_VPC_LINK, VPC_LINKS_PER_REGION};
use model::link::{self, VpcLinkStatus};
use model::network::{InterfaceOwner, Subnet};
use model::{SecurityGroupId, Snapshot, SubnetId, VpcId};
use shapes::apigatewayv2::{
    CreateVpcLinkInput, CreateVpcLinkOutput, DeleteVpcLinkInput, DeleteVpcLinkOutput,
    GetVpcLinkInput, GetVpcLinkOutput, GetVpcLinksInput, GetVpcLinksOutput, UpdateVpcLinkInput,
    UpdateVpcLinkOutput, VpcLink,
};
use store::Txn;
use wire::Fault;

use super::list::list;
use super::{check, fault, find, outputs};
use crate::Ctx;
use crate::ec2::interface_pool::{self, NewInterface};

const NAME: &str = "Invalid VPC link name specified. Must have 1-128 characters";

/// Makes a link with an interface in each subnet. The answer says `PENDING`.
pub fn create_vpc_link(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreateVpcLinkInput,
) -> Result<CreateVpcLinkOutput, Fault> {
    let name = check::name(input.name, NAME)?;
    let of_scope = txn.vpc_links.iter().filter(|link| link.scope == ctx.scope).count();
    if of_scope >= VPC_LINKS_PER_REGION {
        return Err(fault::too_many("VPC links", VPC_LINKS_PER_REGION));
    }
    let subnets = subnets(ctx, txn, &input.subnet_ids.unwrap_or_default())?;
    let vpc = one_vpc(&subnets)?;
    let groups = groups(txn, &vpc, &input.security_group_ids.unwrap_or_default())?;
    let record = link::VpcLink {
        scope: ctx.scope.clone(),
        id: find::fresh(ctx, 6, |id| txn.vpc_links.contains(&id.into())).into(),
        name,
        vpc,
        subnets: subnets.iter().map(|subnet| subnet.id.clone()).collect(),
        security_groups: groups,
        status: VpcLinkStatus::Pending,
        tags: check::tags(input.tags)?,
        created: ctx.now,
    };
    txn.put(record.clone());
    make_interfaces(ctx, txn, &record, &subnets)?;
    Ok(outputs::vpc_link_created(shown(&record)))
}

/// One link.
pub fn get_vpc_link(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: GetVpcLinkInput,
) -> Result<GetVpcLinkOutput, Fault> {
    let link = find::vpc_link(ctx, state, input.vpc_link_id.as_ref())?;
    Ok(outputs::vpc_link_got(shown(&link)))
}

/// All links of the caller's region.
pub fn get_vpc_links(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: GetVpcLinksInput,
) -> Result<GetVpcLinksOutput, Fault> {
    let links = state.vpc_links.iter().filter(|link| link.scope == ctx.scope);
    let (max, token) = (input.max_results.as_deref(), input.next_token.as_deref());
    let (items, next_token) = list(links, max, token, shown)?;
    Ok(GetVpcLinksOutput { items: Some(items), next_token })
}

/// Changes the name. AWS: subnets and groups cannot be changed.
pub fn update_vpc_link(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: UpdateVpcLinkInput,
) -> Result<UpdateVpcLinkOutput, Fault> {
    let found = find::vpc_link(ctx, txn, input.vpc_link_id.as_ref())?;
    let mut record = link::VpcLink::clone(&found);
    if input.name.is_some() {
        record.name = check::name(input.name, NAME)?;
        txn.put(record.clone());
    }
    Ok(outputs::vpc_link_updated(shown(&record)))
}

/// Removes a link and its interfaces. Integrations that use it keep its id; they lead nowhere.
///
/// DEVIATION: a VPC link stays AVAILABLE however long it carries nothing, and never fails; AWS
/// makes it INACTIVE after 60 days without traffic.
///
/// DEVIATION: a VPC link is gone as soon as it is deleted; it is never seen as `DELETING`.
pub fn delete_vpc_link(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteVpcLinkInput,
) -> Result<DeleteVpcLinkOutput, Fault> {
    let found = find::vpc_link(ctx, txn, input.vpc_link_id.as_ref())?;
    interface_pool::release_owned(txn, &InterfaceOwner::VpcLink(found.id.clone()));
    txn.remove::<link::VpcLink>(&found.id);
    Ok(DeleteVpcLinkOutput {})
}

fn subnets(ctx: &Ctx<'_>, state: &Snapshot, ids: &[String]) -> Result<Vec<Arc<Subnet>>, Fault> {
    if ids.is_empty() {
        return Err(Fault::bad_request("SubnetIds for a vpc link cannot be empty"));
    }
    if ids.len() > SUBNETS_PER_VPC_LINK {
        let message = format!("A vpc link may have at most {SUBNETS_PER_VPC_LINK} subnets");
        return Err(Fault::bad_request(message));
    }
    distinct("Subnet", ids)?;
    let find = |id: &String| {
        let subnet = state.subnets.get(&SubnetId::from(id.as_str()));
        subnet
            .filter(|subnet| subnet.scope == ctx.scope)
            .cloned()
            .ok_or_else(|| Fault::bad_request(format!("Subnet '{id}' does not exist")))
    };
    ids.iter().map(find).collect()
}

fn one_vpc(subnets: &[Arc<Subnet>]) -> Result<VpcId, Fault> {
    let vpc = subnets.first().map(|subnet| subnet.vpc.clone()).unwrap_or_default();
    match subnets.iter().find(|subnet| subnet.vpc != vpc) {
        None => Ok(vpc),
        Some(other) => Err(Fault::bad_request(format!(
            "All subnets of a vpc link must be in the same VPC: '{}' is not in '{vpc}'",
            other.id
        ))),
    }
}

fn groups(state: &Snapshot, vpc: &VpcId, ids: &[String]) -> Result<Vec<SecurityGroupId>, Fault> {
    if ids.len() > SECURITY_GROUPS_PER_INTERFACE {
        return Err(Fault::bad_request(format!(
            "A vpc link may have at most {SECURITY_GROUPS_PER_INTERFACE} security groups"
        )));
    }
    distinct("Security group", ids)?;
    let find = |id: &String| {
        let id = SecurityGroupId::from(id.as_str());
        let group = state.security_groups.get(&id).filter(|group| group.vpc == *vpc);
        group.map(|group| group.id.clone()).ok_or_else(|| {
            Fault::bad_request(format!("Security group '{id}' does not exist in VPC '{vpc}'"))
        })
    };
    ids.iter().map(find).collect()
}

fn distinct(what: &str, ids: &[String]) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    match ids.iter().find(|id| !seen.insert(*id)) {
        None => Ok(()),
        Some(id) => Err(Fault::bad_request(format!("{what} '{id}' is given twice"))),
    }
}

/// One interface per subnet. Without groups the VPC's default group applies to them.
fn make_interfaces(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    link: &link::VpcLink,
    subnets: &[Arc<Subnet>],
) -> Result<(), Fault> {
    let mut groups = link.security_groups.clone();
    if groups.is_empty() {
        let mut of_vpc = txn.security_groups.iter().filter(|group| group.vpc == link.vpc);
        groups.extend(of_vpc.find(|group| group.name == "default").map(|group| group.id.clone()));
    }
    for subnet in subnets {
        let new = NewInterface {
            subnet,
            security_groups: groups.clone(),
            owner: InterfaceOwner::VpcLink(link.id.clone()),
            description: format!("VPC Link Interface for VPC link {}", link.id),
            private_ip: None,
            public: false,
        };
        // This service has no code of its own for a subnet without free addresses.
        interface_pool::allocate(ctx, txn, new)
            .map_err(|fault| Fault::bad_request(fault.message))?;
    }
    Ok(())
}

fn shown(link: &link::VpcLink) -> VpcLink {
    let (status, message) = match link.status {
        VpcLinkStatus::Pending => ("PENDING", "VPC link is provisioning ENIs"),
        VpcLinkStatus::Available => ("AVAILABLE", "VPC link is ready to route traffic"),
    };
    let groups = link.security_groups.iter();
    VpcLink {
        created_date: check::time(link.created),
        name: Some(link.name.clone()),
        security_group_ids: Some(groups.map(ToString::to_string).collect()),
        subnet_ids: Some(link.subnets.iter().map(ToString::to_string).collect()),
        tags: Some(link.tags.clone()),
        vpc_link_id: Some(link.id.to_string()),
        vpc_link_status: Some(status.to_owned()),
        vpc_link_status_message: Some(message.to_owned()),
        vpc_link_version: Some("V2".to_owned()),
    }
}
