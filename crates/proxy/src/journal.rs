//! Lines of load balancers' logs on their way to whoever writes them: gathered per worker, handed
//! over in batches through a bounded queue. What does not fit is dropped and counted; no request
//! waits for a log. What a line says is `routing::balancer::log`'s.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use routing::balancer::log::{Folder, Kind, Line};
use routing::live::Counter;
use tokio::sync::mpsc;

/// Batches that may wait to be written; more are dropped.
pub const QUEUE: usize = 64;
/// Bytes of lines in one batch, before it is handed over at once.
pub const BATCH_BYTES: usize = 64 * 1024;
/// How long a line stays with its worker at most.
const HAND_OVER: Duration = Duration::from_millis(200);

/// Takes lines of all workers.
#[derive(Debug)]
pub struct Journal {
    queue: Option<mpsc::Sender<Vec<Line>>>,
    /// Whether access log lines are wanted of load balancers that want no files.
    everything: bool,
    /// Lines that were dropped.
    pub dropped: Counter,
}

thread_local! {
    static BUFFER: RefCell<Buffer> = RefCell::default();
    /// Requests whose line is still to come.
    static OPEN: Cell<usize> = const { Cell::new(0) };
    static HANDING: Cell<bool> = const { Cell::new(false) };
}

/// The lines of one worker.
#[derive(Default)]
struct Buffer {
    journal: Option<Arc<Journal>>,
    lines: Vec<Line>,
    bytes: usize,
}

impl Journal {
    /// A journal, and the lines that are put in it. With `everything`, access log lines are made
    /// for all load balancers, whether or not they want files.
    pub fn new(everything: bool) -> (Arc<Journal>, mpsc::Receiver<Vec<Line>>) {
        let (sender, lines) = mpsc::channel(QUEUE);
        let queue = Some(sender);
        (Arc::new(Journal { queue, everything, dropped: Counter::default() }), lines)
    }

    /// A journal that nobody reads.
    pub fn off() -> Arc<Journal> {
        Arc::new(Journal { queue: None, everything: false, dropped: Counter::default() })
    }

    /// Takes a line from outside the workers.
    pub fn send(&self, line: Line) {
        self.hand_over(vec![line]);
    }

    fn hand_over(&self, lines: Vec<Line>) {
        let count = lines.len() as u64;
        if self.queue.as_ref().is_none_or(|queue| queue.try_send(lines).is_err()) {
            self.dropped.add(count);
        }
    }

    /// Whether a line of a log is wanted that goes to `folder`.
    pub(crate) fn wants(&self, kind: Kind, folder: Option<&Arc<Folder>>) -> bool {
        let live = self.everything && kind == Kind::Access;
        self.queue.is_some() && (live || folder.is_some())
    }

    /// A line will come from this worker.
    pub(crate) fn expect(self: &Arc<Self>) {
        OPEN.set(OPEN.get() + 1);
        if !HANDING.replace(true) {
            BUFFER.with_borrow_mut(|buffer| buffer.journal = Some(Arc::clone(self)));
            tokio::task::spawn_local(hand_over());
        }
    }

    /// Here it is. Called once for each line that was expected.
    pub(crate) fn put(line: Line) {
        OPEN.set(OPEN.get().saturating_sub(1));
        BUFFER.with_borrow_mut(|buffer| {
            buffer.bytes += line.text.len();
            buffer.lines.push(line);
            if buffer.bytes >= BATCH_BYTES {
                buffer.flush();
            }
        });
    }
}

/// Hands over what there is, again and again, until no more is expected.
async fn hand_over() {
    loop {
        tokio::time::sleep(HAND_OVER).await;
        BUFFER.with_borrow_mut(Buffer::flush);
        if OPEN.get() == 0 {
            break HANDING.set(false);
        }
    }
}

impl Buffer {
    fn flush(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        self.bytes = 0;
        if let Some(journal) = self.journal.as_ref().filter(|_| !lines.is_empty()) {
            journal.hand_over(lines);
        }
    }
}

/// A worker that ends hands over the rest.
impl Drop for Buffer {
    fn drop(&mut self) {
        self.flush();
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn line(text: &str) -> Line {
        let node = IpAddr::from([10, 0, 0, 1]);
        Line { kind: Kind::Access, folder: None, node, text: text.to_owned() }
    }

    #[test]
    fn lines_come_in_batches_and_what_does_not_fit_is_counted() {
        let (journal, mut lines) = Journal::new(true);
        let worker = Arc::clone(&journal);
        let large = "x".repeat(BATCH_BYTES);
        let thread = std::thread::spawn(move || {
            BUFFER.with_borrow_mut(|buffer| buffer.journal = Some(worker));
            Journal::put(line("small"));
            for _ in 0..QUEUE + 2 {
                Journal::put(line(&large));
            }
            Journal::put(line("last"));
        });
        thread.join().unwrap();
        // Two batches did not fit, and the one of the thread's end.
        assert_eq!(journal.dropped.get(), 3);
        assert_eq!(lines.try_recv().map(|batch| batch.len()), Ok(2));
        for _ in 1..QUEUE {
            assert_eq!(lines.try_recv().map(|batch| batch.len()), Ok(1));
        }
        assert!(lines.try_recv().is_err());
    }

    #[test]
    fn only_wanted_lines_are_made() {
        let check = |journal: &Journal, kind, expect| {
            assert_eq!(journal.wants(kind, None), expect, "{kind:?}");
        };
        check(&Journal::new(false).0, Kind::Access, false);
        check(&Journal::off(), Kind::Access, false);
        let (journal, lines) = Journal::new(true);
        check(&journal, Kind::Access, true);
        check(&journal, Kind::Connection, false);
        drop(lines);
    }
}
