//! Reconcilers: they look at the state and the clock and bring about what must follow.
//!
//! Each takes no input, is idempotent, and runs on every change and when its time has come: links
//! become available, load balancers active, drained targets are forgotten, certificates in use are
//! renewed, deleted things that stay visible for a while disappear.
//! Stacks have their own executor in `deploy`.

use std::sync::Arc;
use std::time::Duration;

use control::acm::renewal;
use model::balancer::{LoadBalancer, LoadBalancerState, Target};
use model::link::{VpcLink, VpcLinkStatus};
use model::network::{Instance, InstanceState, NatGateway};
use model::table::Record;
use model::token::ClientToken;
use model::{Revision, Settings, Snapshot, Timestamp};
use store::{Aborted, Store, Txn};
use tokio::sync::watch;
use tracing::warn;

use crate::threads::Stop;

/// The longest time between two passes, in seconds.
const PASS_SECONDS: u64 = 60;

/// How long a deleted NAT gateway or a terminated instance stays visible. AWS: about an hour.
const VISIBLE_AFTER_DELETION_MS: i64 = 3_600_000;

/// Time between attempts to renew certificates, in seconds.
const RENEWAL_PAUSE_SECONDS: i64 = 60;

/// How long a client token is remembered. AWS: a day at least.
const TOKENS_KEPT_MS: i64 = 24 * 3_600_000;

/// The reconcilers, and what they looked at last: most changes are none of theirs, and a walk over
/// thousands of targets takes time from the applier.
pub struct Reconcilers {
    settings: Arc<Settings>,
    seen: Option<(Arc<Snapshot>, Option<Timestamp>)>,
}

impl Reconcilers {
    /// Those of a node with these settings.
    pub fn new(settings: Arc<Settings>) -> Reconcilers {
        Reconcilers { settings, seen: None }
    }

