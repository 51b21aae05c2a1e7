//! Transactions over records, their durable form, and the publication of snapshots.
//!
//! One writer at a time: a transaction works on a private copy of the state (cheap, the copy shares
//! structure), and a commit checks the invariants, makes the changes durable, then publishes the
//! new snapshot. Readers take the published snapshot and never wait. What an operation may do is
//! decided in `control`; this crate only refuses states that must not exist.

mod backend;
mod checkpoint;
mod invariants;
mod txn;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Instant;

use arc_swap::{ArcSwap, ArcSwapOption};
use model::{Revision, Snapshot};
use tokio::sync::watch;
use tracing::debug;

pub use backend::FORMAT_VERSION;
pub use txn::{Change, Txn};

/// Why a store could not be opened or a commit was not made. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another node has the file open.
    #[error("the data file {path} is in use by another node")]
    InUse {
        /// The file.
        path: String,
    },
    /// The store was closed; another process has the file.
    #[error("this node has handed over its records")]
    Closed,
    /// The database cannot be read or written (disk full, damaged).
    #[error("the data file {path} cannot be used: {cause}")]
    Database {
        /// The file.
        path: String,
        /// What the database said.
        cause: String,
    },
    /// The file was written by a newer version of Breezeway.
    #[error("the data file {path} has format {found}; this version reads formats up to {known}")]
    Format {
        /// The file.
        path: String,
        /// The format in the file.
        found: i64,
        /// The newest format this version knows.
        known: i64,
    },
    /// A record in the file cannot be read.
    #[error("the record {kind}/{key} in the data file cannot be read: {cause}")]
    Record {
        /// The table.
        kind: String,
        /// The key.
        key: String,
        /// What is wrong with it.
        cause: String,
    },
    /// An operation tried to commit a state that must not exist: a defect of ours.
    #[error("invariant {name} does not hold: {detail}")]
    Invariant {
        /// The name of the invariant.
        name: &'static str,
        /// The record and what it lacks.
        detail: String,
    },
}

/// Why a transaction left everything as it was.
#[derive(Debug)]
pub enum Aborted<E> {
    /// The operation refused.
    Operation(E),
    /// The commit failed.
    Store(StoreError),
}

impl<E> From<StoreError> for Aborted<E> {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The store: the current state and its durable copy.
pub struct Store {
    current: ArcSwap<Snapshot>,
    backend: Mutex<backend::Backend>,
    published: watch::Sender<Arc<Snapshot>>,
    /// Why the last commit was not made durable.
    trouble: ArcSwapOption<String>,
    /// Who wants to hear of each commit; sent to under the lock of the backend.
    listener: Mutex<Option<mpsc::Sender<Commit>>>,
}

/// What a commit changed, in its durable form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The revision that it made.
    pub revision: Revision,
    /// What was changed, in order.
    pub changes: Vec<Change>,
}

/// What a transaction gave, and the revision whose state holds its effect.
#[derive(Debug)]
pub struct Committed<T> {
    /// What the operation returned.
    pub value: T,
    /// The revision to wait for before answering.
    pub revision: Revision,
}

