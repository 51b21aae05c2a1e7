//! HTTP/2 connections to upstreams, one set per thread and origin. An exchange takes a slot on a
//! connection; a new connection is made when all slots are taken, once for all who wait for it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use h2::SendStream;
use h2::client::{Builder, Connection, ResponseFuture, SendRequest};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use crate::dial::DialError;
use crate::io::Socket;
use crate::limits::{
    H2_SEND_BUFFER, H2_UPSTREAM_CONNECTION_WINDOW, H2_UPSTREAM_WINDOW, UPSTREAM_H2_CONNECTIONS,
    UPSTREAM_STREAMS,
};
use crate::pool::Pool;
use crate::upstream::{Origin, UpstreamErrorKind as Kind};

/// All connections of a thread.
#[derive(Default)]
pub(crate) struct Lanes(RefCell<HashMap<Rc<Origin>, Rc<Lane>>>);

/// The connections to one origin.
#[derive(Default)]
struct Lane {
    connections: RefCell<Vec<Rc<Multiplexed>>>,
    /// The attempt to make another one.
    dial: RefCell<Option<Rc<Dial>>>,
    /// A slot has become free.
    freed: Notify,
}

/// An attempt to connect.
#[derive(Default)]
struct Dial {
    done: Notify,
    error: RefCell<Option<DialError>>,
}

/// A connection.
struct Multiplexed {
    sender: SendRequest<Bytes>,
    slots: Cell<usize>,
    /// It takes no more exchanges.
    retired: Cell<bool>,
    /// Since when it has nothing to do, if it has nothing to do.
    since: Cell<Instant>,
}

/// A place for one exchange.
pub(crate) struct Slot {
    lane: Rc<Lane>,
    connection: Rc<Multiplexed>,
}

impl Lanes {
    fn lane(&self, origin: &Origin) -> Rc<Lane> {
        if let Some(lane) = self.0.borrow().get(origin) {
            return lane.clone();
        }
        self.0.borrow_mut().entry(Rc::new(origin.clone())).or_default().clone()
    }

    /// Close what has been idle for as long as `life`, and forget what has died.
    pub(crate) fn sweep(&self, now: Instant, life: Duration) {
        self.0.borrow_mut().retain(|_, lane| {
            lane.connections.borrow_mut().retain(|connection| {
                let idle = connection.slots.get() == 0 && now - connection.since.get() >= life;
                !idle && connection.lives()
            });
            Rc::strong_count(lane) > 1 || !lane.connections.borrow().is_empty()
        });
    }
}

/// A slot on a connection to `origin`, and whether a connection was made for it.
pub(super) async fn slot(
    pool: &Rc<Pool>,
    origin: &Origin,
    limit: Duration,
) -> Result<(Slot, bool), DialError> {
    let lane = pool.lanes.lane(origin);
    let mut made = false;
    let find = async {
        loop {
            if let Some(connection) = lane.free() {
                return Ok((Slot::new(lane.clone(), connection), made));
            }
            let full = lane.connections.borrow().len() >= UPSTREAM_H2_CONNECTIONS;
            if full && lane.dial.borrow().is_none() {
                lane.freed.notified().await;
                continue;
            }
            let dial = lane.dial(pool, origin, limit);
            dial.done.notified().await;
            if let Some(error) = &*dial.error.borrow() {
                return Err(error.clone());
            }
            made = true;
        }
    };
    timeout(limit, find).await.unwrap_or(Err((Kind::ConnectTimeout, String::new())))
}

impl Lane {
    /// The first connection with a free slot, so that few are in use.
    fn free(&self) -> Option<Rc<Multiplexed>> {
        let mut connections = self.connections.borrow_mut();
        connections.retain(|connection| connection.lives());
        connections.iter().find(|connection| connection.has_room()).cloned()
    }

    /// The attempt to connect that is under way. It is a task of its own: whoever asked for it
    /// first may leave while others wait.
    fn dial(self: &Rc<Lane>, pool: &Rc<Pool>, origin: &Origin, limit: Duration) -> Rc<Dial> {
        if let Some(dial) = &*self.dial.borrow() {
            return dial.clone();
        }
        let dial = Rc::new(Dial::default());
        self.dial.replace(Some(dial.clone()));
        let (lane, pool, origin, told) = (self.clone(), pool.clone(), origin.clone(), dial.clone());
        tokio::task::spawn_local(async move {
            match timeout(limit, open(&pool, &origin)).await {
                Ok(Ok((sender, connection))) => lane.add(sender, connection),
                Ok(Err(error)) => drop(told.error.replace(Some(error))),
                Err(_) => drop(told.error.replace(Some((Kind::ConnectTimeout, String::new())))),
            }
            lane.dial.take();
            told.done.notify_waiters();
        });
        dial
    }

