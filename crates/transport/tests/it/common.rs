//! Raw clients, raw origins and two handlers for the tests. Nothing is checked here.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use transport::*;

/// Nothing in a test takes this long unless it hangs.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A listener on one worker.
pub struct Node {
    pub workers: Workers,
    pub addr: SocketAddr,
    pub key: ListenerKey,
}

pub fn node<H: Handler>(handler: H) -> Node {
    node_with(handler, ListenOptions::default(), Limits::default())
}

pub fn node_with<H: Handler>(handler: H, options: ListenOptions, limits: Limits) -> Node {
    let workers = Workers::start(1, limits).unwrap();
    let sockets = bind("127.0.0.1:0".parse().unwrap(), 1).unwrap();
    let addr = sockets[0].local_addr().unwrap();
    let key = ListenerKey::from("test");
    workers.listen(key.clone(), sockets, options, Arc::new(handler)).unwrap();
    Node { workers, addr, key }
}

impl Node {
    pub fn client(&self) -> Client {
        Client::connect(self.addr)
    }

    /// Wait until the counters say so.
    pub fn until(&self, what: &str, reached: impl Fn(Stats) -> bool) {
        let started = std::time::Instant::now();
        while !reached(self.workers.stats()) {
            assert!(started.elapsed() < PATIENCE, "never: {what}: {:?}", self.workers.stats());
            std::thread::yield_now();
        }
    }
}

/// A client that speaks bytes.
pub struct Client {
    pub stream: BufReader<TcpStream>,
}

