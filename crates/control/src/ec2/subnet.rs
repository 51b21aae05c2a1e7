//! Subnets: CreateSubnet, DeleteSubnet, DescribeSubnets, ModifySubnetAttribute.

use ipnet::Ipv4Net;
use model::limits::SUBNETS_PER_VPC;
use model::network::{RouteTable, Subnet, Vpc};
use model::{Snapshot, SubnetId, VpcId, arn};
use shapes::ec2::{
    AttributeBooleanValue, BlockPublicAccessStates, CreateSubnetInput, CreateSubnetOutput,
    DeleteSubnetInput, DeleteSubnetOutput, DescribeSubnetsInput, DescribeSubnetsOutput,
    ModifySubnetAttributeInput, ModifySubnetAttributeOutput, PrivateDnsNameOptionsOnLaunch,
};
use store::Txn;
use wire::Fault;

use super::filter::{View, Wanted, show};
use super::interface_pool::free_addresses;
use super::{cidr, fault, resource, tags, zone};
use crate::Ctx;

/// Keys of `Subnet::launch_options`.
const HOSTNAME_TYPE: &str = "hostname-type";
const A_RECORD: &str = "resource-name-dns-a-record";
const AAAA_RECORD: &str = "resource-name-dns-aaaa-record";
const DNS64: &str = "dns64";

/// Whether a block shares addresses with a subnet of the VPC.
pub(crate) fn overlaps(state: &Snapshot, vpc: &VpcId, block: &Ipv4Net) -> bool {
    let shares = |other: &Ipv4Net| other.contains(block) || block.contains(other);
    state.subnets.iter().any(|subnet| subnet.vpc == *vpc && shares(&subnet.cidr))
}

/// A subnet as the API shows it.
pub(crate) fn shape(state: &Snapshot, subnet: &Subnet) -> shapes::ec2::Subnet {
    let option = |key: &str| subnet.launch_options.get(key).map(String::as_str);
    let flag = |key: &str| Some(option(key) == Some("true"));
    let names = PrivateDnsNameOptionsOnLaunch {
        hostname_type: Some(option(HOSTNAME_TYPE).unwrap_or("ip-name").into()),
        enable_resource_name_dns_a_record: flag(A_RECORD),
        enable_resource_name_dns_aaaa_record: flag(AAAA_RECORD),
    };
    let off = BlockPublicAccessStates { internet_gateway_block_mode: Some("off".into()) };
    let free = i64::try_from(free_addresses(state, subnet)).unwrap_or(i64::MAX);
    shapes::ec2::Subnet {
        availability_zone_id: Some(zone::id(&subnet.zone)),
        map_customer_owned_ip_on_launch: Some(false),
        owner_id: Some(subnet.scope.account.to_string()),
        assign_ipv6_address_on_creation: Some(subnet.assign_ipv6_on_creation),
        ipv6_cidr_block_association_set: Some(Vec::new()),
        tags: tags::shown(&subnet.tags),
        subnet_arn: Some(arn::arn("ec2", &subnet.scope, &format!("subnet/{}", subnet.id))),
        enable_dns64: flag(DNS64),
        ipv6_native: Some(false),
        private_dns_name_options_on_launch: Some(names),
        block_public_access_states: Some(off),
        subnet_id: Some(subnet.id.to_string()),
        state: Some("available".into()),
        vpc_id: Some(subnet.vpc.to_string()),
        cidr_block: Some(subnet.cidr.to_string()),
        available_ip_address_count: Some(free),
        availability_zone: Some(subnet.zone.clone()),
        default_for_az: Some(subnet.default_for_az),
        map_public_ip_on_launch: Some(subnet.map_public_ip_on_launch),
        ..Default::default()
    }
}

/// `CreateSubnet`
pub fn create_subnet(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreateSubnetInput,
) -> Result<CreateSubnetOutput, Fault> {
    refuse_address_pools(&input)?;
    let vpc = resource::get::<Vpc>(ctx, txn, &input.vpc_id)?;
    let cidr = checked_block(txn, &vpc, input.cidr_block.as_deref())?;
    let asked = (input.availability_zone.as_deref(), input.availability_zone_id.as_deref());
    let zone = zone::asked(&ctx.scope, asked.0, asked.1)?;
    let count = txn.subnets.iter().filter(|subnet| subnet.vpc == vpc.id).count();
    fault::check_limit("SubnetLimitExceeded", "subnets", count, SUBNETS_PER_VPC)?;
    let subnet = Subnet {
        scope: ctx.scope.clone(),
        id: SubnetId::from(ctx.ec2_id("subnet")),
        vpc: vpc.id.clone(),
        cidr,
        zone: zone.unwrap_or_else(|| emptiest_zone(ctx, txn, &vpc.id)),
        default_for_az: false,
        map_public_ip_on_launch: false,
        assign_ipv6_on_creation: false,
        launch_options: Default::default(),
        tags: tags::specified::<Subnet>(input.tag_specifications.as_deref())?,
    };
    txn.put(subnet.clone());
    Ok(CreateSubnetOutput { subnet: Some(shape(txn, &subnet)) })
}

