//! The state of one worker: its listeners, its connections, its pool. Lives on one thread.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Waker;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::connection::ListenerKey;
use crate::limits::Limits;
use crate::pool::Pool;
use crate::serve::Settings;
use crate::stats::WorkerStats;
use crate::workers::Drained;

/// One worker.
pub(crate) struct Worker {
    pub(crate) limits: Limits,
    pub(crate) stats: Arc<WorkerStats>,
    pub(crate) room: Notify,
    listeners: RefCell<HashMap<ListenerKey, Rc<Listening>>>,
    sessions: RefCell<HashMap<u64, Rc<Session>>>,
    next_session: Cell<u64>,
    draining: Cell<bool>,
    /// Connections without a request close at once.
    leaving: Cell<bool>,
    empty: Notify,
    /// Seconds since the start, counted by the sweep.
    now: Cell<u64>,
}

/// A listener on one worker.
pub(crate) struct Listening {
    pub(crate) key: ListenerKey,
    pub(crate) settings: Arc<ArcSwap<Settings>>,
    pub(crate) stop: Notify,
    pub(crate) task: Cell<Option<JoinHandle<()>>>,
}

/// What the worker knows about a client connection that is being served.
pub(crate) struct Session {
    listener: ListenerKey,
    /// Seconds (of the worker's clock) after which an idle connection is closed; only where the
    /// codec does not do it itself (HTTP/2).
    idle: Option<u64>,
    max_age: u64,
    born: u64,
    last_active: Cell<u64>,
    pub(crate) streams: Cell<u32>,
    pub(crate) requests: Cell<u64>,
    pub(crate) last: Cell<bool>,
    /// If nothing is under way, it closes without waiting for a last request.
    pub(crate) leaving: Cell<bool>,
    pub(crate) cut: Cell<bool>,
    told: Cell<u64>,
    waker: RefCell<Option<Waker>>,
}

impl Worker {
    pub(crate) fn new(limits: Limits, stats: Arc<WorkerStats>) -> Rc<Worker> {
        Rc::new(Worker {
            limits,
            stats,
            room: Notify::new(),
            listeners: RefCell::default(),
            sessions: RefCell::default(),
            next_session: Cell::new(0),
            draining: Cell::new(false),
            leaving: Cell::new(false),
            empty: Notify::new(),
            now: Cell::new(0),
        })
    }

    /// Install the upstream pool and start the sweep, inside the runtime.
    pub(crate) fn start(self: &Rc<Worker>) {
        let pool = Pool::new(self.limits.clone(), self.stats.clone());
        pool.install();
        let worker = self.clone();
        tokio::task::spawn_local(async move {
            let mut tick = interval(Duration::from_secs(1));
            tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
            loop {
                tick.tick().await;
                worker.now.set(worker.now.get() + 1);
                worker.sweep();
                pool.sweep();
            }
        });
    }

    pub(crate) fn add_listener(&self, listening: Rc<Listening>) {
        self.listeners.borrow_mut().insert(listening.key.clone(), listening);
    }

    /// Stop accepting and let the listener's connections finish. The handle ends when the socket
    /// is closed.
    pub(crate) fn close(&self, key: &ListenerKey) -> Option<JoinHandle<()>> {
        let listening = self.listeners.borrow_mut().remove(key)?;
        listening.stop.notify_one();
        let sessions: Vec<_> = self.sessions.borrow().values().cloned().collect();
        for session in sessions.iter().filter(|session| session.listener == *key) {
            session.finish(self.now.get());
        }
        listening.task.take()
    }

    /// Close the listeners; for `patience` let connections that have nothing to do wait for a last
    /// request; then let all finish, until `deadline`. Both count from now.
    pub(crate) async fn drain(&self, patience: Duration, deadline: Duration) -> Drained {
        self.draining.set(true);
        for (_, listening) in self.listeners.borrow_mut().drain() {
            listening.stop.notify_one();
        }
        let open = self.sessions.borrow().len();
        if !patience.is_zero() {
            for session in self.sessions.borrow().values() {
                session.retire(self.now.get());
            }
            // Whether in time or not, the rest is told below.
            drop(timeout(patience, self.emptied()).await);
        }
        self.leaving.set(true);
        let sessions: Vec<_> = self.sessions.borrow().values().cloned().collect();
        for session in &sessions {
            session.finish(self.now.get());
        }
        // Whether in time or not, the count below says what is left.
        drop(timeout(deadline.saturating_sub(patience), self.emptied()).await);
        let cut = self.sessions.borrow().len();
        Drained { finished: open.saturating_sub(cut), cut }
    }

    async fn emptied(&self) {
        while !self.sessions.borrow().is_empty() {
            self.empty.notified().await;
        }
    }

    /// True while no further connection may be taken.
    pub(crate) fn is_full(&self) -> bool {
        self.stats.active.get() >= self.limits.max_connections as u64
    }

    /// Count a connection for as long as the guard lives, also in `open`.
    pub(crate) fn enter(self: &Rc<Worker>, open: Option<Arc<AtomicI64>>) -> Active {
        self.stats.accepted.up();
        self.stats.active.up();
        if let Some(open) = &open {
            open.fetch_add(1, Relaxed);
        }
        Active(self.clone(), open)
    }

