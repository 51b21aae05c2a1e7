//! What a DNS question is answered with: records of Cloud Map services, names of load balancers.
//!
//! Nothing is allocated on the way to a service's records; an answer borrows from the tables.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::Timestamp;
use model::balancer::Scheme;
use model::discovery::{RecordKind, RoutingPolicy};

use crate::Tables;
use crate::draw;
use crate::tables::{BalancerTable, InstanceEntry, Name, ServiceTable, ZoneTable};
use crate::zone::{is_healthy, name};

/// Records of one answer. AWS: eight.
pub const MAX_RECORDS: usize = 8;
/// Seconds that the addresses of a load balancer may be kept. AWS: 60.
const BALANCER_TTL: u32 = 60;

/// Types of records, as messages number them.
pub mod kind {
    /// `A`
    pub const A: u16 = 1;
    /// `NS`
    pub const NS: u16 = 2;
    /// `CNAME`
    pub const CNAME: u16 = 5;
    /// `SOA`
    pub const SOA: u16 = 6;
    /// `AAAA`
    pub const AAAA: u16 = 28;
    /// `SRV`
    pub const SRV: u16 = 33;
    /// Any type.
    pub const ANY: u16 = 255;
}

/// A question of class `IN`.
#[derive(Clone, Copy, Debug)]
pub struct Question<'q> {
    /// The name in lower case (`name::lower`).
    pub name: &'q [u8],
    /// The type of records.
    pub kind: u16,
}

/// What came of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The name exists; without records it has none of that type.
    Found,
    /// The name does not exist.
    NoSuchName,
    /// The name is none of ours.
    NotOurs,
}

/// An answer.
#[derive(Debug)]
pub struct Answered<'t> {
    /// What came of it.
    pub status: Status,
    /// The zone of the name: who may keep a negative answer, and how long.
    pub zone: Option<&'t ZoneTable>,
    /// The name is an alias of this one, for so many seconds; the records are that one's.
    pub alias: Option<(&'t [u8], u32)>,
    /// The records.
    pub records: Records<'t>,
}

/// Records of one name and one type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Records<'t> {
    /// Seconds that they may be kept.
    pub ttl: u32,
    list: [Option<Data<'t>>; MAX_RECORDS],
    length: usize,
}

impl<'t> Records<'t> {
    /// The records.
    pub fn iter(&self) -> impl Iterator<Item = Data<'t>> {
        self.list.into_iter().flatten()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    fn push(&mut self, data: Option<Data<'t>>) {
        if let (Some(data), Some(free)) = (data, self.list.get_mut(self.length)) {
            *free = Some(data);
            self.length += 1;
        }
    }
}

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data<'t> {
    /// `A`
    A(Ipv4Addr),
    /// `AAAA`
    Aaaa(Ipv6Addr),
    /// `CNAME`
    Cname(&'t [u8]),
    /// `SRV`, with priority and weight 1, to this name below the one that was asked for.
    Srv(u16, &'t [u8]),
    /// `SOA` of the answer's zone.
    Soa,
    /// `NS` of the answer's zone.
    Ns,
}

/// Answers a question. `draw` chooses among instances.
///
/// DEVIATION: One DNS server answers for all VPCs: of private DNS namespaces with the same name the
/// oldest one is asked; on AWS each VPC sees its own.
pub fn answer<'t>(
    tables: &'t Tables,
    question: Question<'_>,
    now: Timestamp,
    draw: u64,
) -> Answered<'t> {
    let mut answered = once(tables, question, now, draw);
    let asked = question.kind != kind::CNAME && answered.alias.is_none();
    let record = answered.records.list[0];
    if let (true, Some(Data::Cname(target))) = (asked, record) {
        // What is asked for stands behind the alias, maybe here too.
        let next = once(tables, Question { name: target, kind: question.kind }, now, draw);
        let is_last = !matches!(next.records.list[0], Some(Data::Cname(_)));
        answered.alias = Some((target, answered.records.ttl));
        answered.records = if is_last { next.records } else { Records::default() };
    }
    answered
}