/// DEVIATION: subnets have no IPv6 blocks, take no blocks from IPAM pools and are on no Outpost; a
/// request for one is refused.
fn refuse_address_pools(input: &CreateSubnetInput) -> Result<(), Fault> {
    if input.ipv6_cidr_block.is_some()
        || input.ipv6_native == Some(true)
        || input.ipv6_ipam_pool_id.is_some()
    {
        return Err(fault::unsupported("IPv6 blocks of subnets"));
    }
    if input.ipv4_ipam_pool_id.is_some() {
        return Err(fault::unsupported("address blocks from IPAM pools"));
    }
    if input.outpost_arn.is_some() {
        return Err(fault::unsupported("Outposts"));
    }
    Ok(())
}

fn checked_block(state: &Snapshot, vpc: &Vpc, text: Option<&str>) -> Result<Ipv4Net, Fault> {
    let text = text.ok_or_else(|| {
        fault::missing("Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided.")
    })?;
    let block = cidr::block(text, "cidrBlock")?;
    if !cidr::is_network_size(&block) || !vpc.cidr.contains(&block) {
        let message = format!("The CIDR '{text}' is invalid.");
        return Err(fault::refuse("InvalidSubnet.Range", message));
    }
    if overlaps(state, &vpc.id, &block) {
        let message = format!("The CIDR '{text}' conflicts with another subnet");
        return Err(fault::refuse("InvalidSubnet.Conflict", message));
    }
    Ok(block)
}

/// AWS picks any zone for a request that names none. Here it is the zone where the VPC has the
/// fewest subnets, so that two such subnets suffice for a load balancer.
fn emptiest_zone(ctx: &Ctx<'_>, state: &Snapshot, vpc: &VpcId) -> String {
    let [first, second, third] = ctx.scope.zones();
    let count = |zone: &String| {
        state.subnets.iter().filter(|subnet| subnet.vpc == *vpc && subnet.zone == *zone).count()
    };
    let emptier = |a: String, b: String| if count(&b) < count(&a) { b } else { a };
    emptier(emptier(first, second), third)
}

/// `DeleteSubnet`
pub fn delete_subnet(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteSubnetInput,
) -> Result<DeleteSubnetOutput, Fault> {
    let subnet = resource::get::<Subnet>(ctx, txn, &input.subnet_id)?;
    let id = &subnet.id;
    let used = txn.network_interfaces.iter().any(|interface| interface.subnet == *id)
        || txn.load_balancers.iter().any(|lb| lb.zones.iter().any(|zone| zone.subnet == *id))
        || txn.vpc_links.iter().any(|link| link.subnets.contains(id));
    if used {
        return Err(fault::in_use("subnet", id));
    }
    let here =
        |table: &RouteTable| table.associations.iter().any(|a| a.subnet.as_ref() == Some(id));
    let tables: Vec<_> =
        txn.route_tables.iter().filter(|table| here(table)).map(|table| table.id.clone()).collect();
    for table in tables {
        txn.update::<RouteTable>(&table, |table| {
            table.associations.retain(|a| a.subnet.as_ref() != Some(id));
        });
    }
    txn.remove::<Subnet>(id);
    Ok(DeleteSubnetOutput {})
}

