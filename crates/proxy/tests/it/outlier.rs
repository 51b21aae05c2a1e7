//! Targets that keep failing: left out for a while, and not loaded twice by repeated requests.

use crate::client::Client;
use crate::origin::Origin;
use crate::rig::Rig;
use crate::world::{HOST, World, forward};
use routing::balancer::outlier::FAILURES;
use routing::balancer::retry::budget::FLOOR;

#[test]
fn a_target_that_breaks_connections_is_left_out() {
    let bad = Origin::start("127.10.9.1", |_, _| false);
    let good = Origin::text("127.10.9.2", "good");
    let mut world = World::new();
    let group = world.group("ejected");
    world.target(&group, bad.addr);
    world.target(&group, good.addr);
    world.default_action(forward(&[(&group, 1)]));
    world.private_route("$default");
    let rig = Rig::start(&world);
    let mut client = Client::connect(rig.front);
    for _ in 0..8 * FAILURES {
        let got = client.request("GET", "/ejected", HOST, "");
        assert_eq!((got.status, got.text().as_str()), (200, "good"));
    }
    assert_eq!(bad.seen().len(), FAILURES as usize, "no more after that");
    assert_eq!(rig.tables().groups[&group].live.get().ejections.get(), 1);
}

#[test]
fn a_group_that_breaks_everything_is_not_asked_twice_as_often() {
    let bad: Vec<_> = ["127.10.9.3", "127.10.9.4"].map(|ip| Origin::start(ip, |_, _| false)).into();
    let mut world = World::new();
    let group = world.group("dying");
    bad.iter().for_each(|origin| world.target(&group, origin.addr));
    world.default_action(forward(&[(&group, 1)]));
    world.private_route("$default");
    let rig = Rig::start(&world);
    let mut client = Client::connect(rig.front);
    let requests = 60;
    for _ in 0..requests {
        assert_eq!(client.request("GET", "/dying", HOST, "").status, 502);
    }
    let live = rig.tables().groups[&group].live.get().clone();
    let again = live.retries.get();
    // The clock may begin a new window once while this runs.
    assert!((FLOOR..=2 * FLOOR + requests / 5 * 2).contains(&again), "{again}");
    assert!(live.retries_refused.get() > 0);
    let seen: usize = bad.iter().map(|origin| origin.seen().len()).sum();
    assert_eq!(seen as u64, requests + again);
}
