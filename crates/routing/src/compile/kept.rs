//! Which tables of an earlier compile can be kept: those whose inputs are the same records.
//!
//! One function per part, and in it everything that the part is made from. Sameness is that of
//! pointers: a record that was written again counts as changed, whatever is in it. That keeping
//! changes nothing is tested in `tests/kept.rs`: every part equals that of a compile from scratch.

use std::collections::HashSet;
use std::sync::Arc;

use model::balancer::{ActionKind, Listener, LoadBalancer, TargetGroup};
use model::gateway::Api;
use model::{
    ApiId, CertificateArn, ListenerArn, LoadBalancerArn, Snapshot, TargetGroupArn, TrustStoreArn,
};

use crate::Tables;
use crate::balancer::authenticate::Keyring;
use crate::network::{BookSockets, Network};
use crate::tables::{
    ApiTable, BalancerTable, GroupTable, GroupUsers, Links, ListenerTable, PoolKey, PoolTable,
    ServiceTable, TlsTable, Way, Zones,
};

/// What an earlier compile left, or nothing.
pub(super) struct Kept<'s> {
    now: &'s Snapshot,
    before: Option<Before<'s>>,
}

/// An earlier snapshot and its tables, and the parents of what has changed since.
struct Before<'s> {
    snapshot: &'s Snapshot,
    tables: &'s Tables,
    /// APIs with other routes, integrations, stages or deployments.
    apis: HashSet<&'s ApiId>,
    /// Load balancers with other listeners.
    balancers: HashSet<&'s LoadBalancerArn>,
    /// Listeners with other rules.
    listeners: HashSet<&'s ListenerArn>,
    /// Groups with other targets.
    groups: HashSet<&'s TargetGroupArn>,
}

impl<'s> Kept<'s> {
    /// What can be kept of `before` for `now`.
    pub(super) fn new(now: &'s Snapshot, before: Option<(&'s Snapshot, &'s Tables)>) -> Self {
        let before = before.map(|(old, tables)| Before {
            snapshot: old,
            tables,
            apis: [
                owners(now.routes.changes(&old.routes)),
                owners(now.integrations.changes(&old.integrations)),
                owners(now.stages.changes(&old.stages)),
                owners(now.deployments.changes(&old.deployments)),
            ]
            .into_iter()
            .flatten()
            .collect(),
            balancers: owners(now.listeners.changes(&old.listeners)),
            listeners: owners(now.rules.changes(&old.rules)),
            groups: owners(now.targets.changes(&old.targets)),
        });
        Self { now, before }
    }

    /// The settings, which are the same.
    pub(super) fn keyring(&self) -> Option<Arc<Keyring>> {
        self.before.as_ref().map(|before| Arc::clone(&before.tables.keyring))
    }

    /// Interfaces, instances, security groups and their rules.
    pub(super) fn network(&self) -> Option<Arc<Network>> {
        let Before { snapshot: old, tables, .. } = self.before.as_ref()?;
        let now = self.now;
        let same = now.network_interfaces.is_same(&old.network_interfaces)
            && now.instances.is_same(&old.instances)
            && now.security_groups.is_same(&old.security_groups)
            && now.security_group_rules.is_same(&old.security_group_rules);
        same.then(|| Arc::clone(&tables.network))
    }

    /// The address book's part that settings fill; settings stay the same.
    pub(super) fn book_sockets(&self) -> Option<Arc<BookSockets>> {
        Some(Arc::clone(&self.before.as_ref()?.tables.network.book.sockets))
    }

    /// The links, their interfaces, and default security groups.
    pub(super) fn links(&self) -> Option<Arc<Links>> {
        let Before { snapshot: old, tables, .. } = self.before.as_ref()?;
        let now = self.now;
        let same = now.vpc_links.is_same(&old.vpc_links)
            && now.network_interfaces.is_same(&old.network_interfaces)
            && now.security_groups.is_same(&old.security_groups);
        same.then(|| Arc::clone(&tables.links))
    }

    /// Rules.
    pub(super) fn users(&self) -> Option<Arc<GroupUsers>> {
        let Before { snapshot, tables, .. } = self.before.as_ref()?;
        self.now.rules.is_same(&snapshot.rules).then(|| Arc::clone(&tables.users))
    }

    /// The record, its listeners as far as their ports go, its interfaces, its VPC.
    pub(super) fn balancer(&self, record: &Arc<LoadBalancer>) -> Option<Arc<BalancerTable>> {
        let before = self.before.as_ref()?;
        let (now, old, vpc) = (self.now, before.snapshot, &record.vpc);
        let table = before.tables.balancers.get(&record.arn)?;
        let same_interfaces = record.zones.iter().all(|zone| {
            let id = &zone.interface;
            are(now.network_interfaces.get(id), old.network_interfaces.get(id))
        });
        let same = is(record, old.load_balancers.get(&record.arn))
            && same_interfaces
            && are(now.vpcs.get(vpc), old.vpcs.get(vpc))
            && (!before.balancers.contains(&record.arn)
                || super::balancer::ports(now, record) == table.ports);
        same.then(|| Arc::clone(table))
    }

    /// The record, its targets, the load balancer that uses it, what stands on the addresses, and
    /// what security groups permit.
    pub(super) fn group(
        &self,
        record: &Arc<TargetGroup>,
        balancer: Option<&Arc<BalancerTable>>,
        tables: &Tables,
    ) -> Option<Arc<GroupTable>> {
        let before = self.before.as_ref()?;
        let table = before.tables.groups.get(&record.arn)?;
        let user = table.balancer.as_ref().and_then(|arn| before.tables.balancers.get(arn));
        let same = !before.groups.contains(&record.arn)
            && is(record, before.snapshot.target_groups.get(&record.arn))
            && are(balancer, user)
            && (before.has(&tables.network)
                || self.has_same_addresses(before)
                    && super::group::has_same_permits(tables, record, balancer, table));
        same.then(|| Arc::clone(table))
    }

