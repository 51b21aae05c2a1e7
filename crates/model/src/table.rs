//! One table of records: a persistent ordered map, so that a snapshot clones in constant time.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use rpds::RedBlackTreeMapSync;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Snapshot;

/// The primary key of a record.
pub trait Key: Ord + Clone + fmt::Debug + Send + Sync + 'static {
    /// The key as one line of text, unique within its table (the storage key).
    fn text(&self) -> String;
    /// A key that no key precedes; where a range over a prefix starts.
    fn least() -> Self;
}

impl<A: Key, B: Key> Key for (A, B) {
    fn text(&self) -> String {
        format!("{} {}", self.0.text(), self.1.text())
    }

    fn least() -> Self {
        (A::least(), B::least())
    }
}

/// A kind of record with a table of its own in the `Snapshot`.
pub trait Record:
    Clone + fmt::Debug + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The primary key.
    type Key: Key;
    /// The table's name in storage and in findings, in snake case.
    const KIND: &'static str;
    /// This record's key.
    fn key(&self) -> Self::Key;
    /// The record's table in a snapshot.
    fn table(snapshot: &Snapshot) -> &Table<Self>;
    /// The same, to change it.
    fn table_mut(snapshot: &mut Snapshot) -> &mut Table<Self>;
}

/// All records of one kind, ordered by key. Clones share structure.
pub struct Table<R: Record> {
    map: RedBlackTreeMapSync<R::Key, Arc<R>>,
    /// Replaced with each write, shared by clones: tells without a walk what changed.
    version: Arc<Version<R::Key>>,
}

/// Writes that a table remembers; what changed before them is found by a walk.
pub const WRITES_REMEMBERED: usize = 256;

/// A write to a table, and the ones before it.
struct Version<K> {
    key: Option<K>,
    before: Option<Arc<Version<K>>>,
    length: usize,
}

impl<K> Default for Version<K> {
    fn default() -> Self {
        Self { key: None, before: None, length: 0 }
    }
}

impl<K> Version<K> {
    /// The version after one more write. Now and then nothing is remembered any more, so that the
    /// writes of a long life are not kept.
    fn after(before: &Arc<Self>, key: K) -> Arc<Self> {
        match before.length {
            WRITES_REMEMBERED => Arc::default(),
            length => Arc::new(Self {
                key: Some(key),
                before: Some(Arc::clone(before)),
                length: length + 1,
            }),
        }
    }

    /// The keys that were written since `before`, newest first, if that is still known.
    fn since<'v>(self: &'v Arc<Self>, before: &Arc<Self>) -> Option<Vec<&'v K>> {
        let (mut keys, mut at) = (Vec::new(), self);
        while !Arc::ptr_eq(at, before) {
            keys.extend(&at.key);
            at = at.before.as_ref()?;
        }
        Some(keys)
    }
}

impl<R: Record> Clone for Table<R> {
    fn clone(&self) -> Self {
        Self { map: self.map.clone(), version: Arc::clone(&self.version) }
    }
}

impl<R: Record> Default for Table<R> {
    fn default() -> Self {
        Self { map: RedBlackTreeMapSync::new_sync(), version: Arc::default() }
    }
}

impl<R: Record> fmt::Debug for Table<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<R: Record> Table<R> {
    /// The record with this key.
    pub fn get(&self, key: &R::Key) -> Option<&Arc<R>> {
        self.map.get(key)
    }

    /// Whether there is a record with this key.
    pub fn contains(&self, key: &R::Key) -> bool {
        self.map.contains_key(key)
    }