fn once<'t>(tables: &'t Tables, asked: Question<'_>, now: Timestamp, draw: u64) -> Answered<'t> {
    let tails = name::tails(asked.name);
    let zone = tails.into_iter().find_map(|tail| tables.zones.zones.get(tail));
    let Some(zone) = zone else { return of_balancer(tables, asked) };
    let relative = &asked.name[..asked.name.len() - zone.name.len()];
    let found = |records| answered(Status::Found, zone, records);
    if let (true, Some(data)) = (relative.is_empty(), of_apex(asked.kind)) {
        let mut records = Records { ttl: zone.soa_ttl, ..Records::default() };
        records.push(Some(data));
        return found(records);
    }
    let service = zone.services.get(relative);
    if let Some(service) = service.filter(|service| has_records(service)) {
        return found(of_service(tables, service, asked.kind, now, draw));
    }
    if let Some(records) = of_host(zone, relative, asked.kind) {
        return found(records);
    }
    let exists = relative.is_empty() || zone.inner.contains_key(relative);
    let status = if exists { Status::Found } else { Status::NoSuchName };
    answered(status, zone, Records::default())
}

fn answered<'t>(status: Status, zone: &'t ZoneTable, records: Records<'t>) -> Answered<'t> {
    Answered { status, zone: Some(zone), alias: None, records }
}

fn of_apex(asked: u16) -> Option<Data<'static>> {
    match asked {
        kind::SOA | kind::ANY => Some(Data::Soa),
        kind::NS => Some(Data::Ns),
        _ => None,
    }
}

/// Whether the name of a service has records of any type: without an instance it has none.
fn has_records(service: &ServiceTable) -> bool {
    let kinds = || service.record.dns.iter().flat_map(|dns| &dns.records);
    service.instances.iter().any(|instance| kinds().any(|record| fits(instance, record.kind)))
}

/// Whether an instance has a record of this type.
fn fits(instance: &InstanceEntry, kind: RecordKind) -> bool {
    match kind {
        RecordKind::A => instance.ipv4.is_some() || instance.alias.is_some(),
        RecordKind::Aaaa => instance.ipv6.is_some() || instance.alias.is_some(),
        RecordKind::Cname => instance.cname.is_some(),
        RecordKind::Srv => instance.port.is_some() && instance.host.is_some(),
    }
}

/// The type of a service's records that answers a question. AWS: an alias answers any.
fn record_kind(service: &ServiceTable, asked: u16) -> Option<(RecordKind, u32)> {
    let wanted = match asked {
        kind::A => Some(RecordKind::A),
        kind::AAAA => Some(RecordKind::Aaaa),
        kind::SRV => Some(RecordKind::Srv),
        // Any one type will do.
        kind::ANY => service.record.dns.as_ref()?.records.first().map(|record| record.kind),
        _ => None,
    };
    let ttl = |kind| service.ttl(kind).map(|ttl| (kind, ttl));
    wanted.and_then(ttl).or_else(|| ttl(RecordKind::Cname))
}

fn of_service<'t>(
    tables: &'t Tables,
    service: &'t ServiceTable,
    asked: u16,
    now: Timestamp,
    draw: u64,
) -> Records<'t> {
    let Some((kind, ttl)) = record_kind(service, asked) else { return Records::default() };
    let most = match service.routing() {
        RoutingPolicy::Multivalue => MAX_RECORDS,
        RoutingPolicy::Weighted => 1,
    };
    let healthy = sample(service, draw, most, |instance| {
        fits(instance, kind) && is_healthy(service, instance, now)
    });
    // AWS: without a healthy one all count as healthy.
    let chosen = match healthy.length {
        0 => sample(service, draw, most, |instance| fits(instance, kind)),
        _ => healthy,
    };
    let mut records = Records { ttl, ..Records::default() };
    for place in &chosen.places[..chosen.length] {
        let Some(instance) = service.instances.get(*place) else { continue };
        if let Some(alias) = &instance.alias {
            let balancer = tables.names.get(alias).and_then(|arn| tables.balancers.get(arn));
            return balancer.map_or_else(Records::default, |to| addresses(tables, to, asked));
        }
        records.push(data(instance, kind));
    }
    records
}

fn data(instance: &InstanceEntry, kind: RecordKind) -> Option<Data<'_>> {
    match kind {
        RecordKind::A => instance.ipv4.map(Data::A),
        RecordKind::Aaaa => instance.ipv6.map(Data::Aaaa),
        RecordKind::Cname => instance.cname.as_deref().map(Data::Cname),
        RecordKind::Srv => Some(Data::Srv(instance.port?, instance.host.as_deref()?)),
    }
}

