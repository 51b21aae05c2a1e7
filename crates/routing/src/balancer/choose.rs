//! From a forward action to a group and one of its targets: cookies first, then weights and picks.

use std::net::{IpAddr, SocketAddr};

use model::Timestamp;

use crate::balancer::action::{self, Split};
use crate::balancer::pick::{self, Ask};
use crate::balancer::sticky::{self, Stick, Why};
use crate::balancer::{Respond, Turn, pages, version, zone};
use crate::finding::{Refusal, Step};
use crate::tables::{GroupTable, ListenerTable, RuleEntry, TargetEntry};
use crate::{Tables, View};

/// What a choice depends on.
pub(super) struct Scene<'a, 't> {
    pub(super) tables: &'t Tables,
    pub(super) listener: &'t ListenerTable,
    pub(super) rule: &'t RuleEntry,
    pub(super) view: &'a View<'a>,
    pub(super) now: Timestamp,
    pub(super) draw: u64,
    pub(super) turn: Turn,
}

/// Where a request goes.
pub(super) struct Chosen<'t> {
    pub(super) group: &'t GroupTable,
    pub(super) target: &'t TargetEntry,
    pub(super) from: IpAddr,
    pub(super) dial: SocketAddr,
    pub(super) stick: (Stick, Stick),
    pub(super) zone: Option<&'t str>,
    /// Too few targets were healthy, so all get requests.
    fails_open: bool,
}

/// The group and the target for a request, or what the client gets instead.
pub(super) fn choose<'t>(
    scene: &Scene<'_, 't>,
    split: &'t Split,
) -> Result<Chosen<'t>, Box<Respond<'t>>> {
    let end = |status, refusal, group: Option<&'t GroupTable>| {
        let answer = group.map_or_else(|| pages::page(status), |group| pages::of(group, status));
        let rule = Some(scene.rule);
        Box::new(Respond { rule, group, answer, refusal: Some(refusal) })
    };
    let tables = scene.tables;
    let (arn, group_stick) = choose_group(scene, split);
    let arn = arn.map_err(|refusal| end(503, refusal, None))?;
    let group = tables.groups.get(arn).map(|group| &**group).ok_or_else(|| {
        let reason = format!("there is no target group {arn}");
        end(503, Refusal::new(Step::Group, reason), None)
    })?;
    if let Some(refusal) = version::refuse(group, scene.view) {
        return Err(end(version::MISMATCH, refusal, Some(group)));
    }
    let own_zone = || zone::of(tables, scene.listener, scene.view, scene.draw);
    let zone = if group.cross_zone { None } else { own_zone() };
    let ask = Ask { zone, now: scene.now, draw: scene.draw, turn: scene.turn };
    let (target, stick) = choose_target(scene, group, &ask);
    let target = target.map_err(|refusal| end(503, refusal, Some(group)))?;
    // DEVIATION: A request to a target that security groups forbid is answered with 504 at once;
    // AWS answers so after ten seconds without a connection.
    let from = target.permit.clone().map_err(|refusal| end(504, refusal, Some(group)))?;
    let Some(dial) = target.dial else {
        let reason = format!("target {} has no address", target.id.id);
        return Err(end(503, Refusal::new(Step::Target, reason), Some(group)));
    };
    let fails_open = pick::fails_open(group, target, &ask);
    Ok(Chosen { group, target, from, dial, stick: (group_stick, stick), zone, fails_open })
}

type Arn<'t> = Result<&'t model::TargetGroupArn, Refusal>;

fn choose_group<'t>(scene: &Scene<'_, 't>, split: &'t Split) -> (Arn<'t>, Stick) {
    let by_weight = || action::choose(&split.groups, scene.draw);
    if split.sticky_ms.is_none() {
        return (by_weight(), Stick::Off);
    }
    match sticky::group(split, &scene.tables.key, scene.view, scene.now) {
        Ok(at) => (split.groups[at].group.as_ref().map_err(Refusal::clone), Stick::Kept),
        Err(why) => (by_weight(), Stick::New(why)),
    }
}

fn choose_target<'t>(
    scene: &Scene<'_, 't>,
    group: &'t GroupTable,
    ask: &Ask,
) -> (Result<&'t TargetEntry, Refusal>, Stick) {
    let Some(sticky) = &group.sticky else { return (pick::pick(group, ask), Stick::Off) };
    let named = sticky::target(sticky, &scene.tables.key, scene.view, scene.now);
    match named.and_then(|at| pick::held(group, at, ask)) {
        Ok(target) => (Ok(target), Stick::Kept),
        Err(why) => (pick::pick(group, ask), Stick::New(why)),
    }
}

impl Scene<'_, '_> {
    /// Counts a request that is sent.
    pub(super) fn count(&self, chosen: &Chosen) {
        if self.turn == Turn::Peek {
            return;
        }
        let live = self.listener.balancer.live.get();
        live.requests.add(1);
        let group = chosen.group.live.get();
        group.requests.add(1);
        if chosen.fails_open {
            group.unhealthy_routing.add(1);
        }
        if self.view.source.is_ipv6() {
            live.ipv6_requests.add(1);
        }
        if version::carries_grpc(chosen.group, self.view) {
            live.grpc_requests.add(1);
        }
        let is_lost = |stick| matches!(stick, Stick::New(why) if why != Why::NoCookie);
        if is_lost(chosen.stick.0) || is_lost(chosen.stick.1) {
            live.non_sticky.add(1);
        }
    }
}