/// What a client got.
#[derive(Debug)]
pub struct Reply {
    pub status_line: String,
    pub lines: Vec<String>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn status(&self) -> u16 {
        self.status_line.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| {
            let (n, value) = line.split_once(':')?;
            n.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

impl Client {
    pub fn connect(addr: SocketAddr) -> Client {
        let stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Client { stream: BufReader::new(stream) }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Client {
        self.stream.get_mut().write_all(bytes.as_ref()).unwrap();
        self
    }

    /// The server may have closed already, having refused what came first.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Client {
        drop(self.stream.get_mut().write_all(bytes.as_ref()));
        self
    }

    pub fn get(&mut self, path: &str) -> Reply {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: a.example\r\n\r\n")).reply()
    }

    /// Status line and header lines.
    pub fn head(&mut self) -> Option<Reply> {
        let head = read_head(&mut self.stream)?;
        let mut lines = head.split("\r\n").map(str::to_owned);
        let status_line = lines.next().unwrap();
        Some(Reply { status_line, lines: lines.collect(), body: Vec::new() })
    }

    pub fn reply(&mut self) -> Reply {
        let mut reply = self.head().expect("a response");
        reply.body = read_body(&mut self.stream, &reply.lines, true).expect("a whole body");
        reply
    }

    /// The response to a HEAD request, or any without a body.
    pub fn reply_without_body(&mut self) -> Reply {
        self.head().expect("a response")
    }

    /// True once the server closed, cleanly or not, without another byte.
    pub fn is_closed(&mut self) -> bool {
        let mut byte = [0];
        match self.stream.read(&mut byte) {
            Ok(n) => n == 0,
            Err(error) => !matches!(
                error.kind(),
                std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
            ),
        }
    }
}

/// Everything before the blank line; `None` if the peer closed first.
pub fn read_head(stream: &mut impl BufRead) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_until(b'\n', &mut head) {
            Ok(n) if n > 0 => {}
            _ => return None,
        }
    }
    head.truncate(head.len() - 4);
    Some(String::from_utf8_lossy(&head).into_owned())
}

fn line<'a>(lines: &'a [String], name: &str) -> Option<&'a str> {
    lines.iter().find_map(|line| {
        let (n, value) = line.split_once(':')?;
        n.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// A body by its framing; `None` if it was cut.
pub fn read_body(stream: &mut impl BufRead, lines: &[String], response: bool) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    if line(lines, "transfer-encoding").is_some() {
        loop {
            let mut size = String::new();
            stream.read_line(&mut size).ok().filter(|n| *n > 0)?;
            let size = usize::from_str_radix(size.trim(), 16).unwrap();
            if size == 0 {
                let mut trailer = String::new();
                while trailer != "\r\n" {
                    trailer.clear();
                    stream.read_line(&mut trailer).ok().filter(|n| *n > 0)?;
                }
                return Some(body);
            }
            let mut chunk = vec![0; size + 2];
            stream.read_exact(&mut chunk).ok()?;
            assert_eq!(&chunk[size..], b"\r\n");
            body.extend_from_slice(&chunk[..size]);
        }
    } else if let Some(length) = line(lines, "content-length") {
        body.resize(length.parse().unwrap(), 0);
        stream.read_exact(&mut body).ok()?;
    } else if response && line(lines, "connection") == Some("close") {
        stream.read_to_end(&mut body).ok()?;
    }
    Some(body)
}

/// A request as an origin saw it.
#[derive(Debug)]
pub struct Seen {
    pub head: String,
    pub body: Vec<u8>,
    /// Which of the origin's connections it came on, from 0.
    pub connection: usize,
}

impl Seen {
    pub fn has(&self, line: &str) -> bool {
        self.head.split("\r\n").any(|l| l == line)
    }

    pub fn count(&self, name: &str) -> usize {
        let prefix = format!("{}:", name.to_ascii_lowercase());
        self.head.split("\r\n").filter(|l| l.to_ascii_lowercase().starts_with(&prefix)).count()
    }
}

/// One connection in the hands of an origin's script.
pub struct Conn {
    pub stream: BufReader<TcpStream>,
    pub number: usize,
    pub seen: Sender<Seen>,
}

impl Conn {
    /// Read a request and report it; `None` when the proxy closed.
    pub fn request(&mut self) -> Option<()> {
        let head = read_head(&mut self.stream)?;
        let lines: Vec<_> = head.split("\r\n").skip(1).map(str::to_owned).collect();
        let body = read_body(&mut self.stream, &lines, false)?;
        drop(self.seen.send(Seen { head, body, connection: self.number }));
        Some(())
    }

    pub fn head_only(&mut self) -> Option<String> {
        read_head(&mut self.stream)
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.get_mut().write_all(bytes.as_ref()).is_ok()
    }

    /// Wait until the proxy gives this connection up.
    pub fn wait_closed(&mut self) {
        let mut sink = [0; 4096];
        while matches!(self.stream.read(&mut sink), Ok(n) if n > 0) {}
    }

    /// Close with a reset instead of a FIN.
    pub fn reset(self) {
        let socket = socket2::SockRef::from(self.stream.get_ref());
        socket.set_linger(Some(Duration::ZERO)).unwrap();
    }
}

pub struct OriginServer {
    pub addr: SocketAddr,
    pub seen: Receiver<Seen>,
}

impl OriginServer {
    pub fn next(&self) -> Seen {
        self.seen.recv_timeout(PATIENCE).expect("a request at the origin")
    }
}

/// An origin that runs `script` for each connection, each on a thread of its own.
pub fn origin(script: impl Fn(Conn) + Send + Sync + 'static) -> OriginServer {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let (seen, receiver) = channel();
    let script = Arc::new(script);
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let stream = stream.unwrap();
            stream.set_nodelay(true).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let conn = Conn { stream: BufReader::new(stream), number, seen: seen.clone() };
            let script = script.clone();
            std::thread::spawn(move || script(conn));
        }
    });
    OriginServer { addr, seen: receiver }
}

/// An origin that answers every request with these bytes and keeps the connection.
pub fn canned(response: impl Into<Vec<u8>>) -> OriginServer {
    let response = response.into();
    origin(move |mut conn| {
        while conn.request().is_some() {
            if !conn.send(&response) {
                return;
            }
        }
    })
}

pub const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Sends everything to one origin; tells failures by header lines.
pub struct Proxy {
    pub origin: Origin,
    pub timeouts: Timeouts,
    pub edits: Edits,
    pub done: Option<Sender<Done>>,
    pub websocket: bool,
}

