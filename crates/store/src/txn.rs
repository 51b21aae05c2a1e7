//! A transaction: a private copy of the state and the list of what was changed in it.

use std::any::Any;
use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

use model::{Key, Record, Snapshot};

/// One change, in its durable form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The table.
    pub kind: Cow<'static, str>,
    /// The key within it.
    pub key: String,
    /// The record as JSON; none when it was removed.
    pub body: Option<String>,
}

/// A record that the transaction put or removed, for the invariants.
pub(crate) enum Touched {
    Put(Arc<dyn Any + Send + Sync>),
    Removed(Arc<dyn Any + Send + Sync>),
}

/// A transaction. Reads go through `Deref` to the private `Snapshot`.
pub struct Txn {
    snapshot: Snapshot,
    changes: Vec<Change>,
    pub(crate) touched: Vec<Touched>,
}

impl Deref for Txn {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        &self.snapshot
    }
}

impl Txn {
    /// A transaction on a state. Only the store commits one; tests may make their own.
    pub fn on(snapshot: Arc<Snapshot>) -> Self {
        Self { snapshot: Snapshot::clone(&snapshot), changes: Vec::new(), touched: Vec::new() }
    }

    /// The record with this key.
    pub fn get<R: Record>(&self, key: &R::Key) -> Option<Arc<R>> {
        R::table(&self.snapshot).get(key).cloned()
    }

    /// Writes a record, new or in the place of the one with its key.
    pub fn put<R: Record>(&mut self, record: R) {
        let record = Arc::new(record);
        let body = serde_json::to_string(&*record).ok();
        debug_assert!(body.is_some(), "records serialise");
        self.changes.push(Change { kind: R::KIND.into(), key: record.key().text(), body });
        R::table_mut(&mut self.snapshot).insert(Arc::clone(&record));
        self.touched.push(Touched::Put(record));
    }

    /// Changes the record with this key in place; says whether there is one.
    pub fn update<R: Record>(&mut self, key: &R::Key, change: impl FnOnce(&mut R)) -> bool {
        let Some(record) = self.get::<R>(key) else { return false };
        let mut record = R::clone(&record);
        change(&mut record);
        self.put(record);
        true
    }

    /// Removes the record with this key; says whether there was one.
    pub fn remove<R: Record>(&mut self, key: &R::Key) -> bool {
        let Some(record) = self.get::<R>(key) else { return false };
        R::table_mut(&mut self.snapshot).remove(key);
        self.changes.push(Change { kind: R::KIND.into(), key: key.text(), body: None });
        self.touched.push(Touched::Removed(record));
        true
    }

    pub(crate) fn is_unchanged(&self) -> bool {
        self.changes.is_empty()
    }

    pub(crate) fn finish(mut self) -> (Snapshot, Vec<Change>) {
        self.snapshot.revision += 1;
        (self.snapshot, self.changes)
    }
}