    fn add(self: &Rc<Lane>, sender: SendRequest<Bytes>, connection: Connection<Socket, Bytes>) {
        let (slots, retired) = Default::default();
        let since = Cell::new(Instant::now());
        let multiplexed = Rc::new(Multiplexed { sender, slots, retired, since });
        self.connections.borrow_mut().push(multiplexed.clone());
        let (lane, multiplexed) = (Rc::downgrade(self), Rc::downgrade(&multiplexed));
        tokio::task::spawn_local(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "an upstream's HTTP/2 connection failed");
            }
            if let Some(multiplexed) = multiplexed.upgrade() {
                multiplexed.retired.set(true);
            }
            if let Some(lane) = lane.upgrade() {
                lane.freed.notify_one();
            }
        });
    }
}

async fn open(
    pool: &Pool,
    origin: &Origin,
) -> Result<(SendRequest<Bytes>, Connection<Socket, Bytes>), DialError> {
    let socket = pool.dial(origin).await?;
    let opened = greet(socket, pool.head_limits().bytes).await?;
    pool.stats.upstream_connects.up();
    Ok(opened)
}

fn failure(error: h2::Error) -> DialError {
    let kind = if error.is_library() { Kind::MalformedHead } else { Kind::Reset };
    (kind, error.to_string())
}

/// Settings that have not come yet: more streams than a peer can allow, but not without limit.
const UNKNOWN: usize = usize::MAX - 1;

/// Say the preface and our settings, and wait for the upstream's: how many streams it takes must be
/// known before the first one.
pub(super) async fn greet(
    socket: Socket,
    max_head_bytes: usize,
) -> Result<(SendRequest<Bytes>, Connection<Socket, Bytes>), DialError> {
    let mut builder = Builder::new();
    builder
        .enable_push(false)
        .max_header_list_size(u32::try_from(max_head_bytes).unwrap_or(u32::MAX))
        .initial_window_size(H2_UPSTREAM_WINDOW)
        .initial_connection_window_size(H2_UPSTREAM_CONNECTION_WINDOW)
        .initial_max_send_streams(UNKNOWN)
        .max_send_buffer_size(H2_SEND_BUFFER);
    let (sender, mut connection) = builder.handshake(socket).await.map_err(failure)?;
    poll_fn(|cx| {
        let ended = Pin::new(&mut connection).poll(cx);
        match (sender.current_max_send_streams(), ended) {
            (_, Poll::Ready(Err(error))) => Poll::Ready(Err(failure(error))),
            (_, Poll::Ready(Ok(()))) => Poll::Ready(Err((Kind::Reset, String::new()))),
            (UNKNOWN, Poll::Pending) => Poll::Pending,
            (_, Poll::Pending) => Poll::Ready(Ok(())),
        }
    })
    .await?;
    Ok((sender, connection))
}

impl Multiplexed {
    /// New exchanges may begin on it: it is open, and was not told to go away.
    fn lives(&self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        let ready = self.sender.clone().poll_ready(&mut cx);
        !self.retired.get() && !matches!(ready, Poll::Ready(Err(_)))
    }

    fn has_room(&self) -> bool {
        self.slots.get() < self.sender.current_max_send_streams().min(UPSTREAM_STREAMS)
    }
}

impl Slot {
    fn new(lane: Rc<Lane>, connection: Rc<Multiplexed>) -> Slot {
        connection.slots.set(connection.slots.get() + 1);
        Slot { lane, connection }
    }

    /// Begin an exchange; `over` if it has no body.
    pub(super) fn send(
        &self,
        request: http::Request<()>,
        over: bool,
    ) -> Result<(ResponseFuture, SendStream<Bytes>), h2::Error> {
        self.connection.sender.clone().send_request(request, over)
    }

    /// The connection is not to be trusted with further exchanges.
    pub(super) fn retire(&self) {
        self.connection.retired.set(true);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let connection = &self.connection;
        connection.slots.set(connection.slots.get() - 1);
        connection.since.set(Instant::now());
        self.lane.freed.notify_one();
    }
}