impl Proxy {
    pub fn to(addr: SocketAddr) -> Proxy {
        Proxy {
            origin: Origin::plain(addr),
            timeouts: Timeouts { head: PATIENCE, idle: PATIENCE, ..Timeouts::default() },
            edits: Edits::new(),
            done: None,
            websocket: false,
        }
    }
}

impl Handler for Proxy {
    async fn handle(&self, mut request: Request, _: &Connection) -> Response {
        if self.websocket {
            request.allow_websocket();
        }
        let (timeouts, edits) = (self.timeouts, &[&self.edits][..]);
        let forward = Forward { method: None, target: None, edits, timeouts };
        let mut edits = Edits::new();
        let response = match exchange(&self.origin, &mut request, forward).await {
            Ok(upstream) => {
                edits.set("x-reused", upstream.timing.connect.is_none().to_string());
                Response::upstream(upstream, &edits)
            }
            Err(error) => {
                edits.set("x-kind", format!("{:?}", error.kind));
                edits.set("x-retryable", error.retryable.to_string());
                edits.set("x-reused", error.reused.to_string());
                Response::full(502, &edits, "bad gateway")
            }
        };
        match self.done.clone() {
            Some(done) => response.on_done(move |report| done.send(report).unwrap_or_default()),
            None => response,
        }
    }
}

/// Answers by itself, by path.
#[derive(Default)]
pub struct Local {
    pub gate: Gate,
}

/// Lets a handler wait until the test says so, and the test know that it waits.
#[derive(Clone, Default)]
pub struct Gate {
    open: Arc<tokio::sync::Notify>,
    waiting: Arc<Mutex<usize>>,
}

impl Gate {
    pub fn open(&self) {
        self.open.notify_one();
    }

    pub async fn pass(&self) {
        let waiting = Waiting::enter(self.waiting.clone());
        self.open.notified().await;
        drop(waiting);
    }

    /// Wait until so many handlers wait here.
    pub fn until(&self, count: usize) {
        let started = std::time::Instant::now();
        while *self.waiting.lock().unwrap() != count {
            assert!(started.elapsed() < PATIENCE, "never {count} handlers at the gate");
            std::thread::yield_now();
        }
    }
}

struct Waiting(Arc<Mutex<usize>>);

impl Waiting {
    fn enter(count: Arc<Mutex<usize>>) -> Waiting {
        *count.lock().unwrap() += 1;
        Waiting(count)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        *self.0.lock().unwrap() -= 1;
    }
}

impl Handler for Local {
    async fn handle(&self, mut request: Request, connection: &Connection) -> Response {
        let mut edits = Edits::new();
        let path = request.head().path().to_owned();
        match path.as_str() {
            "/204" => Response::full(204, &edits, "never sent"),
            "/304" => Response::full(304, edits.set("etag", "\"1\""), "never sent"),
            "/464" => Response::full(464, &edits, ""),
            "/reason" => Response::full(408, &edits, "").with_reason("Request Time-out"),
            "/close" => Response::full(200, &edits, "bye").close(),
            "/wait" => {
                self.gate.pass().await;
                Response::full(200, &edits, "waited")
            }
            "/echo" => Response::stream(200, &edits, request.take_body()),
            "/length" => match request.take_body().collect(16 << 20).await {
                Ok(body) => Response::full(200, &edits, body.len().to_string()),
                Err(error) => Response::full(413, &edits, error.to_string()).close(),
            },
            "/head" => {
                let head = request.head();
                let mut text = format!(
                    "{} {} {:?} {:?} {}\n",
                    head.method(),
                    head.target(),
                    head.authority(),
                    head.host(),
                    head.version().as_str(),
                );
                for (name, value) in head.headers() {
                    text += &format!("{name}: {}\n", String::from_utf8_lossy(value));
                }
                Response::full(200, &edits, text)
            }
            "/tls" => Response::full(200, &edits, format!("{:?}", connection.tls)),
            _ => Response::full(200, edits.set("content-type", "text/plain"), "hello"),
        }
    }
}
