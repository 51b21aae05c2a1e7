//! Moves what is committed from the write-ahead log into the database file, on a thread and a
//! connection of its own: no commit waits for that. Leaves out when a commit is durable: it is once
//! it is in the log.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tracing::{debug, warn};

/// Changed rows after which the log is worth emptying.
const ROWS_BETWEEN: usize = 512;

/// The thread, for as long as the file is open.
pub(crate) struct Checkpoints {
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    /// Rows changed since the thread was woken.
    rows: usize,
}

impl Checkpoints {
    /// Starts the thread for a database that is in WAL mode.
    pub(crate) fn start(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        // Durable commits do not depend on it; the log is only reused after this sync.
        connection.pragma_update(None, "synchronous", "FULL")?;
        let (wake, woken) = sync_channel(1);
        let work = move || run(&connection, &woken);
        let thread = std::thread::Builder::new().name("checkpoints".to_owned()).spawn(work);
        if let Err(error) = &thread {
            warn!(%error, "no thread for checkpoints; commits make them");
        }
        Ok(Self { wake: Some(wake), thread: thread.ok(), rows: 0 })
    }

    /// Tells that rows were committed.
    pub(crate) fn committed(&mut self, rows: usize) {
        self.rows += rows;
        if self.rows >= ROWS_BETWEEN
            && let Some(wake) = &self.wake
        {
            self.rows = 0;
            // One that is awake already looks again.
            let _full = wake.try_send(());
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            warn!("the thread for checkpoints ended unexpectedly");
        }
    }
}

/// Checkpoints whenever it is woken. Commits that come meanwhile stay in the log, which is then not
/// reused from its start: a second pass has only those to move.
fn run(connection: &Connection, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        for _pass in 0..2 {
            let moved = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
                Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
            });
            match moved {
                Ok((in_log, moved)) => debug!(in_log, moved, "checkpoint"),
                Err(error) => warn!(%error, "the write-ahead log cannot be emptied; trying later"),
            }
        }
    }
}