const VIEW: View<shapes::ec2::Subnet> = View {
    id: |v| v.subnet_id.as_deref(),
    tags: |v| v.tags.as_deref(),
    fields: &[
        ("subnet-id", |v| show(&v.subnet_id)),
        ("subnet-arn", |v| show(&v.subnet_arn)),
        ("vpc-id", |v| show(&v.vpc_id)),
        ("availability-zone", |v| show(&v.availability_zone)),
        ("availabilityZone", |v| show(&v.availability_zone)),
        ("availability-zone-id", |v| show(&v.availability_zone_id)),
        ("availabilityZoneId", |v| show(&v.availability_zone_id)),
        ("available-ip-address-count", |v| show(&v.available_ip_address_count)),
        ("cidr", |v| show(&v.cidr_block)),
        ("cidr-block", |v| show(&v.cidr_block)),
        ("cidrBlock", |v| show(&v.cidr_block)),
        ("customer-owned-ipv4-pool", |_| Vec::new()),
        ("default-for-az", |v| show(&v.default_for_az)),
        ("defaultForAz", |v| show(&v.default_for_az)),
        ("enable-dns64", |v| show(&v.enable_dns64)),
        ("enable-lni-at-device-index", |_| Vec::new()),
        ("ipv6-cidr-block-association.ipv6-cidr-block", |_| Vec::new()),
        ("ipv6-cidr-block-association.association-id", |_| Vec::new()),
        ("ipv6-cidr-block-association.state", |_| Vec::new()),
        ("ipv6-native", |v| show(&v.ipv6_native)),
        ("map-customer-owned-ip-on-launch", |v| show(&v.map_customer_owned_ip_on_launch)),
        ("map-public-ip-on-launch", |v| show(&v.map_public_ip_on_launch)),
        ("outpost-arn", |_| Vec::new()),
        ("owner-id", |v| show(&v.owner_id)),
        ("private-dns-name-options-on-launch.hostname-type", |v| {
            launch(v).flat_map(|names| show(&names.hostname_type)).collect()
        }),
        ("private-dns-name-options-on-launch.enable-resource-name-dns-a-record", |v| {
            launch(v).flat_map(|names| show(&names.enable_resource_name_dns_a_record)).collect()
        }),
        ("private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record", |v| {
            launch(v).flat_map(|names| show(&names.enable_resource_name_dns_aaaa_record)).collect()
        }),
        ("state", |v| show(&v.state)),
    ],
};

fn launch(v: &shapes::ec2::Subnet) -> impl Iterator<Item = &PrivateDnsNameOptionsOnLaunch> {
    v.private_dns_name_options_on_launch.iter()
}

/// `DescribeSubnets`
pub fn describe_subnets(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeSubnetsInput,
) -> Result<DescribeSubnetsOutput, Fault> {
    let found = resource::list::<Subnet>(ctx, state, input.subnet_ids.as_deref())?;
    let wanted = Wanted {
        filters: input.filters.as_deref(),
        max: input.max_results,
        token: input.next_token.as_deref(),
    };
    let page = VIEW.page(found.iter().map(|subnet| shape(state, subnet)), wanted)?;
    Ok(DescribeSubnetsOutput { subnets: Some(page.items), next_token: page.next })
}

/// `ModifySubnetAttribute`. AWS allows one attribute per request; here it may be several.
pub fn modify_subnet_attribute(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: ModifySubnetAttributeInput,
) -> Result<ModifySubnetAttributeOutput, Fault> {
    let subnet = resource::get::<Subnet>(ctx, txn, &input.subnet_id)?;
    let value = |given: &Option<AttributeBooleanValue>| given.as_ref().and_then(|v| v.value);
    if value(&input.assign_ipv6_address_on_creation) == Some(true) {
        return Err(fault::invalid(
            "Invalid value 'true' for assignIpv6AddressOnCreation. Subnet does not have an IPv6 \
             CIDR block associated",
        ));
    }
    if value(&input.map_customer_owned_ip_on_launch) == Some(true)
        || input.customer_owned_ipv4_pool.is_some()
        || input.enable_lni_at_device_index.is_some()
    {
        return Err(fault::unsupported("Outposts"));
    }
    let options = [
        (HOSTNAME_TYPE, input.private_dns_hostname_type_on_launch.clone()),
        (A_RECORD, value(&input.enable_resource_name_dns_a_record_on_launch).map(text)),
        (AAAA_RECORD, value(&input.enable_resource_name_dns_aaaa_record_on_launch).map(text)),
        (DNS64, value(&input.enable_dns64).map(text)),
    ];
    txn.update::<Subnet>(&subnet.id, |subnet| {
        if let Some(on) = value(&input.map_public_ip_on_launch) {
            subnet.map_public_ip_on_launch = on;
        }
        for (key, given) in options {
            subnet.launch_options.extend(given.map(|value| (key.to_owned(), value)));
        }
    });
    Ok(ModifySubnetAttributeOutput {})
}

fn text(value: bool) -> String {
    value.to_string()
}
