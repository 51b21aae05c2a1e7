//! The durable form: one SQLite file in WAL mode, synced at each commit, or nothing at all.
//!
//! A row per record: kind, key, JSON body. The JSON is a private spelling of the records; its
//! version is `FORMAT_VERSION`, and a golden file in the tests holds what each version looked like.

use std::path::Path;
use std::sync::Arc;

use model::snapshot::{ForEachKind, for_each_kind};
use model::{Record, Snapshot};
use rusqlite::Connection;

use crate::{Change, StoreError};

/// The version of the durable form that this build writes.
pub const FORMAT_VERSION: i64 = 1;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS records (
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (kind, key)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
";

/// Where commits go.
pub(crate) enum Backend {
    /// Nowhere: the node is ephemeral.
    Memory,
    /// A database file.
    Sqlite { connection: Connection, path: String },
}

impl Backend {
    /// Opens the file, refuses one of a newer format, and loads the state.
    pub(crate) fn open(path: &Path) -> Result<(Self, Snapshot), StoreError> {
        let name = path.display().to_string();
        let fail = |cause: rusqlite::Error| database_error(&name, &cause);
        let connection = Connection::open(path).map_err(fail)?;
        prepare(&connection).map_err(fail)?;
        let found: i64 =
            connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(fail)?;
        if found > FORMAT_VERSION {
            return Err(StoreError::Format { path: name, found, known: FORMAT_VERSION });
        }
        connection.pragma_update(None, "user_version", FORMAT_VERSION).map_err(fail)?;
        let snapshot = load(&connection, &name)?;
        Ok((Self::Sqlite { connection, path: name }, snapshot))
    }

    /// Makes the changes of one transaction durable: all of them, or none.
    pub(crate) fn commit(&mut self, revision: u64, changes: &[Change]) -> Result<(), StoreError> {
        match self {
            Self::Memory => Ok(()),
            Self::Sqlite { connection, path } => {
                write(connection, revision, changes).map_err(|cause| database_error(path, &cause))
            }
        }
    }
}

fn database_error(path: &str, cause: &rusqlite::Error) -> StoreError {
    StoreError::Database { path: path.to_owned(), cause: cause.to_string() }
}

/// WAL with FULL sync: a commit that returned survives a crash of the process and of the machine.
/// The exclusive lock keeps a second node from the same file.
fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(SCHEMA)
}

fn write(connection: &mut Connection, revision: u64, changes: &[Change]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for change in changes {
        match &change.body {
            Some(body) => transaction
                .prepare_cached("INSERT OR REPLACE INTO records VALUES (?1, ?2, ?3)")?
                .execute((change.kind, &change.key, body))?,
            None => transaction
                .prepare_cached("DELETE FROM records WHERE kind = ?1 AND key = ?2")?
                .execute((change.kind, &change.key))?,
        };
    }
    transaction
        .prepare_cached("INSERT OR REPLACE INTO state VALUES ('revision', ?1)")?
        .execute([i64::try_from(revision).unwrap_or(i64::MAX)])?;
    transaction.commit()
}

fn load(connection: &Connection, path: &str) -> Result<Snapshot, StoreError> {
    let mut loader = Loader { connection, path, snapshot: Snapshot::default() };
    for_each_kind(&mut loader)?;
    let revision = connection
        .query_row("SELECT value FROM state WHERE name = 'revision'", [], |row| row.get(0))
        .or_else(|error| match error {
            rusqlite::Error::QueryReturnedNoRows => Ok(0i64),
            other => Err(database_error(path, &other)),
        })?;
    loader.snapshot.revision = u64::try_from(revision).unwrap_or(0);
    Ok(loader.snapshot)
}

struct Loader<'a> {
    connection: &'a Connection,
    path: &'a str,
    snapshot: Snapshot,
}

impl Loader<'_> {
    fn rows(&self, kind: &str) -> rusqlite::Result<Vec<(String, String)>> {
        let mut select =
            self.connection.prepare("SELECT key, body FROM records WHERE kind = ?1")?;
        select.query_map([kind], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    }
}

impl ForEachKind for Loader<'_> {
    type Error = StoreError;

    fn kind<R: Record>(&mut self) -> Result<(), StoreError> {
        let rows = self.rows(R::KIND).map_err(|cause| database_error(self.path, &cause))?;
        for (key, body) in rows {
            let record: R = serde_json::from_str(&body).map_err(|cause| StoreError::Record {
                kind: R::KIND,
                key,
                cause: cause.to_string(),
            })?;
            R::table_mut(&mut self.snapshot).insert(Arc::new(record));
        }
        Ok(())
    }
}
