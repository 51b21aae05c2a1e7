//! Hand-overs under traffic: a second node on the same data directory takes over, and the old one
//! drains.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::client::Client;
use super::node::Started;
use super::setup::World;
use super::traffic::Traffic;
use super::writes::{Kind, Writes};

/// Hands over several times; answers how long each took until the new node served. Once it does,
/// writes are live on every connection, also on those that the old node still has.
pub fn run(
    node: &mut Started,
    world: &World,
    traffic: &Traffic,
    count: usize,
) -> Result<Vec<Duration>> {
    let mut took = Vec::new();
    let kinds = [Kind::AddRoute, Kind::AddTarget, Kind::DropRoute, Kind::DropTarget];
    let mut writes = Writes::new(world, &kinds);
    for _ in 0..count {
        let mut open = Client::connect(node.http)?;
        let (host, path) = &world.sample(0)[0];
        ensure!(open.get(host, path)?.status == 200, "no traffic before the hand-over");
        let start = Instant::now();
        let old = node.hand_over()?;
        took.push(start.elapsed());
        let mut control = Client::connect(node.api)?;
        for _ in 0..kinds.len() {
            let write = writes.next();
            super::make(&mut control, &mut writes, &write, traffic)?;
            ensure!(
                writes.not_live(&write, &mut open)?.is_none(),
                "{} is not live on a connection of the old node",
                write.kind.operation()
            );
        }
        old.ended().context("after a hand-over")?;
    }
    Ok(took)
}
