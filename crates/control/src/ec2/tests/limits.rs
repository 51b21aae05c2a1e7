//! Limits at their edge: the last one fits, one more is refused. Records are put directly, since
//! only their number matters.

use model::Record;
use model::limits;
use model::network::{Address, Instance, InternetGateway, NetworkInterface, RouteTable, Vpc};
use model::network::{NatGateway, SecurityGroup, Subnet, VpcRoute};
use store::Txn;

use super::*;
use crate::ec2::resource::Resource;

/// Puts copies of the first `R`, with ids of their own, until there are `count`.
fn fill<R: Resource + Record>(world: &World, count: usize, rename: fn(&mut R, String)) {
    world.write(|_, txn: &mut Txn| {
        let first = R::table(txn).iter().next().cloned().unwrap();
        for n in R::table(txn).len()..count {
            let mut copy = R::clone(&first);
            rename(&mut copy, format!("{}{n}", R::PREFIX));
            txn.put(copy);
        }
        Ok(())
    });
}

#[track_caller]
fn check(world: &World, name: &str, query: &str, code: &str, what: &str) {
    world.ec2(name, query);
    let message = format!("The maximum number of {what} has been reached.");
    world.refuses(name, query, code, &message);
}

#[test]
fn networks() {
    let net = net();
    let world = &net.world;
    let own = format!("VpcId={}", net.vpc);
    fill::<Vpc>(world, limits::VPCS_PER_REGION - 1, |r, id| r.id = id.into());
    check(world, "CreateVpc", "CidrBlock=10.0.0.0/16", "VpcLimitExceeded", "VPCs");
    fill::<Subnet>(world, limits::SUBNETS_PER_VPC - 1, |r, id| r.id = id.into());
    world.ec2("CreateSubnet", &format!("{own}&CidrBlock=10.0.1.0/24"));
    let query = format!("{own}&CidrBlock=10.0.2.0/24");
    let full = "The maximum number of subnets has been reached.";
    world.refuses("CreateSubnet", &query, "SubnetLimitExceeded", full);
    let main = world.get(
        "DescribeRouteTables",
        &format!("Filter.1.Name=vpc-id&Filter.1.Value.1={}", net.vpc),
        "routeTableSet.0.routeTableId",
    );
    let main_id = model::RouteTableId::from(main.as_str());
    world.write(|_, txn| {
        let main = txn.get::<RouteTable>(&main_id).unwrap();
        for n in 1..limits::ROUTE_TABLES_PER_VPC - 1 {
            txn.put(RouteTable { id: format!("rtb-{n}").into(), ..RouteTable::clone(&main) });
        }
        Ok(())
    });
    let what = "route tables";
    check(world, "CreateRouteTable", &own, "RouteTableLimitExceeded", what);
    world.write(|_, txn| {
        txn.update::<RouteTable>(&main_id, |table| {
            let route = VpcRoute { destination: "10.9.0.0/16".into(), target: "eni-0".into() };
            table.routes = vec![route; limits::ROUTES_PER_TABLE - 1];
        });
        Ok(())
    });
    let path = "networkInterface.networkInterfaceId";
    let query = format!("SubnetId={}", net.subnet);
    let target = world.get("CreateNetworkInterface", &query, path);
    let route = |block: &str| {
        format!("RouteTableId={main}&DestinationCidrBlock={block}&NetworkInterfaceId={target}")
    };
    world.ec2("CreateRoute", &route("192.168.0.0/16"));
    let full = "The maximum number of routes has been reached.";
    world.refuses("CreateRoute", &route("192.169.0.0/16"), "RouteLimitExceeded", full);
}

#[test]
fn security_groups() {
    let net = net();
    let limit = limits::SECURITY_GROUPS_PER_REGION - 1;
    fill::<SecurityGroup>(&net.world, limit, |r, id| {
        r.name.clone_from(&id);
        r.id = id.into();
    });
    let query = |name: &str| format!("GroupName={name}&GroupDescription=d&VpcId={}", net.vpc);
    net.world.ec2("CreateSecurityGroup", &query("last"));
    let full = "The maximum number of security groups has been reached.";
    let code = "SecurityGroupLimitExceeded";
    net.world.refuses("CreateSecurityGroup", &query("more"), code, full);
}

#[test]
fn gateways_and_addresses() {
    let net = net();
    net.attach_internet();
    let world = &net.world;
    let limit = limits::INTERNET_GATEWAYS_PER_REGION - 1;
    fill::<InternetGateway>(world, limit, |r, id| r.id = id.into());
    let code = "InternetGatewayLimitExceeded";
    check(world, "CreateInternetGateway", "", code, "internet gateways");
    let private = format!("SubnetId={}&ConnectivityType=private", net.subnet);
    world.ec2("CreateNatGateway", &private);
    let limit = limits::NAT_GATEWAYS_PER_REGION - 1;
    fill::<NatGateway>(world, limit, |r, id| r.id = id.into());
    check(world, "CreateNatGateway", &private, "NatGatewayLimitExceeded", "NAT gateways");
    world.ec2("AllocateAddress", "");
    let limit = limits::ADDRESSES_PER_REGION - 1;
    fill::<Address>(world, limit, |r, id| r.id = id.into());
    check(world, "AllocateAddress", "", "AddressLimitExceeded", "addresses");
}

#[test]
fn interfaces_and_instances() {
    let net = net();
    let world = &net.world;
    let query = format!("SubnetId={}", net.subnet);
    let run = format!("ImageId=ami-1&MinCount=1&MaxCount=1&{query}");
    world.ec2("RunInstances", &run);
    let limit = limits::INTERFACES_PER_REGION - 1;
    fill::<NetworkInterface>(world, limit, |r, id| r.id = id.into());
    let code = "NetworkInterfaceLimitExceeded";
    check(world, "CreateNetworkInterface", &query, code, "network interfaces");
    fill::<Instance>(world, limits::INSTANCES_PER_REGION - 1, |r, id| r.id = id.into());
    let full = "The maximum number of instances has been reached.";
    let two = run.replace("Count=1", "Count=2");
    world.refuses("RunInstances", &two, "InstanceLimitExceeded", full);
    check(world, "RunInstances", &run, "InstanceLimitExceeded", "instances");
    let many = run.replace("Count=1", "Count=101");
    let message = "You have requested more instances (101) than 100.";
    world.refuses("RunInstances", &many, "InstanceLimitExceeded", message);
}