    /// All records, in key order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<R>> {
        self.map.values()
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.map.size()
    }

    /// Whether the table is empty.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// The records from `start` (inclusive) on, in key order.
    pub fn from(&self, start: R::Key) -> impl Iterator<Item = &Arc<R>> {
        self.map.range((Bound::Included(start), Bound::Unbounded)).map(|(_, record)| record)
    }

    /// Puts a record in the place of any with its key.
    pub fn insert(&mut self, record: Arc<R>) {
        let key = record.key();
        self.version = Version::after(&self.version, key.clone());
        self.map.insert_mut(key, record);
    }

    /// Takes a record out; says whether it was there.
    pub fn remove(&mut self, key: &R::Key) -> bool {
        self.version = Version::after(&self.version, key.clone());
        self.map.remove_mut(key)
    }

    /// Whether this is an unchanged clone of `before`. A table that was changed and changed back
    /// is not.
    pub fn is_same(&self, before: &Self) -> bool {
        Arc::ptr_eq(&self.version, &before.version)
    }

    /// The keys whose records were written, added or removed since `before`, in key order. Costs
    /// as much as was written; a walk over both tables that compares pointers if that is more than
    /// is remembered, or if `before` is no earlier state of this table.
    pub fn changes<'t>(&'t self, before: &'t Self) -> Vec<&'t R::Key> {
        let Some(mut written) = self.version.since(&before.version) else {
            return self.differences(before);
        };
        written.sort_unstable();
        written.dedup();
        let same = |key: &R::Key| match (self.map.get(key), before.map.get(key)) {
            (Some(now), Some(before)) => Arc::ptr_eq(now, before),
            (None, None) => true,
            _ => false,
        };
        written.retain(|key| !same(key));
        written
    }

    /// The same by a walk over both tables.
    fn differences<'t>(&'t self, before: &'t Self) -> Vec<&'t R::Key> {
        let mut changed = Vec::new();
        let (mut new, mut old) = (self.map.iter().peekable(), before.map.iter().peekable());
        loop {
            let order = match (new.peek(), old.peek()) {
                (None, None) => return changed,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((_, one)), Some((_, other))) if Arc::ptr_eq(one, other) => {
                    new.next();
                    old.next();
                    continue;
                }
                (Some((one, _)), Some((other, _))) => one.cmp(other),
            };
            let added = if order.is_le() { new.next() } else { None };
            let removed = if order.is_ge() { old.next() } else { None };
            changed.extend(added.or(removed).map(|(key, _)| key));
        }
    }
}

impl<A: Key, B: Key, R: Record<Key = (A, B)>> Table<R> {
    /// The records whose key starts with `owner`, in key order: the children of one parent.
    pub fn under(&self, owner: &A) -> impl Iterator<Item = &Arc<R>> {
        let (from, owner) = ((owner.clone(), B::least()), owner.clone());
        let children = self.map.range((Bound::Included(from), Bound::Unbounded));
        children.take_while(move |(key, _)| key.0 == owner).map(|(_, record)| record)
    }
}

/// A key that is plain text without a type of its own.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct TextKey(pub String);

impl Key for TextKey {
    fn text(&self) -> String {
        self.0.clone()
    }

    fn least() -> Self {
        Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::ServiceName;

    fn name(id: usize) -> Arc<ServiceName> {
        let (namespace, name) = ("ns-1".into(), TextKey(format!("{id:04}")));
        Arc::new(ServiceName { namespace, name, service: "srv-1".into() })
    }

    /// Writes `written`, removes `removed`; the changes since then are those expected, and those
    /// that a walk finds.
    #[test]
    fn changes_are_those_that_a_walk_finds() {
        let check = |written: &[usize], removed: &[usize], expect: &[usize]| {
            let mut table = Table::<ServiceName>::default();
            for id in 0..10 {
                table.insert(name(id));
            }
            let before = table.clone();
            written.iter().for_each(|id| table.insert(name(*id)));
            for id in removed {
                table.remove(&name(*id).key());
            }
            let changed = table.changes(&before);
            let numbers: Vec<usize> = changed.iter().map(|key| key.1.0.parse().unwrap()).collect();
            assert_eq!(numbers, expect);
            assert_eq!(changed, table.differences(&before));
            // Of a state that comes later nothing is remembered.
            assert_eq!(before.changes(&table), changed);
        };
        check(&[], &[], &[]);
        check(&[7, 3, 3, 12], &[], &[3, 7, 12]);
        check(&[12], &[12, 5], &[5]);
        check(&[5], &[5], &[5]);
        let many: Vec<_> = (0..WRITES_REMEMBERED + 3).collect();
        check(&many, &[1], &many);
    }
}
