//! Upstream connections of one thread: opening them, keeping idle ones, lending them out.
//! No locks and no sharing: every worker has its own. What is sent over them is in `exchange`.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, timeout};

use crate::dial::{self, DialError};
use crate::io::{Socket, Traffic, UpstreamIo};
use crate::limits::{Limits, MIN_HEAD_BYTES};
use crate::stats::WorkerStats;
use crate::tls::{TlsClient, TlsError};
use crate::upload::{Upload, UploadBody};
use crate::upstream::{Origin, UpstreamErrorKind as Kind};

thread_local! {
    static CURRENT: RefCell<Option<Rc<Pool>>> = const { RefCell::new(None) };
}

/// The upstream connections of this thread.
pub(crate) struct Pool {
    limits: Limits,
    pub(crate) stats: Arc<WorkerStats>,
    idle: RefCell<HashMap<Rc<Origin>, Vec<Upstream>>>,
    total: Cell<usize>,
    verified: OnceCell<Result<TlsClient, String>>,
    unverified: OnceCell<Result<TlsClient, String>>,
}

/// One upstream connection that nobody else uses.
pub(crate) struct Upstream {
    pub(crate) sender: SendRequest<UploadBody>,
    pub(crate) traffic: Rc<Traffic>,
    origin: Rc<Origin>,
    idle_since: Instant,
}

impl Pool {
    pub(crate) fn new(limits: Limits, stats: Arc<WorkerStats>) -> Rc<Pool> {
        Rc::new(Pool {
            limits,
            stats,
            idle: RefCell::default(),
            total: Cell::new(0),
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

    /// A kept-alive connection that is ready for a request, the most recently used first.
    pub(crate) fn checkout(&self, origin: &Origin) -> Option<Upstream> {
        let mut idle = self.idle.borrow_mut();
        let list = idle.get_mut(origin)?;
        let before = list.len();
        list.retain(|upstream| !upstream.sender.is_closed());
        let found = list.iter().rposition(|upstream| upstream.sender.is_ready());
        let upstream = found.map(|index| list.remove(index));
        self.set_total(self.total.get() + list.len() - before);
        upstream.filter(|upstream| upstream.idle_since.elapsed() < self.limits.upstream_idle)
    }

    fn keep(&self, mut upstream: Upstream) {
        if upstream.sender.is_closed() || self.total.get() >= self.limits.max_idle_total {
            return;
        }
        let mut idle = self.idle.borrow_mut();
        let list = idle.entry(upstream.origin.clone()).or_default();
        if list.len() < self.limits.max_idle_per_origin {
            upstream.idle_since = Instant::now();
            list.push(upstream);
            self.set_total(self.total.get() + 1);
        }
    }

    /// Close what has been idle for too long and forget what has died.
    pub(crate) fn sweep(&self) {
        let now = Instant::now();
        let life = self.limits.upstream_idle;
        let mut total = 0;
        self.idle.borrow_mut().retain(|_, list| {
            list.retain(|u| !u.sender.is_closed() && now.duration_since(u.idle_since) < life);
            total += list.len();
            !list.is_empty()
        });
        self.set_total(total);
    }

    fn set_total(&self, total: usize) {
        self.total.set(total);
        self.stats.upstream_idle.set(total as u64);
    }

    /// Open a connection; `limit` covers TCP and TLS.
    pub(crate) async fn open(
        &self,
        origin: &Origin,
        limit: Duration,
    ) -> Result<Upstream, DialError> {
        let socket = match timeout(limit, self.dial(origin)).await {
            Ok(socket) => socket?,
            Err(_) => return Err((Kind::ConnectTimeout, String::new())),
        };
        self.stats.upstream_connects.up();
        let traffic = Rc::new(Traffic::default());
        let io = TokioIo::new(UpstreamIo::new(socket, traffic.clone()));
        let (sender, driver) = client_builder(&self.limits)
            .handshake(io)
            .await
            .map_err(|error| (Kind::Reset, error.to_string()))?;
        // The driver ends with the connection; its errors reach the exchange that they concern.
        tokio::task::spawn_local(async move { drop(driver.await) });
        let origin = Rc::new(origin.clone());
        Ok(Upstream { sender, traffic, origin, idle_since: Instant::now() })
    }

    async fn dial(&self, origin: &Origin) -> Result<Socket, DialError> {
        let stream = dial::tcp(origin.addr, origin.source).await?;
        let Some(tls) = &origin.tls else { return Ok(Socket::Plain(stream)) };
        let client = self.tls_client(tls.verify).map_err(|error| (Kind::Tls, error))?;
        dial::tls(stream, client, &tls.server_name).await
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

fn client_builder(limits: &Limits) -> Builder {
    let mut builder = Builder::new();
    builder
        .max_header_size(limits.max_head_bytes)
        .max_buf_size(limits.max_head_bytes.max(MIN_HEAD_BYTES))
        .max_headers(limits.max_headers)
        .preserve_header_case(limits.preserve_header_case)
        .title_case_headers(true);
    builder
}

/// A connection in use by an exchange, to be given back when both messages have ended.
pub(crate) struct Lease {
    pub(crate) pool: Rc<Pool>,
    pub(crate) upstream: Upstream,
    pub(crate) upload: Rc<Upload>,
}

impl Lease {
    /// The response has ended cleanly. If the request has not (an early response), the connection
    /// finishes on its own and is not used again.
    pub(crate) fn give_back(self) {
        if self.upload.is_over() {
            self.pool.keep(self.upstream);
        }
    }
}
