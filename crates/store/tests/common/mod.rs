//! What the tests of the store share: the sample state of the golden file, and ways to read one
//! state as text. Each test file uses a part of it.
#![allow(dead_code, missing_docs, clippy::unwrap_used)]

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use model::snapshot::{ForEachKind, for_each_kind};
use model::{Key, Record, Snapshot};
use serde_json::Value;
use store::{Aborted, Store, StoreError, Txn};

/// The newest golden file.
pub const GOLDEN: &str = include_str!("../golden/v1.jsonl");

/// The records of a golden file: one or more of every kind.
pub fn sample() -> Snapshot {
    let lines = GOLDEN.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut reader = Reader { lines, snapshot: Snapshot::default() };
    let Ok(()) = for_each_kind(&mut reader);
    reader.snapshot
}

struct Reader {
    lines: Vec<Value>,
    snapshot: Snapshot,
}

impl ForEachKind for Reader {
    type Error = Infallible;

    fn kind<R: Record>(&mut self) -> Result<(), Infallible> {
        for line in self.lines.iter().filter(|line| line["kind"] == R::KIND) {
            let record: R = serde_json::from_value(line["body"].clone())
                .unwrap_or_else(|error| panic!("{error}: {line}"));
            R::table_mut(&mut self.snapshot).insert(Arc::new(record));
        }
        Ok(())
    }
}

/// A state in the form of a golden file: a line per record, kinds in the order of the tables.
pub fn text(state: &Snapshot) -> String {
    struct Writer<'a>(&'a Snapshot, String);
    impl ForEachKind for Writer<'_> {
        type Error = Infallible;

        fn kind<R: Record>(&mut self) -> Result<(), Infallible> {
            for record in R::table(self.0).iter() {
                let (kind, key) = (R::KIND, Value::String(record.key().text()));
                let body = serde_json::to_string(&**record).unwrap();
                self.1 += &format!("{{\"kind\":\"{kind}\",\"key\":{key},\"body\":{body}}}\n");
            }
            Ok(())
        }
    }
    let mut writer = Writer(state, String::new());
    let Ok(()) = for_each_kind(&mut writer);
    writer.1
}

/// Puts every record of a state.
pub fn put_all(txn: &mut Txn, state: &Snapshot) {
    struct Putter<'a>(&'a mut Txn, &'a Snapshot);
    impl ForEachKind for Putter<'_> {
        type Error = Infallible;

        fn kind<R: Record>(&mut self) -> Result<(), Infallible> {
            R::table(self.1).iter().for_each(|record| self.0.put(R::clone(record)));
            Ok(())
        }
    }
    let Ok(()) = for_each_kind(&mut Putter(txn, state));
}

/// Commits what `change` does; answers the revision.
pub fn commit(store: &Store, change: impl FnOnce(&mut Txn)) -> Result<u64, StoreError> {
    let done = store.transact(|txn| {
        change(txn);
        Ok::<_, Infallible>(())
    });
    match done {
        Ok(committed) => Ok(committed.revision),
        Err(Aborted::Store(error)) => Err(error),
    }
}

/// A store in memory with the sample in it.
pub fn filled() -> Store {
    let store = Store::ephemeral();
    commit(&store, |txn| put_all(txn, &sample())).unwrap();
    store
}

/// The error of opening a file that must be refused.
pub fn refusal(path: &Path) -> String {
    match Store::open(path) {
        Ok(_) => panic!("{} should be refused", path.display()),
        Err(error) => error.to_string(),
    }
}

/// The only record, or the first one, of a kind in the sample.
pub fn first<R: Record>() -> R {
    R::clone(R::table(&sample()).iter().next().unwrap())
}
