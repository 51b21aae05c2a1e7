//! Regions and availability zones: names, ids, DescribeRegions, DescribeAvailabilityZones.
//! DEVIATION: every region name is accepted and has three zones, `a`, `b` and `c`.

use model::{Scope, Snapshot};
use shapes::ec2::{
    AvailabilityZone, DescribeAvailabilityZonesInput, DescribeAvailabilityZonesOutput,
    DescribeRegionsInput, DescribeRegionsOutput, Region,
};
use wire::Fault;

use super::fault;
use super::filter::{View, show};
use crate::Ctx;

/// Regions that are on for every account.
const REGIONS: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// The id of a zone: `use1-az1` for `us-east-1a`.
pub(crate) fn id(zone: &str) -> String {
    let Some(letter) = zone.chars().last().filter(char::is_ascii_lowercase) else {
        return zone.to_owned();
    };
    let number = u32::from(letter) - u32::from('a') + 1;
    format!("{}-az{number}", short(&zone[..zone.len() - 1]))
}

/// AWS: `us-east-1` is `use1`, `ap-northeast-2` is `apne2`, `us-gov-west-1` is `usgw1`.
fn short(region: &str) -> String {
    let parts: Vec<&str> = region.split('-').collect();
    let shorten = |(at, part): (usize, &&str)| match *part {
        "northeast" => "ne".to_owned(),
        "northwest" => "nw".to_owned(),
        "southeast" => "se".to_owned(),
        "southwest" => "sw".to_owned(),
        part if at == 0 || part.starts_with(|c: char| c.is_ascii_digit()) => part.to_owned(),
        part => part.chars().take(1).collect(),
    };
    parts.iter().enumerate().map(shorten).collect()
}

/// The zone that a request names by name or id, checked; none when it names none.
pub(crate) fn asked(
    scope: &Scope,
    name: Option<&str>,
    zone_id: Option<&str>,
) -> Result<Option<String>, Fault> {
    let zones = scope.zones();
    let (given, parameter, spell): (&str, &str, fn(&String) -> String) = match (name, zone_id) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            let message = "Only one of availabilityZone or availabilityZoneId may be specified.";
            return Err(fault::combination(message));
        }
        (Some(name), None) => (name, "availabilityZone", String::clone),
        (None, Some(zone_id)) => (zone_id, "availabilityZoneId", |zone| id(zone)),
    };
    if let Some(zone) = zones.iter().find(|zone| spell(zone) == given) {
        return Ok(Some(zone.clone()));
    }
    let known: Vec<String> = zones.iter().map(spell).collect();
    Err(fault::invalid(format!(
        "Value ({given}) for parameter {parameter} is invalid. Subnets can currently only be \
         created in the following availability zones: {}.",
        known.join(", ")
    )))
}

fn shape(scope: &Scope, zone: String) -> AvailabilityZone {
    let region = scope.region.to_string();
    AvailabilityZone {
        opt_in_status: Some("opt-in-not-required".into()),
        messages: Some(Vec::new()),
        region_name: Some(region.clone()),
        zone_id: Some(id(&zone)),
        zone_name: Some(zone),
        group_name: Some(format!("{region}-zg-1")),
        network_border_group: Some(region),
        zone_type: Some("availability-zone".into()),
        state: Some("available".into()),
        ..Default::default()
    }
}

const ZONES: View<AvailabilityZone> = View {
    id: |v| v.zone_name.as_deref(),
    tags: |_| None,
    fields: &[
        ("group-name", |v| show(&v.group_name)),
        ("message", |_| Vec::new()),
        ("opt-in-status", |v| show(&v.opt_in_status)),
        ("parent-zone-id", |_| Vec::new()),
        ("parent-zone-name", |_| Vec::new()),
        ("region-name", |v| show(&v.region_name)),
        ("state", |v| show(&v.state)),
        ("zone-id", |v| show(&v.zone_id)),
        ("zone-name", |v| show(&v.zone_name)),
        ("zone-type", |v| show(&v.zone_type)),
    ],
};

/// `DescribeAvailabilityZones`
pub fn describe_availability_zones(
    ctx: &Ctx<'_>,
    _: &Snapshot,
    input: DescribeAvailabilityZonesInput,
) -> Result<DescribeAvailabilityZonesOutput, Fault> {
    let names = input.zone_names.unwrap_or_default();
    let ids = input.zone_ids.unwrap_or_default();
    let zones = ctx.scope.zones().map(|zone| shape(&ctx.scope, zone));
    let knows = |wanted: &String, of: fn(&AvailabilityZone) -> &Option<String>| {
        zones.iter().any(|zone| of(zone).as_ref() == Some(wanted))
    };
    if let Some(name) = names.iter().find(|name| !knows(name, |zone| &zone.zone_name)) {
        return Err(fault::invalid(format!("Invalid availability zone: [{name}]")));
    }
    if let Some(id) = ids.iter().find(|id| !knows(id, |zone| &zone.zone_id)) {
        return Err(fault::invalid(format!("Invalid availability zone-id: [{id}]")));
    }
    let named = |list: &[String], value: &Option<String>| {
        list.is_empty() || value.as_ref().is_some_and(|value| list.contains(value))
    };
    let zones = zones
        .into_iter()
        .filter(|zone| named(&names, &zone.zone_name) && named(&ids, &zone.zone_id));
    let zones = ZONES.select(zones, input.filters.as_deref())?;
    Ok(DescribeAvailabilityZonesOutput { availability_zones: Some(zones) })
}

const REGION_VIEW: View<Region> = View {
    id: |v| v.region_name.as_deref(),
    tags: |_| None,
    fields: &[
        ("endpoint", |v| show(&v.endpoint)),
        ("opt-in-status", |v| show(&v.opt_in_status)),
        ("region-name", |v| show(&v.region_name)),
    ],
};

/// `DescribeRegions`
pub fn describe_regions(
    ctx: &Ctx<'_>,
    _: &Snapshot,
    input: DescribeRegionsInput,
) -> Result<DescribeRegionsOutput, Fault> {
    let own: &str = &ctx.scope.region;
    let mut names = REGIONS.to_vec();
    if !names.contains(&own) {
        names.push(own);
    }
    let wanted = input.region_names.unwrap_or_default();
    if let Some(unknown) = wanted.iter().find(|name| !names.contains(&name.as_str())) {
        return Err(fault::invalid(format!("Invalid region names provided: [{unknown}]")));
    }
    let regions = names
        .iter()
        .filter(|name| wanted.is_empty() || wanted.iter().any(|wanted| wanted == *name))
        .map(|name| Region {
            opt_in_status: Some("opt-in-not-required".into()),
            region_name: Some((*name).into()),
            endpoint: Some(format!("ec2.{name}.amazonaws.com")),
            ..Default::default()
        });
    let regions = REGION_VIEW.select(regions, input.filters.as_deref())?;
    Ok(DescribeRegionsOutput { regions: Some(regions) })
}
