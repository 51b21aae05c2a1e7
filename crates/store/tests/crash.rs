//! A kill at any instant loses no acknowledged write: a child process commits and prints each
//! number once its commit returned; the parent kills it, reopens the file and looks for them all.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use common::{commit, first};
use model::gateway::Api;
use store::Store;

const CHILD: &str = "BREEZEWAY_CRASH_TEST_FILE";
const ROUNDS: u64 = 10;

/// One transaction writes two records, so that half a transaction would show.
fn pair(number: u64) -> [Api; 2] {
    ["left", "right"].map(|side| Api {
        id: format!("{side}-{number:06}").into(),
        // About one page of a file each.
        description: Some("x".repeat(4096)),
        ..first::<Api>()
    })
}

/// Not a test of its own: what the child process runs.
#[test]
fn child() {
    let Some(path) = std::env::var_os(CHILD).map(PathBuf::from) else { return };
    let store = Store::open(&path).unwrap();
    let mut output = std::io::stdout();
    for number in store.snapshot().revision.. {
        let revision =
            commit(&store, |txn| pair(number).into_iter().for_each(|api| txn.put(api))).unwrap();
        assert_eq!(revision, number + 1);
        writeln!(output, "ack {number}").unwrap();
        output.flush().unwrap();
    }
}

fn start(path: &Path) -> (Child, BufReader<ChildStdout>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    (child, output)
}

/// The number that a line acknowledges. The test harness writes lines of its own.
fn acknowledged(line: &str) -> Option<u64> {
    line.rsplit_once("ack ").and_then(|(_, number)| number.trim_end().parse().ok())
}

/// Lets the child acknowledge `count` writes and run on for `spins`, kills it, and answers the
/// last number that it acknowledged.
fn run_and_kill(path: &Path, count: u64, spins: u64) -> u64 {
    let (mut child, mut output) = start(path);
    let (mut line, mut last, mut seen) = (String::new(), None, 0);
    while seen < count {
        line.clear();
        assert_ne!(output.read_line(&mut line).unwrap(), 0, "the child ended by itself");
        if let Some(number) = acknowledged(&line) {
            (last, seen) = (Some(number), seen + 1);
        }
    }
    (0..spins).for_each(|_| std::hint::spin_loop());
    child.kill().unwrap();
    child.wait().unwrap();
    // What it acknowledged between the last line read and its death counts too. A line is one
    // short write into a pipe: all of it is there, or nothing.
    for line in output.lines().map_while(Result::ok) {
        last = acknowledged(&line).or(last);
    }
    last.unwrap()
}

#[test]
fn a_kill_loses_no_acknowledged_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("breezeway.db");
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for round in 0..ROUNDS {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let last = run_and_kill(&path, 1 + (seed >> 61), (seed >> 33) % 3_000_000);
        let state = Store::open(&path).unwrap().snapshot();
        assert!(state.revision > last, "round {round}: {last} is lost");
        assert!(state.revision <= last + 2, "round {round}: more than one unacknowledged write");
        assert_eq!(state.apis.len() as u64, 2 * state.revision, "round {round}");
        for number in 0..state.revision {
            for api in pair(number) {
                assert_eq!(state.apis.get(&api.id).map(|found| &**found), Some(&api));
            }
        }
    }
}