/// Places of instances that were chosen.
struct Sample {
    places: [usize; MAX_RECORDS],
    length: usize,
}

/// Some instances that fit, at most so many, each with the same chance and in random order.
fn sample(
    service: &ServiceTable,
    draw: u64,
    most: usize,
    fits: impl Fn(&InstanceEntry) -> bool,
) -> Sample {
    let mut sample = Sample { places: [0; MAX_RECORDS], length: 0 };
    let mut seen = 0;
    for (place, instance) in service.instances.iter().enumerate() {
        if !fits(instance) {
            continue;
        }
        if sample.length < most {
            sample.places[sample.length] = place;
            sample.length += 1;
        } else {
            let at = draw::below(draw, seen, seen + 1);
            if at < most as u64 {
                sample.places[at as usize] = place;
            }
        }
        seen += 1;
    }
    for last in (1..sample.length).rev() {
        let other = draw::below(!draw, last as u64, last as u64 + 1);
        sample.places.swap(last, other as usize);
    }
    sample
}

/// Records of an instance's own name, which SRV records point to.
///
/// AWS: they are made for each instance of a service with SRV records that has an address, and may
/// be kept as long.
fn of_host<'t>(zone: &'t ZoneTable, relative: &[u8], asked: u16) -> Option<Records<'t>> {
    let under = |tail: &[u8]| {
        let service = zone.services.get(tail)?;
        let ttl = service.ttl(RecordKind::Srv)?;
        Some((service, ttl, &relative[..relative.len() - tail.len()]))
    };
    let tails = name::tails(relative).skip(1).chain([&relative[relative.len()..]]);
    let (service, ttl, host) = tails.into_iter().find_map(under)?;
    if host.is_empty() {
        return None;
    }
    let mut records = Records { ttl, ..Records::default() };
    let is_host = |(name, _): &(Name, usize)| (**name).cmp(host);
    let Ok(at) = service.hosts.binary_search_by(is_host) else {
        // An id with dots in it makes names between itself and the service.
        let between = |(name, _): &(Name, usize)| name::tails(name).any(|tail| tail == host);
        return service.hosts.iter().any(between).then(Records::default);
    };
    let instance = service.instances.get(service.hosts[at].1)?;
    let wanted = match asked {
        kind::A => data(instance, RecordKind::A),
        kind::AAAA => data(instance, RecordKind::Aaaa),
        kind::ANY => data(instance, RecordKind::A).or_else(|| data(instance, RecordKind::Aaaa)),
        _ => None,
    };
    records.push(wanted);
    Some(records)
}

/// The name of a load balancer.
fn of_balancer<'t>(tables: &'t Tables, asked: Question<'_>) -> Answered<'t> {
    let text = name::dotted(asked.name).unwrap_or_default();
    let name = text.strip_prefix("dualstack.").unwrap_or(&text);
    let balancer = tables.names.get(name).and_then(|arn| tables.balancers.get(arn));
    let (status, records) = match balancer {
        Some(balancer) => (Status::Found, addresses(tables, balancer, asked.kind)),
        None => (Status::NotOurs, Records::default()),
    };
    Answered { status, zone: None, alias: None, records }
}

/// AWS: the public addresses of an internet-facing load balancer, the private ones of an internal
/// one.
fn addresses<'t>(tables: &'t Tables, balancer: &'t BalancerTable, asked: u16) -> Records<'t> {
    let mut records = Records { ttl: BALANCER_TTL, ..Records::default() };
    for node in &balancer.nodes {
        let interface = tables.network.interfaces.get(&(balancer.vpc.clone(), node.ip));
        let public = interface.and_then(|interface| interface.public_ip).map(IpAddr::V4);
        let public = public.filter(|_| balancer.scheme == Scheme::InternetFacing);
        records.push(match (public.unwrap_or(node.ip), asked) {
            (IpAddr::V4(ip), kind::A | kind::ANY) => Some(Data::A(ip)),
            (IpAddr::V6(ip), kind::AAAA | kind::ANY) => Some(Data::Aaaa(ip)),
            _ => None,
        });
    }
    records
}

#[cfg(test)]
mod tests;
