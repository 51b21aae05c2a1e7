//! Routes of route tables: create, replace, delete, and how an answer shows them. They are kept
//! and shown; which address reaches which is decided by the driver of the network.

use ipnet::IpNet;
use model::limits::ROUTES_PER_TABLE;
use model::network::{
    InstanceState, InterfaceOwner, InternetGateway, NatGateway, NetworkInterface, RouteTable, Vpc,
    VpcRoute,
};
use model::{InternetGatewayId, NatGatewayId, NetworkInterfaceId, Snapshot};
use shapes::ec2::{
    CreateRouteInput, CreateRouteOutput, DeleteRouteInput, DeleteRouteOutput, ReplaceRouteInput,
    ReplaceRouteOutput, Route,
};
use store::Txn;
use wire::Fault;

use super::{cidr, fault, resource};
use crate::Ctx;

/// Routes of a table as an answer shows them, the implied local one first.
pub(crate) fn shapes(state: &Snapshot, table: &RouteTable) -> Vec<Route> {
    let local = state.vpcs.get(&table.vpc).map(|vpc| Route {
        destination_cidr_block: Some(vpc.cidr.to_string()),
        gateway_id: Some("local".into()),
        origin: Some("CreateRouteTable".into()),
        state: Some("active".into()),
        ..Default::default()
    });
    local.into_iter().chain(table.routes.iter().map(|route| shape(state, table, route))).collect()
}

fn shape(state: &Snapshot, table: &RouteTable, route: &VpcRoute) -> Route {
    let mut shape = Route { origin: Some("CreateRoute".into()), ..Default::default() };
    let destination = Some(route.destination.clone());
    match route.destination.parse::<IpNet>() {
        Ok(IpNet::V4(_)) => shape.destination_cidr_block = destination,
        Ok(IpNet::V6(_)) => shape.destination_ipv6_cidr_block = destination,
        Err(_) => shape.destination_prefix_list_id = destination,
    }
    let target = route.target.clone();
    let alive = match target.split('-').next() {
        Some("igw") => {
            let gateway = state.internet_gateways.get(&InternetGatewayId::from(target.as_str()));
            shape.gateway_id = Some(target);
            gateway.is_some_and(|gateway| gateway.vpc.as_ref() == Some(&table.vpc))
        }
        Some("nat") => {
            let gateway = state.nat_gateways.get(&NatGatewayId::from(target.as_str()));
            shape.nat_gateway_id = Some(target);
            gateway.is_some_and(|gateway| gateway.deleted.is_none())
        }
        _ => {
            let interface = state.network_interfaces.get(&NetworkInterfaceId::from(&*target));
            shape.network_interface_id = Some(target);
            match interface.map(|interface| &interface.owner) {
                Some(InterfaceOwner::Instance(id)) => {
                    shape.instance_id = Some(id.to_string());
                    shape.instance_owner_id = Some(table.scope.account.to_string());
                    state.instances.get(id).is_some_and(|i| i.state == InstanceState::Running)
                }
                owner => owner.is_some(),
            }
        }
    };
    // AWS: a route whose target is gone or detached is a `blackhole`.
    shape.state = Some(if alive { "active" } else { "blackhole" }.into());
    shape
}

/// The destination that a request names, in canonical form.
fn destination(
    ipv4: Option<&str>,
    ipv6: Option<&str>,
    prefix_list: Option<&str>,
) -> Result<String, Fault> {
    match (ipv4, ipv6, prefix_list) {
        (Some(text), None, None) => Ok(cidr::block(text, "destinationCidrBlock")?.to_string()),
        (None, Some(text), None) => match cidr::any_block(text, "destinationIpv6CidrBlock")? {
            IpNet::V6(block) => Ok(block.to_string()),
            IpNet::V4(_) => Err(fault::invalid(format!(
                "Value ({text}) for parameter destinationIpv6CidrBlock is invalid. This is \
                     not a valid IPv6 CIDR block."
            ))),
        },
        (None, None, Some(id)) if id.starts_with("pl-") => Ok(id.to_owned()),
        (None, None, Some(id)) => {
            let message = format!("Invalid id: \"{id}\" (expecting \"pl-...\")");
            Err(fault::refuse("InvalidPrefixListID.Malformed", message))
        }
        (None, None, None) => Err(fault::missing(
            "The request must contain exactly one of destinationCidrBlock, \
             destinationIpv6CidrBlock, destinationPrefixListId",
        )),
        _ => Err(fault::combination(
            "The parameters destinationCidrBlock, destinationIpv6CidrBlock and \
             destinationPrefixListId cannot be used together",
        )),
    }
}