impl Store {
    /// Opens or makes the database file at `path` and loads everything in it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let (backend, snapshot) = backend::Backend::open(path)?;
        Ok(Self::with(backend, snapshot))
    }

    /// A store that keeps nothing beyond the process.
    pub fn ephemeral() -> Self {
        Self::with(backend::Backend::Memory, Snapshot::default())
    }

    fn with(backend: backend::Backend, snapshot: Snapshot) -> Self {
        let snapshot = Arc::new(snapshot);
        let (published, _) = watch::channel(Arc::clone(&snapshot));
        let current = ArcSwap::from(snapshot);
        let (trouble, listener) = (ArcSwapOption::empty(), Mutex::default());
        Self { current, backend: Mutex::new(backend), published, trouble, listener }
    }

    /// The state as of the last commit.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// A receiver that sees each published snapshot (the newest one, when it is slow).
    pub fn subscribe(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.published.subscribe()
    }

    /// Whether the state dies with the process.
    pub fn is_ephemeral(&self) -> bool {
        let backend = self.backend.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(*backend, backend::Backend::Memory)
    }

    /// Runs `operation` on a private copy of the state and commits what it changed.
    ///
    /// Blocks while another transaction runs and while the disk is written; call it from a thread
    /// that may block. An error of the operation, or of the commit, leaves everything as it was.
    /// An operation that changed nothing makes no revision.
    pub fn transact<T, E>(
        &self,
        operation: impl FnOnce(&mut Txn) -> Result<T, E>,
    ) -> Result<Committed<T>, Aborted<E>> {
        let asked = Instant::now();
        let mut backend = self.backend.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = Instant::now();
        let mut txn = Txn::on(self.snapshot());
        let value = operation(&mut txn).map_err(Aborted::Operation)?;
        if txn.is_unchanged() {
            return Ok(Committed { value, revision: txn.revision });
        }
        let operated = Instant::now();
        invariants::check(&txn)?;
        let (snapshot, changes) = txn.finish();
        let revision = snapshot.revision;
        let checked = Instant::now();
        self.commit(&mut backend, revision, &changes)?;
        let durable = Instant::now();
        self.publish(snapshot);
        self.tell(Commit { revision, changes });
        debug!(
            target: "breezeway::write",
            revision,
            queue_us = (begun - asked).as_micros() as u64,
            operation_us = (operated - begun).as_micros() as u64,
            invariants_us = (checked - operated).as_micros() as u64,
            durable_us = (durable - checked).as_micros() as u64,
            "committed"
        );
        Ok(Committed { value, revision })
    }

    /// Why changes cannot be kept, if the last one could not (a full disk, say).
    pub fn trouble(&self) -> Option<Arc<String>> {
        self.trouble.load_full()
    }

    /// Tries whether changes can be kept again, by a commit that changes nothing.
    pub fn try_again(&self) -> Result<(), StoreError> {
        let mut backend = self.backend.lock().unwrap_or_else(PoisonError::into_inner);
        self.commit(&mut backend, self.snapshot().revision, &[])
    }

    fn commit(
        &self,
        backend: &mut backend::Backend,
        revision: Revision,
        changes: &[Change],
    ) -> Result<(), StoreError> {
        let done = backend.commit(revision, changes);
        if done.is_err() || self.trouble.load().is_some() {
            self.trouble.store(done.as_ref().err().map(|error| Arc::new(error.to_string())));
        }
        done
    }

    /// Every commit from now on, in order, for one listener.
    pub fn commits(&self) -> mpsc::Receiver<Commit> {
        let (sender, commits) = mpsc::channel();
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        commits
    }

    fn tell(&self, commit: Commit) {
        let mut listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        listener.take_if(|listener| listener.send(commit).is_err());
    }

    /// Takes over a commit that another process made with the file that this store let go of.
    pub fn follow(&self, commit: &Commit) -> Result<(), StoreError> {
        let _backend = self.backend.lock().unwrap_or_else(PoisonError::into_inner);
        let mut snapshot = Snapshot::clone(&self.snapshot());
        backend::replay(&mut snapshot, &commit.changes)?;
        snapshot.revision = commit.revision;
        self.publish(snapshot);
        Ok(())
    }

    /// Lets go of the data file, once a transaction that runs has ended. Reads go on; every further
    /// commit is refused.
    pub fn close(&self) {
        *self.backend.lock().unwrap_or_else(PoisonError::into_inner) = backend::Backend::Closed;
    }

    /// Forgets every record of an ephemeral store; the revision goes on counting. Returns nothing
    /// and does nothing when the store is durable.
    pub fn reset(&self) -> Option<Revision> {
        let backend = self.backend.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*backend, backend::Backend::Memory) {
            return None;
        }
        let revision = self.snapshot().revision + 1;
        self.publish(Snapshot { revision, ..Snapshot::default() });
        Some(revision)
    }

    fn publish(&self, snapshot: Snapshot) {
        let snapshot = Arc::new(snapshot);
        self.current.store(Arc::clone(&snapshot));
        self.published.send_replace(snapshot);
    }
}