    /// Watch over a connection for as long as the guard lives.
    pub(crate) fn register(
        self: &Rc<Worker>,
        listener: ListenerKey,
        idle: Option<Duration>,
        max_age: Duration,
    ) -> Registered {
        let now = self.now.get();
        let session = Rc::new(Session {
            listener,
            idle: idle.map(|idle| idle.as_secs().max(1)),
            max_age: max_age.as_secs().max(1),
            born: now,
            last_active: Cell::new(now),
            streams: Cell::new(0),
            requests: Cell::new(0),
            last: Cell::new(self.draining.get()),
            leaving: Cell::new(self.leaving.get()),
            cut: Cell::new(false),
            told: Cell::new(now),
            waker: RefCell::default(),
        });
        let id = self.next_session.get();
        self.next_session.set(id + 1);
        self.sessions.borrow_mut().insert(id, session.clone());
        Registered { id, session, worker: self.clone() }
    }

    /// Finish connections that are too old, or idle for too long; cut those that were told to
    /// finish, have nothing left to do and still hang around.
    fn sweep(&self) {
        let now = self.now.get();
        for session in self.sessions.borrow().values() {
            let since_active = now - session.last_active.get();
            let idle = session.streams.get() == 0 && session.idle.is_some_and(|i| since_active > i);
            if !session.last.get() {
                if idle {
                    session.finish(now);
                } else if now - session.born > session.max_age {
                    // AWS: an old connection gets one more response, which says that it closes.
                    session.retire(now);
                }
            } else if idle && now - session.told.get() > FAREWELL {
                session.cut.set(true);
                session.wake();
            }
        }
    }
}

/// Seconds that an HTTP/2 client has to close its connection after it was told to go away.
const FAREWELL: u64 = 5;

impl Session {
    /// What is under way is the last that this connection serves.
    pub(crate) fn finish(&self, now: u64) {
        if !self.leaving.replace(true) {
            self.retire(now);
            self.wake();
        }
    }

    /// The next response is the last one.
    fn retire(&self, now: u64) {
        if !self.last.replace(true) {
            self.told.set(now);
            self.wake();
        }
    }

    fn wake(&self) {
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }

    /// Remember whom to wake; the same task polls a connection for its whole life.
    pub(crate) fn remember(&self, waker: &Waker) {
        let mut known = self.waker.borrow_mut();
        if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *known = Some(waker.clone());
        }
    }
}

/// An open client connection, for the counters.
pub(crate) struct Active(Rc<Worker>, Option<Arc<AtomicI64>>);

impl Drop for Active {
    fn drop(&mut self) {
        self.0.stats.active.down();
        if let Some(open) = &self.1 {
            open.fetch_sub(1, Relaxed);
        }
        self.0.room.notify_waiters();
    }
}

/// A client connection under watch.
pub(crate) struct Registered {
    id: u64,
    pub(crate) session: Rc<Session>,
    pub(crate) worker: Rc<Worker>,
}

impl Registered {
    /// A stream began; it ends when the guard is dropped.
    pub(crate) fn stream(self: &Rc<Registered>) -> Stream {
        let session = &self.session;
        session.streams.set(session.streams.get() + 1);
        session.requests.set(session.requests.get() + 1);
        Stream(self.clone())
    }

    pub(crate) fn finish(&self) {
        self.session.finish(self.worker.now.get());
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.worker.sessions.borrow_mut().remove(&self.id);
        if self.worker.draining.get() {
            self.worker.empty.notify_one();
        }
    }
}

/// A request that is being answered, up to the last byte of the response.
pub(crate) struct Stream(Rc<Registered>);

impl Drop for Stream {
    fn drop(&mut self) {
        let session = &self.0.session;
        session.streams.set(session.streams.get() - 1);
        session.last_active.set(self.0.worker.now.get());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: u64 = 3;

    fn http2(worker: &Rc<Worker>) -> Rc<Registered> {
        let idle = Some(Duration::from_secs(IDLE));
        Rc::new(worker.register(ListenerKey::from("test"), idle, Duration::from_secs(100)))
    }

    fn pass(worker: &Worker, seconds: u64) {
        for _ in 0..seconds {
            worker.now.set(worker.now.get() + 1);
            worker.sweep();
        }
    }

    fn check(registered: &Registered, last: bool, cut: bool) {
        let session = &registered.session;
        assert_eq!((session.last.get(), session.cut.get()), (last, cut), "{:?}", session.born);
    }

    #[test]
    fn idle_connections_are_told_to_finish_and_then_cut() {
        let worker = Worker::new(Limits::default(), Arc::default());
        let (idle, busy) = (http2(&worker), http2(&worker));
        let stream = busy.stream();
        pass(&worker, IDLE);
        check(&idle, false, false);
        pass(&worker, 1);
        check(&idle, true, false);
        pass(&worker, FAREWELL + 1);
        check(&idle, true, true);
        check(&busy, false, false);
        drop(stream);
        pass(&worker, IDLE);
        check(&busy, false, false);
        pass(&worker, 1);
        check(&busy, true, false);
    }

    #[test]
    fn old_connections_finish_whatever_they_do() {
        let worker = Worker::new(Limits::default(), Arc::default());
        let key = ListenerKey::from("test");
        let old = Rc::new(worker.register(key, None, Duration::from_secs(10)));
        let stream = old.stream();
        pass(&worker, 10);
        check(&old, false, false);
        pass(&worker, 1);
        check(&old, true, false);
        pass(&worker, 100);
        check(&old, true, false);
        drop(stream);
        drop(old);
        assert!(worker.sessions.borrow().is_empty());
    }
}
