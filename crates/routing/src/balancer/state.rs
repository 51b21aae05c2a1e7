//! Whether a target group has enough healthy targets: for all of them to get requests when not
//! (routing), and for its zone to be told to clients (DNS).

use crate::tables::{BalancerTable, GroupTable, Standing, TargetEntry};

/// How many targets have to be healthy, as a count and in percent of the registered ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// The count; 0 for none.
    pub count: usize,
    /// The percentage.
    pub percent: Option<usize>,
}

impl Threshold {
    /// AWS's default: one.
    pub const ONE: Threshold = Threshold { count: 1, percent: None };

    /// Whether so many healthy ones of all are enough. AWS: neither may be below its mark.
    pub fn is_met(self, healthy: usize, all: usize) -> bool {
        healthy >= self.count && healthy * 100 >= self.percent.unwrap_or(0) * all
    }
}

/// How a group stands in a zone of its load balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZoneState<'t> {
    /// The zone.
    pub zone: &'t str,
    /// Healthy enough for its addresses to be told.
    pub dns: bool,
    /// Healthy enough to send requests to healthy targets only.
    pub routing: bool,
}

/// How a group stands in each zone of its load balancer.
///
/// AWS: the targets of the zone count when cross-zone load balancing is off, else all do.
pub fn zones<'t>(group: &GroupTable, balancer: &'t BalancerTable) -> Vec<ZoneState<'t>> {
    let zones = balancer.nodes.iter().filter_map(|node| node.zone.as_deref());
    let state = |zone| {
        let counts = |target: &&TargetEntry| {
            let own = target.zone.as_deref().is_none_or(|own| own == zone);
            target.standing == Standing::InService && (group.cross_zone || own)
        };
        let (mut healthy, mut all) = (0, 0);
        for target in group.targets.iter().filter(counts) {
            all += 1;
            healthy += usize::from(target.live.get().is_healthy());
        }
        let met = |threshold: Threshold| threshold.is_met(healthy, all);
        ZoneState { zone, dns: met(group.dns_failover), routing: met(group.fail_open) }
    };
    zones.map(state).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{World, group_arn};
    use crate::live::HealthMark;

    #[test]
    fn neither_mark_may_be_missed() {
        let check = |count, percent, (healthy, all), expect| {
            let threshold = Threshold { count, percent };
            assert_eq!(threshold.is_met(healthy, all), expect, "{threshold:?} {healthy} of {all}");
        };
        check(1, None, (1, 9), true);
        check(1, None, (0, 9), false);
        check(0, None, (0, 9), true);
        check(2, Some(50), (2, 4), true);
        check(2, Some(50), (2, 5), false);
        check(3, Some(50), (2, 4), false);
        check(0, Some(1), (0, 0), true);
    }

    /// Target 1 is healthy and in `us-east-1a`, target 2 is not and in `us-east-1b`.
    #[test]
    fn zones_stand_by_their_own_targets_unless_all_count() {
        let health = "target_group_health";
        let check = |attributes: &[(&str, &str)], expect: [(bool, bool); 2]| {
            let names = |(key, value): &(&str, &str)| match *key {
                "cross" => ("load_balancing.cross_zone.enabled".to_owned(), (*value).to_owned()),
                key => (format!("{health}.{key}"), (*value).to_owned()),
            };
            let attributes: Vec<_> = attributes.iter().map(names).collect();
            let attributes: Vec<_> =
                attributes.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            let mut world = World::main_road();
            world.second_node();
            world.target_group("tg", &attributes);
            world.change_target("tg", "10.0.3.1", 8080, |t| t.zone = Some("us-east-1a".into()));
            world.change_target("tg", "10.0.3.2", 8080, |t| t.zone = Some("us-east-1b".into()));
            let tables = world.healthy();
            let group = &tables.groups[&group_arn("tg")];
            group.targets[1].live.get().set_health(HealthMark::Unhealthy, model::Timestamp(0));
            let balancer = tables.balancers.values().next().unwrap();
            let found = zones(group, balancer);
            let [a, b] = expect;
            let state = |zone, (dns, routing)| ZoneState { zone, dns, routing };
            assert_eq!(found, [state("us-east-1a", a), state("us-east-1b", b)], "{attributes:?}");
        };
        let dns = "dns_failover.minimum_healthy_targets";
        let routing = "unhealthy_state_routing.minimum_healthy_targets";
        let (dns_count, dns_percent) = (format!("{dns}.count"), format!("{dns}.percentage"));
        let count = format!("{routing}.count");
        check(&[], [(true, true); 2]);
        check(&[("cross", "false")], [(true, true), (false, false)]);
        check(&[(&dns_count, "2")], [(false, true); 2]);
        check(&[(&dns_percent, "51")], [(false, true); 2]);
        check(&[(&dns_percent, "50")], [(true, true); 2]);
        check(&[(&dns_count, "2"), (&count, "2")], [(false, false); 2]);
        check(&[("cross", "false"), (&dns_count, "off")], [(true, true), (true, false)]);
    }
}
