//! Upstream connections of one thread: opening them, keeping idle ones, lending them out.
//! No locks and no sharing: every worker has its own. What is sent over them is in `exchange`;
//! those of HTTP/2 are in `http2::pool`.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::time::{Instant, timeout};

use crate::codec::head::HeadLimits;
use crate::dial::{self, DialError};
use crate::http2::pool::Lanes;
use crate::io::Socket;
use crate::limits::Limits;
use crate::stats::WorkerStats;
use crate::tls::{TlsClient, TlsError};
use crate::upstream::{Origin, UpstreamErrorKind as Kind};
use crate::wire::Wire;

thread_local! {
    static CURRENT: RefCell<Option<Rc<Pool>>> = const { RefCell::new(None) };
}

type Map<K, V> = std::collections::HashMap<K, V, foldhash::fast::RandomState>;

/// The upstream connections of this thread.
pub(crate) struct Pool {
    limits: Limits,
    pub(crate) stats: Arc<WorkerStats>,
    idle: RefCell<Map<Rc<Origin>, Vec<Idle>>>,
    total: Cell<usize>,
    /// Connections that many exchanges share.
    pub(crate) lanes: Lanes,
    verified: OnceCell<Result<TlsClient, String>>,
    unverified: OnceCell<Result<TlsClient, String>>,
}

/// An upstream connection that nobody uses.
struct Idle {
    origin: Rc<Origin>,
    wire: Wire,
    since: Instant,
}

impl Pool {
    pub(crate) fn new(limits: Limits, stats: Arc<WorkerStats>) -> Rc<Pool> {
        Rc::new(Pool {
            limits,
            stats,
            idle: RefCell::default(),
            total: Cell::new(0),
            lanes: Lanes::default(),
            verified: OnceCell::new(),
            unverified: OnceCell::new(),
        })
    }

    /// Make this the pool of the thread.
    pub(crate) fn install(self: &Rc<Pool>) {
        CURRENT.set(Some(self.clone()));
    }

    /// The pool of the thread; one with default limits outside of workers.
    pub(crate) fn current() -> Rc<Pool> {
        CURRENT.with_borrow_mut(|current| {
            current.get_or_insert_with(|| Pool::new(Limits::default(), Arc::default())).clone()
        })
    }

    /// How large the head of a response may be.
    pub(crate) fn head_limits(&self) -> HeadLimits {
        HeadLimits::new(self.limits.max_response_head_bytes, self.limits.max_headers)
    }

    /// A kept-alive connection that is ready for a request, the most recently used first.
    pub(crate) fn checkout(&self, origin: &Origin, now: Instant) -> Option<(Rc<Origin>, Wire)> {
        let mut idle = self.idle.borrow_mut();
        let list = idle.get_mut(origin)?;
        let before = list.len();
        let mut found = None;
        while let Some(mut last) = list.pop() {
            if last.wire.is_quiet() && now.duration_since(last.since) < self.limits.upstream_idle {
                found = Some((last.origin, last.wire));
                break;
            }
        }
        self.set_total(self.total.get() + list.len() - before);
        found
    }

    /// Keep a connection on which every message has ended; unless something else came on it.
    pub(crate) fn keep(&self, origin: Rc<Origin>, mut wire: Wire, since: Instant) {
        if self.total.get() >= self.limits.max_idle_total || !wire.is_quiet() {
            return;
        }
        let mut idle = self.idle.borrow_mut();
        let list = idle.entry(origin.clone()).or_default();
        if list.len() < self.limits.max_idle_per_origin {
            list.push(Idle { origin, wire, since });
            self.set_total(self.total.get() + 1);
        }
    }

    /// Close what has been idle for too long and forget what has died.
    pub(crate) fn sweep(&self) {
        let now = Instant::now();
        let life = self.limits.upstream_idle;
        let mut total = 0;
        self.idle.borrow_mut().retain(|_, list| {
            list.retain_mut(|idle| now.duration_since(idle.since) < life && idle.wire.is_quiet());
            total += list.len();
            !list.is_empty()
        });
        self.set_total(total);
        self.lanes.sweep(now, life);
    }

    fn set_total(&self, total: usize) {
        self.total.set(total);
        self.stats.upstream_idle.set(total as u64);
    }

    /// Open a connection; `limit` covers TCP and TLS.
    pub(crate) async fn open(&self, origin: &Origin, limit: Duration) -> Result<Wire, DialError> {
        let socket = match timeout(limit, self.dial(origin)).await {
            Ok(socket) => socket?,
            Err(_) => return Err((Kind::ConnectTimeout, String::new())),
        };
        self.stats.upstream_connects.up();
        Ok(Wire::new(socket, BytesMut::new()))
    }

    /// A socket that is connected, with TLS if the origin has it.
    pub(crate) async fn dial(&self, origin: &Origin) -> Result<Socket, DialError> {
        let stream = dial::tcp(origin.addr, origin.source).await?;
        let Some(tls) = &origin.tls else { return Ok(Socket::Plain(stream)) };
        let client = self.tls_client(tls.verify).map_err(|error| (Kind::Tls, error))?;
        dial::tls(stream, client, &tls.server_name, origin.protocol).await
    }

    fn tls_client(&self, verify: bool) -> Result<&TlsClient, String> {
        let text = |error: TlsError| error.to_string();
        let client = match verify {
            true => self.verified.get_or_init(|| {
                TlsClient::verified(self.limits.extra_roots.as_deref()).map_err(text)
            }),
            false => self.unverified.get_or_init(|| TlsClient::unverified().map_err(text)),
        };
        client.as_ref().map_err(String::clone)
    }
}