    /// Runs them until the node stops: when something is due, and once a change is live; before
    /// that they would take the core from the applier.
    pub async fn follow(
        mut self,
        store: Arc<Store>,
        mut live: watch::Receiver<Revision>,
        mut stop: Stop,
    ) {
        loop {
            let now = api::now();
            let due = self.run(&store, now);
            let wait = due.map_or(PASS_SECONDS * 1000, |due| {
                u64::try_from(due.0.saturating_sub(now.0)).unwrap_or(0)
            });
            let wait = Duration::from_millis(wait.min(PASS_SECONDS * 1000));
            tokio::select! {
                () = stop.requested() => return,
                more = live.changed() => if more.is_err() { return },
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Runs all once; answers when the next one is due if nothing changes before.
    pub fn run(&mut self, store: &Store, now: Timestamp) -> Option<Timestamp> {
        let state = store.snapshot();
        if let Some((seen, due)) = &self.seen
            && store.trouble().is_none()
            && looks_same(seen, &state)
            && due.is_none_or(|due| due > now)
        {
            return *due;
        }
        let due = run(&self.settings, store, now);
        self.seen = Some((state, due));
        due
    }
}

/// Whether all that reconcilers look at is the same.
fn looks_same(seen: &Snapshot, now: &Snapshot) -> bool {
    now.vpc_links.is_same(&seen.vpc_links)
        && now.load_balancers.is_same(&seen.load_balancers)
        && now.targets.is_same(&seen.targets)
        && now.nat_gateways.is_same(&seen.nat_gateways)
        && now.instances.is_same(&seen.instances)
        && now.client_tokens.is_same(&seen.client_tokens)
        && now.certificates.is_same(&seen.certificates)
        && now.listeners.is_same(&seen.listeners)
}

fn run(settings: &Settings, store: &Store, now: Timestamp) -> Option<Timestamp> {
    if store.trouble().is_some() && store.try_again().is_err() {
        return Some(now.plus_seconds(1));
    }
    let state = store.snapshot();
    if is_due(&state, now) {
        let done = store.transact(|txn| {
            settle(txn, now);
            Ok::<(), std::convert::Infallible>(())
        });
        if let Err(Aborted::Store(error)) = done {
            warn!(%error, "the state cannot be brought up to date; trying again");
            return Some(now.plus_seconds(1));
        }
    }
    if renewal::due(&store.snapshot(), now).next().is_some() {
        let renewed =
            store.transact(|txn| renewal::renew_due(settings, txn, now, fastrand::u64(..)));
        if let Err(error) = renewed {
            let why = match error {
                Aborted::Operation(fault) => fault.to_string(),
                Aborted::Store(error) => error.to_string(),
            };
            warn!(why, "certificates cannot be renewed; trying again");
            return Some(now.plus_seconds(RENEWAL_PAUSE_SECONDS));
        }
    }
    next_due(&store.snapshot(), now)
}

fn is_due(state: &Snapshot, now: Timestamp) -> bool {
    state.vpc_links.iter().any(|link| pending(link))
        || state.load_balancers.iter().any(|balancer| provisioning(balancer))
        || deadlines(state).any(|deadline| deadline <= now)
}

fn next_due(state: &Snapshot, now: Timestamp) -> Option<Timestamp> {
    let renewals = state.certificates.iter().filter_map(|record| renewal::due_at(record));
    deadlines(state).chain(renewals).filter(|deadline| *deadline > now).min()
}

/// When time alone changes something.
fn deadlines(state: &Snapshot) -> impl Iterator<Item = Timestamp> {
    let drained = state.targets.iter().filter_map(|target| target.draining_until);
    let gateways = state.nat_gateways.iter().filter_map(|gateway| gone(gateway));
    let tokens = state.client_tokens.iter().map(|token| token.used.plus_ms(TOKENS_KEPT_MS));
    drained.chain(gateways).chain(tokens)
}

fn pending(link: &VpcLink) -> bool {
    link.status == VpcLinkStatus::Pending
}

fn provisioning(balancer: &LoadBalancer) -> bool {
    balancer.state == LoadBalancerState::Provisioning
}

fn drained(target: &Target, now: Timestamp) -> bool {
    target.draining_until.is_some_and(|deadline| deadline <= now)
}

fn gone(gateway: &NatGateway) -> Option<Timestamp> {
    gateway.deleted.map(|deleted| deleted.plus_ms(VISIBLE_AFTER_DELETION_MS))
}

fn forgotten(instance: &Instance, now: Timestamp) -> bool {
    // The launch time stands in for the time of termination: a terminated instance is of no use.
    instance.state == InstanceState::Terminated
        && instance.launched.plus_ms(VISIBLE_AFTER_DELETION_MS) <= now
}

fn settle(txn: &mut Txn, now: Timestamp) {
    for key in keys::<VpcLink>(txn, pending) {
        txn.update::<VpcLink>(&key, |link| link.status = VpcLinkStatus::Available);
    }
    for key in keys::<LoadBalancer>(txn, provisioning) {
        txn.update::<LoadBalancer>(&key, |balancer| balancer.state = LoadBalancerState::Active);
    }
    remove::<Target>(txn, |target| drained(target, now));
    remove::<NatGateway>(txn, |gateway| gone(gateway).is_some_and(|at| at <= now));
    remove::<Instance>(txn, |instance| forgotten(instance, now));
    remove::<ClientToken>(txn, |token| token.used.plus_ms(TOKENS_KEPT_MS) <= now);
}

fn keys<R: Record>(txn: &Txn, wanted: impl Fn(&R) -> bool) -> Vec<R::Key> {
    R::table(txn).iter().filter(|record| wanted(record)).map(|record| record.key()).collect()
}

fn remove<R: Record>(txn: &mut Txn, wanted: impl Fn(&R) -> bool) {
    for key in keys::<R>(txn, wanted) {
        txn.remove::<R>(&key);
    }
}

#[cfg(test)]
mod tests {
    use model::balancer::{HealthCheck, TargetGroup, TargetId, TargetType};
    use model::certificate::{Certificate, CertificateFacts, CertificateSource, KeyText, Request};
    use model::{Scope, TargetGroupArn};

    use super::*;

    fn group(arn: &TargetGroupArn) -> TargetGroup {
        TargetGroup {
            scope: Scope::new("000000000000", "us-east-1"),
            arn: arn.clone(),
            name: "web".into(),
            target_type: TargetType::Ip,
            protocol: Some("HTTP".into()),
            protocol_version: Some("HTTP1".into()),
            port: Some(80),
            vpc: None,
            ip_address_type: "ipv4".into(),
            health_check: HealthCheck {
                enabled: true,
                protocol: "HTTP".into(),
                port: None,
                path: Some("/".into()),
                interval_seconds: 30,
                timeout_seconds: 5,
                healthy_threshold: 5,
                unhealthy_threshold: 2,
                matcher: Some("200".into()),
            },
            attributes: model::balancer::Attributes::new(),
            tags: model::Tags::new(),
            created: Timestamp(0),
        }
    }

    #[test]
    fn a_drained_target_is_forgotten_when_its_time_has_come() {
        let store = Store::ephemeral();
        let arn = TargetGroupArn::from("arn:aws:elasticloadbalancing:r:0:targetgroup/web/1");
        let target = |draining_until| Target {
            group: arn.clone(),
            id: TargetId { id: "10.0.0.1".into(), port: 80 },
            zone: None,
            registered: Timestamp(0),
            draining_until,
        };
        let put = |draining| {
            store
                .transact(|txn| {
                    txn.put(group(&arn));
                    txn.put(target(draining));
                    Ok::<(), ()>(())
                })
                .unwrap();
        };
        let mut reconcilers = Reconcilers::new(Arc::default());
        put(None);
        assert_eq!(reconcilers.run(&store, Timestamp(5)), None);
        put(Some(Timestamp(10)));
        for now in [8, 9] {
            assert_eq!(reconcilers.run(&store, Timestamp(now)), Some(Timestamp(10)));
        }
        assert_eq!(store.snapshot().targets.len(), 1);
        assert_eq!(reconcilers.run(&store, Timestamp(10)), None);
        assert_eq!(store.snapshot().targets.len(), 0);
    }

    #[test]
    fn the_next_renewal_of_a_certificate_is_known() {
        let store = Store::ephemeral();
        let request = Request {
            domain: "a.example".into(),
            names: Vec::new(),
            validation: "DNS".into(),
            key_algorithm: "EC_prime256v1".into(),
            transparency: true,
            token: None,
            renewals: 0,
        };
        let not_after = Timestamp(100 * 86_400_000);
        let record = Certificate {
            scope: Scope::new("000000000000", "us-east-1"),
            arn: "arn:aws:acm:us-east-1:000000000000:certificate/1".into(),
            source: CertificateSource::Issued(request),
            body: String::new(),
            chain: String::new(),
            key: KeyText::default(),
            facts: CertificateFacts { not_after, ..CertificateFacts::default() },
            tags: model::Tags::new(),
            created: Timestamp(0),
            updated: Timestamp(0),
        };
        let done = store.transact(|txn| {
            txn.put(record);
            Ok::<(), ()>(())
        });
        done.unwrap();
        let due = not_after.plus_ms(-60 * 86_400_000);
        let mut reconcilers = Reconcilers::new(Arc::default());
        assert_eq!(reconcilers.run(&store, Timestamp(1)), Some(due));
        // Nobody uses it.
        assert_eq!(reconcilers.run(&store, due), None);
    }
}
