//! Which target gets a request whose first one could not be connected to, and whether there is one
//! more try. When that is asked is the proxy's business.

pub mod budget;

use std::net::{IpAddr, SocketAddr};

use model::Timestamp;
use model::balancer::TargetId;

use crate::balancer::outlier;
use crate::tables::{GroupTable, Standing, TargetEntry};

/// A target and the way to it.
#[derive(Clone, Copy, Debug)]
pub struct Way<'t> {
    /// The target.
    pub target: &'t TargetEntry,
    /// The socket to connect to.
    pub dial: SocketAddr,
    /// The load balancer's address to connect from.
    pub from: IpAddr,
}

/// The next target of the group (in the zone, if one is given) after those that were tried: a
/// healthy one that is not left out if there is any, else a healthy one, else one in service.
pub fn another<'t>(
    group: &'t GroupTable,
    zone: Option<&str>,
    tried: &[&TargetId],
    now: Timestamp,
) -> Option<Way<'t>> {
    let last = tried.last().and_then(|last| group.targets.iter().position(|t| t.id == **last));
    let (before, after) = group.targets.split_at(last.map_or(0, |last| last + 1));
    let others = || after.iter().chain(before).filter(|target| !tried.contains(&&target.id));
    let way = |target: &'t TargetEntry| {
        let (dial, from) = (target.dial?, *target.permit.as_ref().ok()?);
        let here = zone.is_none_or(|zone| target.zone.as_deref().is_none_or(|own| own == zone));
        (target.standing == Standing::InService && here).then_some(Way { target, dial, from })
    };
    let healthy = || others().filter(|target| target.live.get().is_healthy());
    let good = healthy().filter(|target| !outlier::is_out(target, now)).find_map(way);
    good.or_else(|| healthy().find_map(way)).or_else(|| others().find_map(way))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Refusal, Step};
    use crate::live::HealthMark;

    /// Targets by letter: `h` healthy, `o` left out, `i` initial, `u` unhealthy, `d` draining,
    /// `r` refused, `n` without an address. Ports are their places.
    fn group(letters: &str) -> GroupTable {
        let target = |(place, letter): (usize, char)| {
            let entry = TargetEntry {
                id: TargetId { id: "10.0.0.1".into(), port: place as u16 },
                zone: None,
                standing: if letter == 'd' { Standing::Draining } else { Standing::InService },
                address: None,
                dial: (letter != 'n').then(|| ([127, 0, 0, 1], place as u16).into()),
                permit: match letter {
                    'r' => Err(Refusal::new(Step::Target, "no rule")),
                    _ => Ok([127, 0, 0, 2].into()),
                },
                live: Default::default(),
            };
            entry.live.get().set_health(
                match letter {
                    'i' => HealthMark::Initial,
                    'u' => HealthMark::Unhealthy,
                    _ => HealthMark::Healthy,
                },
                Timestamp(0),
            );
            if letter == 'o' {
                entry.live.get().ejected_until.store(1, std::sync::atomic::Ordering::Relaxed);
            }
            entry
        };
        let targets = letters.chars().enumerate().map(target).collect();
        GroupTable { targets, ..GroupTable::empty("g".into(), "g") }
    }

    #[test]
    fn the_next_healthy_one_else_the_next_in_service() {
        let check = |letters: &str, tried: &[u16], expect: Option<u16>| {
            let group = group(letters);
            let id = |port: &u16| TargetId { id: "10.0.0.1".into(), port: *port };
            let tried: Vec<_> = tried.iter().map(id).collect();
            let way = another(&group, None, &tried.iter().collect::<Vec<_>>(), Timestamp(0));
            assert_eq!(way.map(|way| way.target.id.port), expect, "{letters} {tried:?}");
            assert_eq!(way.map(|way| way.dial.port()), expect);
        };
        check("hh", &[0], Some(1));
        check("hh", &[1], Some(0));
        check("hhh", &[1], Some(2));
        check("hhh", &[1, 2], Some(0));
        check("hhh", &[0, 1, 2], None);
        check("h", &[0], None);
        check("huh", &[0], Some(2));
        check("hoh", &[0], Some(2));
        check("hoi", &[0], Some(1));
        check("hui", &[0], Some(1));
        check("hdrn", &[0], None);
        check("", &[0], None);
    }
}
