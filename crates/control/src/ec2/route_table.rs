//! Route tables and what uses them: create, delete, describe, associate. Routes are in `route.rs`.

use std::sync::Arc;

use model::limits::ROUTE_TABLES_PER_VPC;
use model::network::{RouteTable, RouteTableAssociation, Subnet, Vpc};
use model::{RouteTableId, Snapshot};
use shapes::ec2::{
    AssociateRouteTableInput, AssociateRouteTableOutput, CreateRouteTableInput,
    CreateRouteTableOutput, DeleteRouteTableInput, DeleteRouteTableOutput,
    DescribeRouteTablesInput, DescribeRouteTablesOutput, DisassociateRouteTableInput,
    DisassociateRouteTableOutput, ReplaceRouteTableAssociationInput,
    ReplaceRouteTableAssociationOutput, RouteTableAssociationState,
};
use store::Txn;
use wire::Fault;

use super::filter::{View, Wanted, each, show};
use super::{fault, resource, route, tags};
use crate::Ctx;

fn associated() -> RouteTableAssociationState {
    RouteTableAssociationState { state: Some("associated".into()), status_message: None }
}

fn shape(state: &Snapshot, table: &RouteTable) -> shapes::ec2::RouteTable {
    let association = |association: &RouteTableAssociation| shapes::ec2::RouteTableAssociation {
        main: Some(association.subnet.is_none()),
        route_table_association_id: Some(association.id.clone()),
        route_table_id: Some(table.id.to_string()),
        subnet_id: association.subnet.as_ref().map(ToString::to_string),
        association_state: Some(associated()),
        ..Default::default()
    };
    shapes::ec2::RouteTable {
        associations: Some(table.associations.iter().map(association).collect()),
        propagating_vgws: Some(Vec::new()),
        route_table_id: Some(table.id.to_string()),
        routes: Some(route::shapes(state, table)),
        tags: tags::listed(&table.tags),
        vpc_id: Some(table.vpc.to_string()),
        owner_id: Some(table.scope.account.to_string()),
    }
}

/// `CreateRouteTable`
pub fn create_route_table(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreateRouteTableInput,
) -> Result<CreateRouteTableOutput, Fault> {
    let vpc = resource::get::<Vpc>(ctx, txn, &input.vpc_id)?;
    let count = txn.route_tables.iter().filter(|table| table.vpc == vpc.id).count();
    fault::check_limit("RouteTableLimitExceeded", "route tables", count, ROUTE_TABLES_PER_VPC)?;
    let table = RouteTable {
        scope: ctx.scope.clone(),
        id: RouteTableId::from(ctx.ec2_id("rtb")),
        vpc: vpc.id.clone(),
        routes: Vec::new(),
        associations: Vec::new(),
        tags: tags::specified::<RouteTable>(input.tag_specifications.as_deref())?,
    };
    txn.put(table.clone());
    let route_table = Some(shape(txn, &table));
    Ok(CreateRouteTableOutput { route_table, client_token: input.client_token })
}

/// `DeleteRouteTable`
pub fn delete_route_table(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteRouteTableInput,
) -> Result<DeleteRouteTableOutput, Fault> {
    let table = resource::get::<RouteTable>(ctx, txn, &input.route_table_id)?;
    if !table.associations.is_empty() {
        return Err(fault::in_use("routeTable", &table.id));
    }
    txn.remove::<RouteTable>(&table.id);
    Ok(DeleteRouteTableOutput {})
}

/// `AssociateRouteTable`. AWS: a subnet uses one table; the same association twice is no error.
/// DEVIATION: gateways cannot have route tables.
pub fn associate_route_table(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: AssociateRouteTableInput,
) -> Result<AssociateRouteTableOutput, Fault> {
    if input.gateway_id.is_some() || input.public_ipv4_pool.is_some() {
        return Err(fault::unsupported("route tables of gateways"));
    }
    let table = resource::get::<RouteTable>(ctx, txn, &input.route_table_id)?;
    let id = input
        .subnet_id
        .as_deref()
        .ok_or_else(|| fault::missing("Either 'subnetId' or 'gatewayId' should be provided."))?;
    let subnet = resource::get::<Subnet>(ctx, txn, id)?;
    if subnet.vpc != table.vpc {
        let message =
            format!("Route table {} and subnet {} belong to different networks", table.id, id);
        return Err(fault::invalid(message));
    }
    let existing = txn.route_tables.iter().find_map(|table| {
        let here = |a: &&RouteTableAssociation| a.subnet.as_ref() == Some(&subnet.id);
        table.associations.iter().find(here).map(|a| (table.id.clone(), a.id.clone()))
    });
    let association_id = match existing {
        Some((other, association)) if other == table.id => association,
        Some(_) => {
            let message = format!(
                "the specified association for route table {} conflicts with an existing \
                 association",
                table.id
            );
            return Err(fault::refuse("Resource.AlreadyAssociated", message));
        }
        None => {
            let new = RouteTableAssociation {
                id: ctx.ec2_id("rtbassoc"),
                subnet: Some(subnet.id.clone()),
            };
            let id = new.id.clone();
            txn.update::<RouteTable>(&table.id, |table| table.associations.push(new));
            id
        }
    };
    Ok(AssociateRouteTableOutput {
        association_id: Some(association_id),
        association_state: Some(associated()),
    })
}

