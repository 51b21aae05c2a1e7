//! Cloud Map's services and zones from their records.
//!
//! All of it is a walk over what has changed since the tables before: compiling from scratch is
//! the same walk from nothing. An instance whose record is the same keeps its entry, too.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::discovery::{Namespace, Registration, Service, ServiceName};
use model::{RegistrationId, ServiceId, Snapshot};

use crate::compile::kept::Kept;
use crate::compile::probe;
use crate::live::Bound;
use crate::network::BookSockets;
use crate::tables::{InstanceEntry, Name, ServiceTable, ZoneTable, Zones};
use crate::zone::name;

/// Makes the tables of services and zones.
pub(super) fn compile(snapshot: &Snapshot, kept: &Kept<'_>, book: &BookSockets) -> Zones {
    let nothing = (Snapshot::default(), Zones::default());
    let (old, mut zones) = match kept.zones() {
        Some((old, zones)) => (old, zones.clone()),
        None => (&nothing.0, nothing.1),
    };
    zones.fresh.clear();
    let instances = snapshot.registrations.changes(&old.registrations);
    let services = snapshot.services.changes(&old.services).into_iter();
    let services: BTreeSet<_> = services.chain(instances.into_iter().map(|(id, _)| id)).collect();
    for id in services {
        put_service(&mut zones, snapshot, id, book);
    }
    for id in snapshot.namespaces.changes(&old.namespaces) {
        let names =
            [old, snapshot].map(|state| state.namespaces.get(id).and_then(|n| zone_name(n)));
        let names: BTreeSet<Name> = names.into_iter().flatten().collect();
        names.into_iter().for_each(|name| put_zone(&mut zones, snapshot, name));
    }
    zones
}

/// The lower-case name of a namespace's zone.
fn zone_name(namespace: &Namespace) -> Option<Name> {
    namespace.kind.zone()?;
    name::lower(&namespace.name)
}

/// Puts a service in the place of the one with its id, in its zone too.
fn put_service(zones: &mut Zones, snapshot: &Snapshot, id: &ServiceId, book: &BookSockets) {
    let before = zones.services.get(id).cloned();
    let record = snapshot.services.get(id);
    let table = record.map(|record| Arc::new(service(snapshot, record, before.as_deref(), book)));
    let either = table.as_ref().or(before.as_ref()).map(|table| &table.record.namespace);
    let Some(namespace) = either.cloned() else { return };
    let checked = before.as_ref().and_then(|before| before.checked.as_ref());
    let before_checked = checked.map(|checked| checked.arn.clone());
    let zone = snapshot.namespaces.get(&namespace).and_then(|n| zone_name(n));
    let zone = zone.and_then(|name| zones.zones.get(&name));
    // One that another namespace's zone hides is in no zone.
    let zone = zone.filter(|zone| zone.namespace == namespace).cloned();
    if let Some(zone) = zone {
        let mut zone = ZoneTable::clone(&zone);
        if let Some(owner) = before.and_then(|before| before.owner.clone()) {
            zone.leave(&owner);
        }
        if let Some(table) = &table {
            zone.enter(table);
        }
        zones.zones.insert_mut(zone.name.clone(), Arc::new(zone));
    }
    if let Some(known) = before_checked {
        zones.checked.remove_mut(&known);
    }
    match table {
        Some(table) => {
            if let Some(checked) = &table.checked {
                zones.checked.insert_mut(checked.arn.clone(), Arc::clone(checked));
            }
            zones.services.insert_mut(id.clone(), table);
            zones.fresh.push(id.clone());
        }
        None => drop(zones.services.remove_mut(id)),
    }
}

/// Makes the zone of a name anew, with all services of its namespace.
fn put_zone(zones: &mut Zones, snapshot: &Snapshot, name: Name) {
    let named = snapshot.namespaces.iter().filter(|n| zone_name(n).as_ref() == Some(&name));
    let oldest = named.min_by_key(|namespace| (namespace.created, &namespace.id));
    let Some(namespace) = oldest else {
        zones.zones.remove_mut(&name);
        return;
    };
    let mut zone = ZoneTable {
        namespace: namespace.id.clone(),
        name: name.clone(),
        soa_ttl: namespace.kind.zone().map_or(0, |zone| zone.soa_ttl),
        services: Default::default(),
        inner: Default::default(),
    };
    let table = |entry: &Arc<ServiceName>| zones.services.get(&entry.service).cloned();
    for service in snapshot.service_names.under(&namespace.id).filter_map(table) {
        zone.enter(&service);
    }
    zones.zones.insert_mut(name, Arc::new(zone));
}

impl ZoneTable {
    fn enter(&mut self, service: &Arc<ServiceTable>) {
        let Some(owner) = &service.owner else { return };
        self.services.insert_mut(owner.clone(), Arc::clone(service));
        for tail in name::tails(owner).skip(1) {
            let count = self.inner.get(tail).copied().unwrap_or(0);
            self.inner.insert_mut(tail.into(), count + 1);
        }
    }

    fn leave(&mut self, owner: &[u8]) {
        self.services.remove_mut(owner);
        for tail in name::tails(owner).skip(1) {
            match self.inner.get(tail).copied() {
                Some(count) if count > 1 => self.inner.insert_mut(tail.into(), count - 1),
                _ => drop(self.inner.remove_mut(tail)),
            }
        }
    }
}

fn service(
    snapshot: &Snapshot,
    record: &Arc<Service>,
    before: Option<&ServiceTable>,
    book: &BookSockets,
) -> ServiceTable {
    let known = |id: &RegistrationId| before.and_then(|before| before.instance(id));
    let entry = |registration: &Arc<Registration>| {
        let known = known(&registration.id);
        let same = known.filter(|known| Arc::ptr_eq(&known.record, registration));
        same.map_or_else(|| Arc::new(instance(registration)), Arc::clone)
    };
    let instances: Vec<_> = snapshot.registrations.under(&record.id).map(entry).collect();
    let has_srv = record.dns.iter().flat_map(|dns| &dns.records);
    let has_srv = has_srv.into_iter().any(|own| own.kind == model::discovery::RecordKind::Srv);
    let mut hosts: Vec<(Name, usize)> = Vec::new();
    if has_srv {
        hosts.extend(instances.iter().enumerate().filter_map(|(place, instance)| {
            Some((name::lower(&instance.record.id.to_string()).filter(|n| !n.is_empty())?, place))
        }));
        hosts.sort();
    }
    ServiceTable {
        owner: record.dns.as_ref().and_then(|_| name::lower(&record.name)),
        record: Arc::clone(record),
        checked: probe::group(record, &instances, book).map(Arc::new),
        instances,
        hosts,
    }
}

fn instance(record: &Arc<Registration>) -> InstanceEntry {
    let attribute = |key: &str| record.attributes.get(key);
    let alias = attribute(model::discovery::ALIAS);
    InstanceEntry {
        ipv4: record.ipv4(),
        ipv6: record.ipv6(),
        port: record.port(),
        cname: attribute(model::discovery::CNAME).and_then(|name| name::lower(name)),
        alias: alias.map(|name| name.trim_end_matches('.').to_ascii_lowercase()),
        host: name::wire(record.id.as_str()).filter(|name| !name.is_empty()),
        live: Bound::default(),
        record: Arc::clone(record),
    }
}