/// The targets that a request names, by parameter.
struct Targets<'a>([(&'static str, Option<&'a str>); 11]);

macro_rules! targets {
    ($input:expr) => {
        Targets([
            ("gatewayId", $input.gateway_id.as_deref()),
            ("natGatewayId", $input.nat_gateway_id.as_deref()),
            ("networkInterfaceId", $input.network_interface_id.as_deref()),
            ("instanceId", $input.instance_id.as_deref()),
            ("egressOnlyInternetGatewayId", $input.egress_only_internet_gateway_id.as_deref()),
            ("transitGatewayId", $input.transit_gateway_id.as_deref()),
            ("vpcPeeringConnectionId", $input.vpc_peering_connection_id.as_deref()),
            ("vpcEndpointId", $input.vpc_endpoint_id.as_deref()),
            ("localGatewayId", $input.local_gateway_id.as_deref()),
            ("carrierGatewayId", $input.carrier_gateway_id.as_deref()),
            ("coreNetworkArn", $input.core_network_arn.as_deref()),
        ])
    };
}

/// The target of a route of `table`, checked to exist in its network.
///
/// DEVIATION: routes lead to internet gateways, NAT gateways, interfaces and instances; transit
/// gateways, peering connections, VPC endpoints and other targets do not exist.
fn target(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    table: &RouteTable,
    targets: &Targets<'_>,
) -> Result<String, Fault> {
    let mut given = targets.0.iter().filter_map(|(name, id)| id.map(|id| (*name, id)));
    let (name, id) = given.next().ok_or_else(|| {
        let names: Vec<_> = targets.0.iter().map(|(name, _)| *name).collect();
        fault::missing(format!("The request must contain exactly one of {}", names.join(", ")))
    })?;
    if let Some((other, _)) = given.next() {
        let message = format!("The parameter {name} cannot be used with the parameter {other}");
        return Err(fault::combination(message));
    }
    let elsewhere = |what: &str| {
        let message =
            format!("route table {} and {what} {id} belong to different networks", table.id);
        fault::invalid(message)
    };
    match name {
        "gatewayId" => {
            let gateway = resource::get::<InternetGateway>(ctx, state, id).map_err(|_| {
                let message = format!("The gateway ID '{id}' does not exist");
                fault::refuse("InvalidGatewayID.NotFound", message)
            })?;
            if gateway.vpc.as_ref() != Some(&table.vpc) {
                return Err(elsewhere("network gateway"));
            }
            Ok(gateway.id.to_string())
        }
        "natGatewayId" => {
            let gateway = resource::get::<NatGateway>(ctx, state, id).ok();
            let gateway = gateway.filter(|gateway| gateway.deleted.is_none()).ok_or_else(|| {
                let message = format!("The natGateway ID '{id}' does not exist");
                fault::refuse("InvalidNatGatewayID.NotFound", message)
            })?;
            if gateway.vpc != table.vpc {
                return Err(elsewhere("NAT gateway"));
            }
            Ok(gateway.id.to_string())
        }
        "networkInterfaceId" | "instanceId" => {
            let interface = interface(ctx, state, id)?;
            if interface.vpc != table.vpc {
                return Err(elsewhere("interface"));
            }
            Ok(interface.id.to_string())
        }
        _ => {
            let message = format!("The {name} '{id}' does not exist");
            Err(fault::refuse(other_target_code(name), message))
        }
    }
}

fn other_target_code(parameter: &str) -> &'static str {
    match parameter {
        "egressOnlyInternetGatewayId" => "InvalidEgressOnlyInternetGatewayId.NotFound",
        "transitGatewayId" => "InvalidTransitGatewayID.NotFound",
        "vpcPeeringConnectionId" => "InvalidVpcPeeringConnectionID.NotFound",
        "vpcEndpointId" => "InvalidVpcEndpointId.NotFound",
        "localGatewayId" => "InvalidLocalGatewayID.NotFound",
        "carrierGatewayId" => "InvalidCarrierGatewayID.NotFound",
        _ => "InvalidParameterValue",
    }
}

