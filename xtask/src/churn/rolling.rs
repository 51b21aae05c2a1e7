//! Replaces every target under traffic, batch by batch: register new ones, wait until they are
//! healthy, deregister the old ones.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::client::Client;
use super::node::Started;
use super::setup::{ADDRESSES, GROUPS, World};
use super::traffic::Traffic;
use super::writes::SPARE;

/// How long new targets may take to become healthy.
const HEALTHY_WITHIN: Duration = Duration::from_secs(60);

/// Replaces all targets; answers how long it took.
pub fn run(node: &Started, world: &World, traffic: &Traffic) -> Result<Duration> {
    let ahead = world.targets + SPARE;
    ensure!(ahead + world.targets <= ADDRESSES, "there are not so many addresses");
    let mut control = Client::connect(node.api)?;
    let start = Instant::now();
    for group in 0..GROUPS {
        let old: Vec<usize> = (group..world.targets).step_by(GROUPS).collect();
        let new: Vec<usize> = old.iter().map(|number| ahead + number).collect();
        control.call(&world.on_targets("RegisterTargets", group, &new))?;
        until_healthy(&mut control, world, group, &new)?;
        control.call(&world.on_targets("DeregisterTargets", group, &old))?;
        old.iter().for_each(|number| traffic.gone(*number));
    }
    Ok(start.elapsed())
}

fn until_healthy(control: &mut Client, world: &World, group: usize, new: &[usize]) -> Result<()> {
    let deadline = Instant::now() + HEALTHY_WITHIN;
    loop {
        let call = world.on_targets("DescribeTargetHealth", group, new);
        let body = control.call(&call)?.body;
        let healthy = body.matches("<State>healthy</State>").count();
        if healthy == new.len() {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "{healthy} of {} new targets are healthy", new.len());
        std::thread::sleep(Duration::from_millis(20));
    }
}
