//! While a node that has handed over drains, it goes on serving its open connections; these must
//! see what is changed, too. The successor sends each commit over the stream of the hand-over, and
//! answers a write only when the old node serves it as well.
//!
//! A peer of another version that does not do so closes the stream; nobody waits for it then.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use model::Revision;
use serde::{Deserialize, Serialize};
use store::{Change, Commit, Store};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::applier::Applier;
use crate::{handover, threads};

/// How long the old node may take to serve a commit before nobody waits for it any more.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest commit, in bytes.
const MAX_COMMIT: u32 = 256 * 1024 * 1024;

/// The revision of a peer that nobody waits for.
const NOBODY: Revision = Revision::MAX;

/// A commit on its way.
#[derive(Serialize, Deserialize)]
struct Message {
    revision: Revision,
    changes: Vec<Row>,
}

/// Kind, key and record; no record when it was removed.
type Row = (String, String, Option<String>);

/// What a node does for the one that it took over from.
pub struct Leader {
    old: UnixStream,
    commits: Receiver<Commit>,
    serves: watch::Sender<Revision>,
}

impl Leader {
    /// Hears of commits from now on. The channel tells the revision that the old node serves.
    pub fn new(
        old: Option<UnixStream>,
        store: &Store,
    ) -> (Option<Self>, watch::Receiver<Revision>) {
        let waits_for = if old.is_some() { store.snapshot().revision } else { NOBODY };
        let (serves, served) = watch::channel(waits_for);
        let leader = old.map(|old| Self { old, commits: store.commits(), serves });
        (leader, served)
    }

    /// Tells the old node that this one serves, then what it commits.
    pub fn start(self) -> Result<()> {
        handover::serving(&self.old).context("the old node has gone")?;
        threads::spawn("leader", move || self.lead())
    }

    /// Sends commits to the old node and notes what it serves, until it ends.
    fn lead(mut self) {
        while let Ok(commit) = self.commits.recv() {
            match send(&mut self.old, &commit) {
                Ok(revision) => drop(self.serves.send_replace(revision)),
                Err(error) => {
                    info!(%error, "the old node has ended");
                    break;
                }
            }
        }
        self.serves.send_replace(NOBODY);
    }
}

fn send(old: &mut UnixStream, commit: &Commit) -> Result<Revision> {
    let row = |change: &Change| {
        let Change { kind, key, body } = change.clone();
        (kind.into_owned(), key, body)
    };
    let changes = commit.changes.iter().map(row).collect();
    let text = serde_json::to_vec(&Message { revision: commit.revision, changes })?;
    old.set_read_timeout(Some(PATIENCE))?;
    old.write_all(&u32::try_from(text.len())?.to_be_bytes())?;
    old.write_all(&text)?;
    let mut served = [0; 8];
    old.read_exact(&mut served)?;
    Ok(Revision::from_be_bytes(served))
}

/// Serves what the new node commits, until it or the stream ends.
pub fn follow(mut new: UnixStream, store: &Store, mut applier: Applier) {
    loop {
        match receive(&mut new) {
            Ok(None) => return,
            Ok(Some(commit)) => {
                let done = store.follow(&commit).map_err(anyhow::Error::from).and_then(|()| {
                    applier.apply();
                    Ok(new.write_all(&commit.revision.to_be_bytes())?)
                });
                if let Err(error) = done {
                    warn!(%error, "open connections do not see changes of the new node any more");
                    return;
                }
            }
            Err(error) => {
                warn!(%error, "open connections do not see changes of the new node any more");
                return;
            }
        }
    }
}

fn receive(new: &mut UnixStream) -> Result<Option<Commit>> {
    let mut length = [0; 4];
    match new.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read.context("no commit")?,
    }
    let length = u32::from_be_bytes(length);
    ensure!(length <= MAX_COMMIT, "a commit of {length} bytes is too long");
    let mut text = vec![0; usize::try_from(length)?];
    new.read_exact(&mut text)?;
    let Message { revision, changes } = serde_json::from_slice(&text)?;
    let change = |(kind, key, body): Row| Change { kind: kind.into(), key, body };
    Ok(Some(Commit { revision, changes: changes.into_iter().map(change).collect() }))
}