/// The interface with this id, or the one of the instance with it.
fn interface(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    id: &str,
) -> Result<std::sync::Arc<NetworkInterface>, Fault> {
    if !id.starts_with("i-") {
        return resource::get::<NetworkInterface>(ctx, state, id);
    }
    let instance = resource::get::<model::network::Instance>(ctx, state, id)?;
    resource::get::<NetworkInterface>(ctx, state, instance.interface.as_str())
}

fn is_local(state: &Snapshot, table: &RouteTable, destination: &str) -> bool {
    let vpc: Option<&std::sync::Arc<Vpc>> = state.vpcs.get(&table.vpc);
    vpc.is_some_and(|vpc| vpc.cidr.to_string() == destination)
}

/// `CreateRoute`. AWS: the same route again is no error.
pub fn create_route(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreateRouteInput,
) -> Result<CreateRouteOutput, Fault> {
    let table = resource::get::<RouteTable>(ctx, txn, &input.route_table_id)?;
    let destination = destination(
        input.destination_cidr_block.as_deref(),
        input.destination_ipv6_cidr_block.as_deref(),
        input.destination_prefix_list_id.as_deref(),
    )?;
    let target = target(ctx, txn, &table, &targets!(input))?;
    let route = VpcRoute { destination, target };
    if table.routes.contains(&route) {
        return Ok(CreateRouteOutput { r#return: Some(true) });
    }
    let taken = table.routes.iter().any(|other| other.destination == route.destination);
    if taken || is_local(txn, &table, &route.destination) {
        let message = format!("The route identified by {} already exists.", route.destination);
        return Err(fault::refuse("RouteAlreadyExists", message));
    }
    let count = table.routes.len();
    fault::check_limit("RouteLimitExceeded", "routes", count, ROUTES_PER_TABLE)?;
    txn.update::<RouteTable>(&table.id, |table| table.routes.push(route));
    Ok(CreateRouteOutput { r#return: Some(true) })
}

/// `ReplaceRoute`
pub fn replace_route(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: ReplaceRouteInput,
) -> Result<ReplaceRouteOutput, Fault> {
    let table = resource::get::<RouteTable>(ctx, txn, &input.route_table_id)?;
    let destination = destination(
        input.destination_cidr_block.as_deref(),
        input.destination_ipv6_cidr_block.as_deref(),
        input.destination_prefix_list_id.as_deref(),
    )?;
    if is_local(txn, &table, &destination) {
        return match input.local_target {
            Some(true) => Ok(ReplaceRouteOutput {}),
            _ => Err(fault::unsupported("other targets for the local route")),
        };
    }
    let target = target(ctx, txn, &table, &targets!(input))?;
    if !table.routes.iter().any(|route| route.destination == destination) {
        let message = format!(
            "There is no route defined for '{destination}' in the route table. Use CreateRoute \
             instead."
        );
        return Err(fault::invalid(message));
    }
    txn.update::<RouteTable>(&table.id, |table| {
        for route in table.routes.iter_mut().filter(|route| route.destination == destination) {
            route.target.clone_from(&target);
        }
    });
    Ok(ReplaceRouteOutput {})
}

/// `DeleteRoute`
pub fn delete_route(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteRouteInput,
) -> Result<DeleteRouteOutput, Fault> {
    let table = resource::get::<RouteTable>(ctx, txn, &input.route_table_id)?;
    let destination = destination(
        input.destination_cidr_block.as_deref(),
        input.destination_ipv6_cidr_block.as_deref(),
        input.destination_prefix_list_id.as_deref(),
    )?;
    if is_local(txn, &table, &destination) {
        let message =
            format!("cannot remove local route {destination} in route table {}", table.id);
        return Err(fault::invalid(message));
    }
    if !table.routes.iter().any(|route| route.destination == destination) {
        let kind = if destination.starts_with("pl-") {
            "destination-prefix-list-id"
        } else if destination.contains(':') {
            "destination-ipv6-cidr-block"
        } else {
            "destination-cidr-block"
        };
        let message = format!("no route with {kind} {destination} in route table {}", table.id);
        return Err(fault::refuse("InvalidRoute.NotFound", message));
    }
    txn.update::<RouteTable>(&table.id, |table| {
        table.routes.retain(|route| route.destination != destination);
    });
    Ok(DeleteRouteOutput {})
}
