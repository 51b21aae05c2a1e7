//! A small HTTP/1 origin on threads: reads requests, records them, answers as a test says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

/// A request as it arrived.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub line: String,
    /// Name as spelled and value, in order.
    pub headers: Vec<(String, String)>,
    /// Bytes of the body.
    pub body: usize,
    /// The connection ended before the body was whole.
    pub cut: bool,
    /// Who connected.
    pub peer: Option<SocketAddr>,
}

impl Seen {
    /// All values of a header.
    pub fn values(&self, name: &str) -> Vec<&str> {
        let same = |(n, _): &&(String, String)| n.eq_ignore_ascii_case(name);
        self.headers.iter().filter(same).map(|(_, v)| v.as_str()).collect()
    }

    /// Lower-case names, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.headers.iter().map(|(n, _)| n.to_ascii_lowercase()).collect();
        names.sort();
        names
    }
}

/// Holds answers back until it is opened.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub fn wait(&self) {
        let (open, opened) = &*self.0;
        drop(opened.wait_while(open.lock().unwrap(), |open| !*open).unwrap());
    }

    pub fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }
}

type Answer = dyn Fn(&Seen, &mut TcpStream) -> bool + Send + Sync;

/// A running origin. Stops when dropped: connections are refused from then on.
pub struct Origin {
    pub addr: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    stop: AtomicBool,
    connections: AtomicUsize,
    seen: Mutex<Vec<Seen>>,
    arrived: Condvar,
    streams: Mutex<Vec<TcpStream>>,
}

impl Origin {
    /// Answers 200 with `text` and keeps connections alive.
    pub fn text(ip: &str, text: &'static str) -> Origin {
        Origin::start(ip, move |_, out| reply(out, "200 OK", &[], text.as_bytes()))
    }

    /// Runs `answer` for each request; it returns whether the connection stays open.
    pub fn start(
        ip: &str,
        answer: impl Fn(&Seen, &mut TcpStream) -> bool + Send + Sync + 'static,
    ) -> Origin {
        let listener = TcpListener::bind((ip, 0)).unwrap();
        let addr = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
            seen: Mutex::default(),
            arrived: Condvar::new(),
            streams: Mutex::default(),
        });
        let (own, answer): (_, Arc<Answer>) = (shared.clone(), Arc::new(answer));
        let thread = std::thread::spawn(move || accept(&listener, &own, &answer));
        Origin { addr, shared, thread: Some(thread) }
    }

    /// What arrived so far, health probes not counted.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Waits until `count` requests have arrived and returns them.
    pub fn wait(&self, count: usize) -> Vec<Seen> {
        let seen = self.shared.seen.lock().unwrap();
        self.shared.arrived.wait_while(seen, |seen| seen.len() < count).unwrap().clone()
    }

    /// How many connections were made.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Stops listening and closes all connections.
    pub fn stop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.shared.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.addr);
        thread.join().unwrap();
        for stream in self.shared.streams.lock().unwrap().drain(..) {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.stop();
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>, answer: &Arc<Answer>) {
    for stream in listener.incoming() {
        if shared.stop.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        stream.set_nodelay(true).unwrap();
        shared.connections.fetch_add(1, Ordering::SeqCst);
        shared.streams.lock().unwrap().push(stream.try_clone().unwrap());
        let (shared, answer) = (shared.clone(), answer.clone());
        std::thread::spawn(move || serve(stream, &shared, &*answer));
    }
}

fn serve(mut stream: TcpStream, shared: &Shared, answer: &Answer) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(mut seen) = head(&mut reader) {
        seen.peer = stream.peer_addr().ok();
        seen.cut = body(&mut reader, &mut seen).is_none();
        if seen.values("user-agent") != ["ELB-HealthChecker/2.0"] || seen.line.contains("/seen") {
            shared.seen.lock().unwrap().push(seen.clone());
            shared.arrived.notify_all();
        }
        if seen.cut || !answer(&seen, &mut stream) {
            break;
        }
    }
    let _ = stream.shutdown(std::net::Shutdown::Both);
}

fn head(reader: &mut BufReader<TcpStream>) -> Option<Seen> {
    let mut seen = Seen { line: line(reader)?, ..Seen::default() };
    loop {
        let line = line(reader)?;
        if line.is_empty() {
            return Some(seen);
        }
        let (name, value) = line.split_once(':').unwrap();
        seen.headers.push((name.to_owned(), value.trim().to_owned()));
    }
}

fn line(reader: &mut impl BufRead) -> Option<String> {
    let mut text = String::new();
    let read = reader.read_line(&mut text).ok()?;
    (read > 0).then(|| text.trim_end().to_owned())
}

fn body(reader: &mut BufReader<TcpStream>, seen: &mut Seen) -> Option<()> {
    if seen.values("transfer-encoding") == ["chunked"] {
        loop {
            let size = usize::from_str_radix(&line(reader)?, 16).ok()?;
            skip(reader, size)?;
            line(reader)?;
            if size == 0 {
                return Some(());
            }
            seen.body += size;
        }
    }
    let length = seen.values("content-length").first().and_then(|v| v.parse().ok()).unwrap_or(0);
    skip(reader, length)?;
    seen.body = length;
    Some(())
}

fn skip(reader: &mut impl Read, size: usize) -> Option<()> {
    let copied = std::io::copy(&mut reader.take(size as u64), &mut std::io::sink()).ok()?;
    (copied == size as u64).then_some(())
}

/// Writes a response with a length; keeps the connection.
pub fn reply(out: &mut TcpStream, status: &str, headers: &[(&str, &str)], body: &[u8]) -> bool {
    let mut head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let sent = out.write_all(head.as_bytes()).and_then(|()| out.write_all(body));
    sent.is_ok()
}
