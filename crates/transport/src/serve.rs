//! From an accepted socket to the loop that serves it: accept loop, TLS handshake, choice of the
//! protocol. Everything about HTTP messages is elsewhere.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use bytes::{Bytes, BytesMut};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use crate::codec::head::HeadLimits;
use crate::connection::{Connection, ListenerKey};
use crate::io::{ClientIo, Socket};
use crate::limits::ListenOptions;
use crate::tls::{HandshakeError, Shaken, TlsServer, shake};
use crate::wire::Wire;
use crate::worker::{Active, Listening, Registered, Worker};
use crate::workers::Handler;
use crate::{http1, http2};

/// A listener's options in the form in which connections use them; cheap to clone.
#[derive(Clone)]
pub(crate) struct Settings {
    options: Arc<ListenOptions>,
    tls: Option<TlsServer>,
}

impl Settings {
    pub(crate) fn new(options: ListenOptions) -> Settings {
        let tls = options.tls.as_ref().map(|tls| tls.with_protocols(options.http2));
        Settings { options: Arc::new(options), tls }
    }
}

/// Accept on this worker from now on.
pub(crate) fn listen<H: Handler>(
    worker: &Rc<Worker>,
    key: ListenerKey,
    socket: std::net::TcpListener,
    settings: Arc<ArcSwap<Settings>>,
    handler: Arc<H>,
) {
    let socket = match TcpListener::from_std(socket) {
        Ok(socket) => socket,
        Err(error) => {
            tracing::error!(listener = %key, %error, "cannot listen");
            return;
        }
    };
    let listening = Rc::new(Listening { key, settings, stop: Notify::new(), task: None.into() });
    worker.add_listener(listening.clone());
    let accepting = accept(worker.clone(), listening.clone(), socket, handler);
    listening.task.set(Some(tokio::task::spawn_local(accepting)));
}

/// How long to wait when the machine has no more descriptors for us.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

async fn accept<H: Handler>(
    worker: Rc<Worker>,
    listening: Rc<Listening>,
    socket: TcpListener,
    handler: Arc<H>,
) {
    let take = async {
        loop {
            while worker.is_full() {
                worker.room.notified().await;
            }
            match socket.accept().await {
                Ok((stream, peer)) => admit(&worker, &listening, &handler, stream, peer),
                Err(error) if is_about_the_peer(&error) => {}
                Err(error) => {
                    tracing::warn!(listener = %listening.key, %error, "cannot accept");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    };
    tokio::select! {
        biased;
        () = listening.stop.notified() => {}
        () = take => {}
    }
}

fn is_about_the_peer(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

fn admit<H: Handler>(
    worker: &Rc<Worker>,
    listening: &Listening,
    handler: &Arc<H>,
    stream: TcpStream,
    peer: SocketAddr,
) {
    // Either fails only if the peer is already gone.
    let (Ok(local), Ok(())) = (stream.local_addr(), stream.set_nodelay(true)) else { return };
    let settings = Settings::clone(&listening.settings.load());
    if settings.options.accept.as_ref().is_some_and(|accept| !accept(peer, local)) {
        worker.stats.refused.up();
        return;
    }
    let (listener, opened) = (listening.key.clone(), SystemTime::now());
    let misdirected = false;
    let connection = Connection { peer, local, tls: None, misdirected, listener, opened };
    let active = worker.enter(settings.options.open.clone());
    let greeting = greet(worker.clone(), settings, handler.clone(), stream, connection, active);
    tokio::task::spawn_local(greeting);
}

/// Handshake, find the protocol, serve.
async fn greet<H: Handler>(
    worker: Rc<Worker>,
    settings: Settings,
    handler: Arc<H>,
    mut stream: TcpStream,
    mut connection: Connection,
    _active: Active,
) {
    let options = &*settings.options;
    if settings.tls.is_none() {
        observe(options, &connection, Ok(()));
    }
    let mut prefix = Bytes::new();
    let (socket, http2) = match &settings.tls {
        Some(tls) => {
            // In a box, as HTTP/2 below: what is over, or not spoken, shall take no room.
            let shaken = Box::pin(shake(tls, stream, worker.limits.tls_handshake)).await;
            let settled = settle(&worker, options, &mut connection, shaken);
            let Some(socket) = settled else { return };
            let http2 = connection.tls.as_ref().is_some_and(|info| info.alpn == Some("h2"));
            (socket, http2)
        }
        None if options.http2 => {
            let Ok(start) = timeout(options.idle, first_bytes(&mut stream)).await else { return };
            let http2 = start == PREFACE_START;
            prefix = start;
            (Socket::Plain(stream), http2)
        }
        None => (Socket::Plain(stream), false),
    };
    let idle = http2.then_some(options.idle);
    let watch = worker.register(connection.listener.clone(), idle, options.max_age);
    let watch = Rc::new(watch);
    let limits = HeadLimits::new(worker.limits.max_head_bytes, worker.limits.max_headers);
    let serving = Serving { watch, handler, connection, idle: options.idle, limits };
    if http2 {
        let io = ClientIo::new(socket, prefix, options.idle);
        Box::pin(http2::server::serve(io, Rc::new(serving), &worker.limits)).await;
    } else {
        http1::serve(Wire::new(socket, BytesMut::from(&prefix[..])), &serving).await;
    }
}

/// Tells how a handshake ended; the socket, if the connection goes on.
fn settle(
    worker: &Worker,
    options: &ListenOptions,
    connection: &mut Connection,
    shaken: Result<Shaken, HandshakeError>,
) -> Option<Socket> {
    let (socket, ended) = match shaken {
        Ok(Shaken::Secure(info, socket)) => {
            connection.tls = Some(info);
            (Some(socket), Ok(()))
        }
        // Whoever answers tells the client of its mistake.
        Ok(Shaken::Clear(socket)) => {
            connection.misdirected = true;
            (Some(socket), Ok(()))
        }
        Err(error) => {
            worker.stats.tls_failures.up();
            tracing::debug!(peer = %connection.peer, failure = %error.failure, "no TLS");
            (None, Err(error))
        }
    };
    observe(options, connection, ended.as_ref().map(|_| ()));
    socket
}

fn observe(options: &ListenOptions, connection: &Connection, ended: Result<(), &HandshakeError>) {
    if let Some(observer) = &options.greeted {
        observer(connection, ended);
    }
}

/// No other request begins with these bytes: the method is reserved (RFC 9113, 3.4).
const PREFACE_START: &[u8] = b"PRI ";

/// Read just enough to tell HTTP/2 with prior knowledge from HTTP/1.
async fn first_bytes(stream: &mut TcpStream) -> Bytes {
    let mut start = [0; PREFACE_START.len()];
    let mut filled = 0;
    while filled < start.len() && start[..filled] == PREFACE_START[..filled] {
        match stream.read(&mut start[filled..]).await {
            Ok(0) | Err(_) => break,
            Ok(n) => filled += n,
        }
    }
    Bytes::copy_from_slice(&start[..filled])
}

/// All that a request needs to know about its connection.
pub(crate) struct Serving<H> {
    pub(crate) watch: Rc<Registered>,
    pub(crate) handler: Arc<H>,
    pub(crate) connection: Connection,
    pub(crate) idle: Duration,
    pub(crate) limits: HeadLimits,
}
