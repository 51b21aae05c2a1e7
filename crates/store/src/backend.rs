//! The durable form: one SQLite file in WAL mode, synced at each commit, or nothing at all.
//!
//! A row per record: kind, key, JSON body. The JSON is a private spelling of the records; its
//! version is `FORMAT_VERSION`, and a golden file in the tests holds what each version looked like.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::snapshot::{ForEachKind, for_each_kind};
use model::{Key, Record, Snapshot};
use rusqlite::{Connection, ErrorCode};

use crate::checkpoint::Checkpoints;
use crate::{Change, StoreError};

/// The version of the durable form that this build writes.
pub const FORMAT_VERSION: i64 = 1;

/// How long to wait for a node that is just ending to let go of the file.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);

/// Pages of the write-ahead log beyond which a commit empties it itself, because the thread that
/// should cannot keep up. In pages of 4 KiB.
const MAX_LOG_PAGES: i64 = 16_384;

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
    Sqlite(Sqlite),
    /// Nowhere any more: the file was let go.
    Closed,
}

/// An open database file. Its parts end in this order.
pub(crate) struct Sqlite {
    checkpoints: Checkpoints,
    connection: Connection,
    path: String,
    /// Held for as long as this node uses the file.
    _lock: File,
}

impl Backend {
    /// Opens the file, refuses one of a newer format, and loads the state.
    pub(crate) fn open(path: &Path) -> Result<(Self, Snapshot), StoreError> {
        let name = path.display().to_string();
        let fail = |cause: rusqlite::Error| database_error(&name, &cause);
        make_private(path).map_err(|error| StoreError::Database {
            path: name.clone(),
            cause: error.to_string(),
        })?;
        let lock = lock(path)?;
        let connection = Connection::open(path).map_err(fail)?;
        let found = prepare(&connection).map_err(fail)?;
        if found > FORMAT_VERSION {
            return Err(StoreError::Format { path: name, found, known: FORMAT_VERSION });
        }
        connection.execute_batch(SCHEMA).map_err(fail)?;
        let snapshot = load(&connection, &name)?;
        connection.pragma_update(None, "user_version", FORMAT_VERSION).map_err(fail)?;
        let checkpoints = Checkpoints::start(path).map_err(fail)?;
        let open = Sqlite { checkpoints, connection, path: name, _lock: lock };
        Ok((Self::Sqlite(open), snapshot))
    }

    /// Makes the changes of one transaction durable: all of them, or none.
    pub(crate) fn commit(&mut self, revision: u64, changes: &[Change]) -> Result<(), StoreError> {
        match self {
            Self::Memory => Ok(()),
            Self::Closed => Err(StoreError::Closed),
            Self::Sqlite(open) => {
                write(&mut open.connection, revision, changes)
                    .map_err(|cause| database_error(&open.path, &cause))?;
                open.checkpoints.committed(changes.len() + 1);
                Ok(())
            }
        }
    }
}

fn database_error(path: &str, cause: &rusqlite::Error) -> StoreError {
    let path = path.to_owned();
    match cause.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::InUse { path },
        _ => StoreError::Database { path, cause: cause.to_string() },
    }
}

/// Makes a file that only its owner may read, for the secrets of access keys are in it; the files
/// that SQLite puts beside it get the same mode. A file that exists keeps its mode.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// Keeps a second node from the file. The lock is on a file of its own, since SQLite's own locks
/// would keep our second connection out, too.
fn lock(path: &Path) -> Result<File, StoreError> {
    let fail = |error: std::io::Error| StoreError::Database {
        path: path.display().to_string(),
        cause: error.to_string(),
    };
    let place = path.with_extension("lock");
    make_private(&place).map_err(fail)?;
    let file = File::options().append(true).open(place).map_err(fail)?;
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(fail(error)),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::InUse { path: path.display().to_string() });
            }
        }
    }
}

