//! From a snapshot to tables. Pure and total: what is broken becomes an entry that refuses, and a
//! finding.

use model::{Settings, Snapshot};

use crate::{Finding, Tables};

/// Makes the tables of a snapshot.
pub fn compile(snapshot: &Snapshot, _settings: &Settings) -> (Tables, Vec<Finding>) {
    (Tables { revision: snapshot.revision, ..Tables::default() }, Vec::new())
}
