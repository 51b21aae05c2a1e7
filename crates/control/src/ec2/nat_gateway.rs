//! NAT gateways: create, delete, describe. DEVIATION: NAT gateways have an interface and an
//! address but forward nothing; with the host driver, private addresses reach the internet as this
//! machine does.

use model::limits::NAT_GATEWAYS_PER_REGION;
use model::network::{Address, InterfaceOwner, NatGateway, NetworkInterface, Subnet, Vpc};
use model::{NatGatewayId, Snapshot, Timestamp};
use shapes::ec2::{
    CreateNatGatewayInput, CreateNatGatewayOutput, DeleteNatGatewayInput, DeleteNatGatewayOutput,
    DescribeNatGatewaysInput, DescribeNatGatewaysOutput, NatGatewayAddress,
};
use store::Txn;
use wire::{Fault, Time};

use super::filter::{View, Wanted, show};
use super::interface_pool::{self, NewInterface};
use super::{address, cidr, fault, internet_gateway, resource, tags};
use crate::Ctx;

/// AWS: a deleted gateway shows for about an hour. Seconds.
const SHOWN_AFTER_DELETION: i64 = 3600;

fn is_shown(gateway: &NatGateway, now: Timestamp) -> bool {
    gateway.deleted.is_none_or(|at| at.plus_seconds(SHOWN_AFTER_DELETION) > now)
}

fn shape(state: &Snapshot, gateway: &NatGateway) -> shapes::ec2::NatGateway {
    let status = match (&gateway.deleted, &gateway.failure) {
        (Some(_), _) => "deleted",
        (None, Some(_)) => "failed",
        (None, None) => "available",
    };
    let (failure_code, failure_message) = gateway.failure.clone().unzip();
    shapes::ec2::NatGateway {
        create_time: Some(Time(gateway.created.0)),
        delete_time: gateway.deleted.map(|at| Time(at.0)),
        failure_code,
        failure_message,
        nat_gateway_addresses: Some(vec![address_shape(state, gateway)]),
        nat_gateway_id: Some(gateway.id.to_string()),
        state: Some(status.into()),
        subnet_id: Some(gateway.subnet.to_string()),
        vpc_id: Some(gateway.vpc.to_string()),
        tags: tags::listed(&gateway.tags),
        connectivity_type: Some(gateway.connectivity.clone()),
        availability_mode: Some("zonal".into()),
        ..Default::default()
    }
}

fn address_shape(state: &Snapshot, gateway: &NatGateway) -> NatGatewayAddress {
    let interface = gateway.interface.as_ref().and_then(|id| state.network_interfaces.get(id));
    let elastic = gateway.allocation.as_ref().and_then(|id| state.addresses.get(id));
    let here = |a: &&std::sync::Arc<Address>| {
        a.association.as_ref().is_some_and(|(_, id)| Some(id) == gateway.interface.as_ref())
    };
    let elastic = elastic.filter(here);
    NatGatewayAddress {
        allocation_id: gateway.allocation.as_ref().map(ToString::to_string),
        network_interface_id: gateway.interface.as_ref().map(ToString::to_string),
        private_ip: interface.map(|interface| interface.private_ip.to_string()),
        public_ip: elastic.map(|address| address.public_ip.to_string()),
        association_id: elastic.and_then(|a| a.association.clone()).map(|(id, _)| id),
        is_primary: Some(true),
        status: interface.map(|_| "succeeded".into()),
        ..Default::default()
    }
}

/// `CreateNatGateway`
pub fn create_nat_gateway(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreateNatGatewayInput,
) -> Result<CreateNatGatewayOutput, Fault> {
    refuse_unsupported(&input)?;
    let connectivity = input.connectivity_type.unwrap_or_else(|| "public".into());
    let subnet = input.subnet_id.as_deref().ok_or_else(|| fault::missing_parameter("SubnetId"))?;
    let subnet = resource::get::<Subnet>(ctx, txn, subnet)?;
    let elastic = match (connectivity.as_str(), input.allocation_id.as_deref()) {
        ("public", Some(id)) => Some(resource::get::<Address>(ctx, txn, id)?),
        ("public", None) => {
            return Err(fault::missing(
                "The request must include the AllocationId parameter. Add the required parameter \
                 and retry the request.",
            ));
        }
        (_, None) => None,
        (_, Some(_)) => {
            let message = "AllocationId cannot be used with ConnectivityType private";
            return Err(fault::combination(message));
        }
    };
    forget_old(ctx, txn);
    let alive = resource::all::<NatGateway>(ctx, txn).filter(|nat| nat.deleted.is_none());
    let (count, limit) = (alive.count(), NAT_GATEWAYS_PER_REGION);
    fault::check_limit("NatGatewayLimitExceeded", "NAT gateways", count, limit)?;
    let mut gateway = NatGateway {
        scope: ctx.scope.clone(),
        id: NatGatewayId::from(ctx.ec2_id("nat")),
        vpc: subnet.vpc.clone(),
        subnet: subnet.id.clone(),
        connectivity,
        allocation: elastic.as_ref().map(|address| address.id.clone()),
        interface: None,
        deleted: None,
        failure: None,
        created: ctx.now,
        tags: tags::specified::<NatGateway>(input.tag_specifications.as_deref())?,
    };
    gateway.failure = failure(ctx, txn, &subnet, elastic.as_deref())?;
    if gateway.failure.is_none() {
        let private_ip = cidr::address(input.private_ip_address.as_deref())?;
        let interface = interface_pool::allocate(
            ctx,
            txn,
            NewInterface {
                subnet: &subnet,
                security_groups: Vec::new(),
                owner: InterfaceOwner::NatGateway(gateway.id.clone()),
                description: format!("Interface for NAT Gateway {}", gateway.id),
                private_ip,
                public: false,
            },
        )?;
        if let Some(elastic) = &gateway.allocation {
            address::tie(ctx, txn, elastic, &interface.id);
        }
        gateway.interface = Some(interface.id);
    }
    txn.put(gateway.clone());
    // AWS: the answer says `pending`, every later one how it went.
    let shape = shapes::ec2::NatGateway {
        state: Some("pending".into()),
        failure_code: None,
        failure_message: None,
        ..shape(txn, &gateway)
    };
    Ok(CreateNatGatewayOutput { client_token: input.client_token, nat_gateway: Some(shape) })
}