/// WAL with FULL sync: a commit that returned survives a crash of the process and of the machine.
/// Answers the format of the file.
fn prepare(connection: &Connection) -> rusqlite::Result<i64> {
    connection.busy_timeout(LOCK_PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", MAX_LOG_PAGES)?;
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn write(connection: &mut Connection, revision: u64, changes: &[Change]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for change in changes {
        match &change.body {
            Some(body) => transaction
                .prepare_cached("INSERT OR REPLACE INTO records VALUES (?1, ?2, ?3)")?
                .execute((&change.kind, &change.key, body))?,
            None => transaction
                .prepare_cached("DELETE FROM records WHERE kind = ?1 AND key = ?2")?
                .execute((&change.kind, &change.key))?,
        };
    }
    transaction
        .prepare_cached("INSERT OR REPLACE INTO state VALUES ('revision', ?1)")?
        .execute([i64::try_from(revision).unwrap_or(i64::MAX)])?;
    transaction.commit()
}

fn load(connection: &Connection, path: &str) -> Result<Snapshot, StoreError> {
    let snapshot = Snapshot::default();
    let mut loader = Loader { connection, path, known: Vec::new(), snapshot };
    for_each_kind(&mut loader)?;
    loader.refuse_unknown_kinds()?;
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
    known: Vec<&'static str>,
    snapshot: Snapshot,
}

impl Loader<'_> {
    fn rows(&self, kind: &str) -> rusqlite::Result<Vec<(String, String)>> {
        let mut select =
            self.connection.prepare("SELECT key, body FROM records WHERE kind = ?1")?;
        select.query_map([kind], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    }

    /// One row of each kind in the file.
    fn kinds(&self) -> rusqlite::Result<Vec<(String, String)>> {
        let mut select =
            self.connection.prepare("SELECT kind, min(key) FROM records GROUP BY kind")?;
        select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    }

    /// Records that this version would drop in silence are a reason not to start.
    fn refuse_unknown_kinds(&self) -> Result<(), StoreError> {
        let kinds = self.kinds().map_err(|cause| database_error(self.path, &cause))?;
        match kinds.into_iter().find(|(kind, _)| !self.known.contains(&kind.as_str())) {
            None => Ok(()),
            Some((kind, key)) => Err(StoreError::Record {
                kind,
                key,
                cause: "it is of a kind that this version does not know".into(),
            }),
        }
    }
}

fn read<R: Record>(key: &str, body: &str) -> Result<R, StoreError> {
    let fail = |cause| StoreError::Record { kind: R::KIND.into(), key: key.into(), cause };
    let record: R = serde_json::from_str(body).map_err(|error| fail(error.to_string()))?;
    match record.key().text() {
        own if own == key => Ok(record),
        own => Err(fail(format!("it belongs under the key {own}"))),
    }
}

impl ForEachKind for Loader<'_> {
    type Error = StoreError;

    fn kind<R: Record>(&mut self) -> Result<(), StoreError> {
        let rows = self.rows(R::KIND).map_err(|cause| database_error(self.path, &cause))?;
        for (key, body) in rows {
            R::table_mut(&mut self.snapshot).insert(Arc::new(read(&key, &body)?));
        }
        self.known.push(R::KIND);
        Ok(())
    }
}

/// Makes changes to a state that were made durable elsewhere.
pub(crate) fn replay(snapshot: &mut Snapshot, changes: &[Change]) -> Result<(), StoreError> {
    for change in changes {
        let mut replay = Replay { snapshot, change, done: false };
        for_each_kind(&mut replay)?;
        if !replay.done {
            let (kind, key) = (change.kind.to_string(), change.key.clone());
            let cause = "it is of a kind that this version does not know".into();
            return Err(StoreError::Record { kind, key, cause });
        }
    }
    Ok(())
}

struct Replay<'a> {
    snapshot: &'a mut Snapshot,
    change: &'a Change,
    done: bool,
}

impl ForEachKind for Replay<'_> {
    type Error = StoreError;

    fn kind<R: Record>(&mut self) -> Result<(), StoreError> {
        let Change { kind, key, body } = self.change;
        if kind != R::KIND {
            return Ok(());
        }
        self.done = true;
        let table = R::table_mut(self.snapshot);
        match body {
            Some(body) => table.insert(Arc::new(read(key, body)?)),
            None => {
                let gone = table.iter().map(|record| record.key()).find(|own| own.text() == *key);
                if let Some(gone) = gone {
                    table.remove(&gone);
                }
            }
        }
        Ok(())
    }
}