/// The table with this association, and the association.
fn by_association(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    id: &str,
) -> Result<(Arc<RouteTable>, RouteTableAssociation), Fault> {
    let mut tables = resource::all::<RouteTable>(ctx, state);
    let found = tables.find_map(|table| {
        let association = table.associations.iter().find(|association| association.id == id)?;
        Some((table.clone(), association.clone()))
    });
    found.ok_or_else(|| {
        let message = format!("The association ID '{id}' does not exist");
        fault::refuse("InvalidAssociationID.NotFound", message)
    })
}

/// `DisassociateRouteTable`
pub fn disassociate_route_table(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DisassociateRouteTableInput,
) -> Result<DisassociateRouteTableOutput, Fault> {
    let (table, association) = by_association(ctx, txn, &input.association_id)?;
    if association.subnet.is_none() {
        let message =
            format!("cannot disassociate the main route table association {}", association.id);
        return Err(fault::invalid(message));
    }
    txn.update::<RouteTable>(&table.id, |table| {
        table.associations.retain(|other| other.id != association.id);
    });
    Ok(DisassociateRouteTableOutput {})
}

/// `ReplaceRouteTableAssociation`. AWS: so a VPC gets another main table.
pub fn replace_route_table_association(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: ReplaceRouteTableAssociationInput,
) -> Result<ReplaceRouteTableAssociationOutput, Fault> {
    let (old, association) = by_association(ctx, txn, &input.association_id)?;
    let new = resource::get::<RouteTable>(ctx, txn, &input.route_table_id)?;
    if old.vpc != new.vpc {
        let message =
            format!("Route tables {} and {} belong to different networks", old.id, new.id);
        return Err(fault::invalid(message));
    }
    txn.update::<RouteTable>(&old.id, |table| {
        table.associations.retain(|other| other.id != association.id);
    });
    let id = ctx.ec2_id("rtbassoc");
    let association = RouteTableAssociation { id: id.clone(), subnet: association.subnet };
    txn.update::<RouteTable>(&new.id, |table| table.associations.push(association));
    Ok(ReplaceRouteTableAssociationOutput {
        new_association_id: Some(id),
        association_state: Some(associated()),
    })
}

const VIEW: View<shapes::ec2::RouteTable> = View {
    id: |v| v.route_table_id.as_deref(),
    tags: |v| v.tags.as_deref(),
    fields: &[
        ("association.gateway-id", |v| each(&v.associations, |a| &a.gateway_id)),
        ("association.main", |v| each(&v.associations, |a| &a.main)),
        ("association.route-table-association-id", |v| {
            each(&v.associations, |a| &a.route_table_association_id)
        }),
        ("association.route-table-id", |v| each(&v.associations, |a| &a.route_table_id)),
        ("association.subnet-id", |v| each(&v.associations, |a| &a.subnet_id)),
        ("owner-id", |v| show(&v.owner_id)),
        ("route-table-id", |v| show(&v.route_table_id)),
        ("route.destination-cidr-block", |v| each(&v.routes, |r| &r.destination_cidr_block)),
        ("route.destination-ipv6-cidr-block", |v| {
            each(&v.routes, |r| &r.destination_ipv6_cidr_block)
        }),
        ("route.destination-prefix-list-id", |v| {
            each(&v.routes, |r| &r.destination_prefix_list_id)
        }),
        ("route.egress-only-internet-gateway-id", |v| {
            each(&v.routes, |r| &r.egress_only_internet_gateway_id)
        }),
        ("route.gateway-id", |v| each(&v.routes, |r| &r.gateway_id)),
        ("route.instance-id", |v| each(&v.routes, |r| &r.instance_id)),
        ("route.nat-gateway-id", |v| each(&v.routes, |r| &r.nat_gateway_id)),
        ("route.network-interface-id", |v| each(&v.routes, |r| &r.network_interface_id)),
        ("route.origin", |v| each(&v.routes, |r| &r.origin)),
        ("route.state", |v| each(&v.routes, |r| &r.state)),
        ("route.transit-gateway-id", |v| each(&v.routes, |r| &r.transit_gateway_id)),
        ("route.vpc-peering-connection-id", |v| each(&v.routes, |r| &r.vpc_peering_connection_id)),
        ("vpc-id", |v| show(&v.vpc_id)),
    ],
};

/// `DescribeRouteTables`
pub fn describe_route_tables(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeRouteTablesInput,
) -> Result<DescribeRouteTablesOutput, Fault> {
    let ids = input.route_table_ids.as_deref();
    let found = resource::list::<RouteTable>(ctx, state, ids)?;
    let wanted = Wanted {
        filters: input.filters.as_deref(),
        max: input.max_results,
        token: input.next_token.as_deref(),
    };
    let page = VIEW.page(found.iter().map(|table| shape(state, table)), wanted)?;
    Ok(DescribeRouteTablesOutput { route_tables: Some(page.items), next_token: page.next })
}