/// DEVIATION: NAT gateways are zonal and have one address; regional ones and secondary addresses
/// are refused.
fn refuse_unsupported(input: &CreateNatGatewayInput) -> Result<(), Fault> {
    if input.availability_mode.as_deref() == Some("regional")
        || input.availability_zone_addresses.is_some()
    {
        return Err(fault::unsupported("regional NAT gateways"));
    }
    if input.secondary_allocation_ids.is_some()
        || input.secondary_private_ip_addresses.is_some()
        || input.secondary_private_ip_address_count.is_some()
    {
        return Err(fault::unsupported("secondary addresses of NAT gateways"));
    }
    Ok(())
}

/// Why the gateway will not come up. AWS tells it as a failed state, not as a refusal.
fn failure(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    subnet: &Subnet,
    elastic: Option<&Address>,
) -> Result<Option<(String, String)>, Fault> {
    let Some(elastic) = elastic else { return Ok(None) };
    if elastic.association.is_some() {
        let message = format!("Elastic IP address [{}] is already associated", elastic.id);
        return Ok(Some(("Resource.AlreadyAssociated".into(), message)));
    }
    let vpc = resource::get::<Vpc>(ctx, state, subnet.vpc.as_str())?;
    if internet_gateway::of_vpc(state, &vpc).is_none() {
        let message = format!("Network {} has no Internet gateway attached", vpc.id);
        return Ok(Some(("Gateway.NotAttached".into(), message)));
    }
    Ok(None)
}

/// Forgets gateways that nobody sees any more.
fn forget_old(ctx: &Ctx<'_>, txn: &mut Txn) {
    let old: Vec<_> = txn
        .nat_gateways
        .iter()
        .filter(|gateway| !is_shown(gateway, ctx.now))
        .map(|gateway| gateway.id.clone())
        .collect();
    for id in old {
        txn.remove::<NatGateway>(&id);
    }
}

/// `DeleteNatGateway`. AWS: the elastic address stays allocated; routes become blackholes.
pub fn delete_nat_gateway(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteNatGatewayInput,
) -> Result<DeleteNatGatewayOutput, Fault> {
    forget_old(ctx, txn);
    let gateway = resource::get::<NatGateway>(ctx, txn, &input.nat_gateway_id)?;
    if gateway.deleted.is_some() {
        return Err(resource::not_found::<NatGateway>(&input.nat_gateway_id));
    }
    let tied = gateway.interface.as_ref().and_then(|id| address::of_interface(txn, id));
    if let Some(elastic) = tied.map(|address| address.id.clone()) {
        address::untie(txn, &elastic);
    }
    if let Some(interface) = &gateway.interface {
        txn.remove::<NetworkInterface>(interface);
    }
    txn.update::<NatGateway>(&gateway.id, |gateway| gateway.deleted = Some(ctx.now));
    Ok(DeleteNatGatewayOutput { nat_gateway_id: Some(gateway.id.to_string()) })
}

const VIEW: View<shapes::ec2::NatGateway> = View {
    id: |v| v.nat_gateway_id.as_deref(),
    tags: |v| v.tags.as_deref(),
    fields: &[
        ("nat-gateway-id", |v| show(&v.nat_gateway_id)),
        ("state", |v| show(&v.state)),
        ("subnet-id", |v| show(&v.subnet_id)),
        ("vpc-id", |v| show(&v.vpc_id)),
        ("connectivity-type", |v| show(&v.connectivity_type)),
    ],
};

/// `DescribeNatGateways`
pub fn describe_nat_gateways(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeNatGatewaysInput,
) -> Result<DescribeNatGatewaysOutput, Fault> {
    let ids = input.nat_gateway_ids.filter(|ids| !ids.is_empty());
    let found = resource::list::<NatGateway>(ctx, state, ids.as_deref())?;
    if let Some(gone) = found.iter().find(|gateway| ids.is_some() && !is_shown(gateway, ctx.now)) {
        return Err(resource::not_found::<NatGateway>(gone.id.as_str()));
    }
    let shown = found.iter().filter(|gateway| is_shown(gateway, ctx.now));
    let wanted = Wanted {
        filters: input.filter.as_deref(),
        max: input.max_results,
        token: input.next_token.as_deref(),
    };
    let page = VIEW.page(shown.map(|gateway| shape(state, gateway)), wanted)?;
    Ok(DescribeNatGatewaysOutput { nat_gateways: Some(page.items), next_token: page.next })
}