    /// Interfaces and instances, and with them the address book.
    fn has_same_addresses(&self, before: &Before<'_>) -> bool {
        let (now, old) = (self.now, before.snapshot);
        now.network_interfaces.is_same(&old.network_interfaces)
            && now.instances.is_same(&old.instances)
    }

    /// The groups that look different to rules: new, removed, written, or of another load balancer.
    pub(super) fn moved<'g>(&'g self, tables: &'g Tables) -> HashSet<&'g TargetGroupArn> {
        let Some(before) = &self.before else { return HashSet::new() };
        let moved = |(arn, table): &(&TargetGroupArn, &Arc<GroupTable>)| {
            let old = before.tables.groups.get(*arn);
            old.is_none_or(|old| !Arc::ptr_eq(old, table) && old.balancer != table.balancer)
        };
        let written = self.now.target_groups.changes(&before.snapshot.target_groups);
        written.into_iter().chain(tables.groups.iter().filter(moved).map(|(arn, _)| arn)).collect()
    }

    /// The record, its rules, the groups they name (as far as rules look at them), its
    /// certificates and trust store, the load balancer's table, the addresses of its sockets.
    pub(super) fn listener(
        &self,
        record: &Arc<Listener>,
        balancer: &Arc<BalancerTable>,
        moved: &HashSet<&TargetGroupArn>,
    ) -> Option<Arc<ListenerTable>> {
        let before = self.before.as_ref()?;
        let key = (record.load_balancer.clone(), record.arn.clone());
        let same = !before.listeners.contains(&record.arn)
            && is(record, before.snapshot.listeners.get(&key))
            && is(balancer, before.tables.balancers.get(&balancer.arn))
            && self.has_same_addresses(before)
            && (moved.is_empty() || !self.names_any(record, moved))
            && self.has_same_certificates(before.snapshot, record);
        same.then(|| before.tables.listeners.get(&record.arn).cloned())?
    }

    fn has_same_certificates(&self, old: &Snapshot, record: &Listener) -> bool {
        let now = self.now;
        let same_certificate = |arn: &String| {
            let arn = CertificateArn::from(arn.as_str());
            are(now.certificates.get(&arn), old.certificates.get(&arn))
        };
        let same_store =
            |arn: &TrustStoreArn| are(now.trust_stores.get(arn), old.trust_stores.get(arn));
        (now.certificates.is_same(&old.certificates)
            || record.certificates.iter().all(same_certificate))
            && record.mutual.trust_store().is_none_or(same_store)
    }

    /// TLS of a listener as it was, to be kept if it comes out the same.
    pub(super) fn tls(&self, record: &Listener) -> Option<&Arc<TlsTable>> {
        let before = self.before.as_ref()?;
        before.tables.listeners.get(&record.arn)?.tls.as_ref()
    }

    fn names_any(&self, listener: &Listener, groups: &HashSet<&TargetGroupArn>) -> bool {
        let rules = self.now.rules.under(&listener.arn);
        rules.flat_map(|rule| &rule.actions).any(|action| match &action.kind {
            ActionKind::Forward(forward) => {
                forward.groups.iter().any(|group| groups.contains(&group.group))
            }
            _ => false,
        })
    }

    /// What a walk over the changes of Cloud Map's records starts from.
    pub(super) fn zones(&self) -> Option<(&Snapshot, &Zones)> {
        self.before.as_ref().map(|before| (before.snapshot, &before.tables.zones))
    }

    /// The service with its instances, the link, and all that security groups and the address book
    /// depend on.
    pub(super) fn pool(
        &self,
        key: &PoolKey,
        service: Option<&Arc<ServiceTable>>,
        tables: &Tables,
    ) -> Option<Arc<PoolTable>> {
        let before = self.before.as_ref()?;
        let table = before.tables.pools.get(key)?;
        let same = are(service, table.service.as_ref())
            && Arc::ptr_eq(&tables.links, &before.tables.links)
            && before.has(&tables.network);
        same.then(|| Arc::clone(table))
    }

    /// The record and its children, and where links lead from it.
    pub(super) fn api(&self, record: &Arc<Api>, tables: &Tables) -> Option<Arc<ApiTable>> {
        let before = self.before.as_ref()?;
        let same =
            !before.apis.contains(&record.id) && is(record, before.snapshot.apis.get(&record.id));
        let table = before.tables.apis.get(&record.id).filter(|_| same)?;
        let leads_there = |way: &Way| {
            crate::link::resolve(tables, &way.link, &way.listener, way.tls.as_deref()) == way.path
        };
        table.ways().all(leads_there).then(|| Arc::clone(table))
    }
}

impl Before<'_> {
    fn has(&self, network: &Arc<Network>) -> bool {
        Arc::ptr_eq(&self.tables.network, network)
    }
}

fn owners<A: std::hash::Hash + Eq, B>(keys: Vec<&(A, B)>) -> HashSet<&A> {
    keys.into_iter().map(|(owner, _)| owner).collect()
}

fn is<T>(now: &Arc<T>, before: Option<&Arc<T>>) -> bool {
    before.is_some_and(|before| Arc::ptr_eq(now, before))
}

fn are<T>(now: Option<&Arc<T>>, before: Option<&Arc<T>>) -> bool {
    match now {
        Some(now) => is(now, before),
        None => before.is_none(),
    }
}
