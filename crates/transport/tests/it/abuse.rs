//! Abuse of HTTP/2 and slow clients: raw frames on real sockets. Whoever floods is cut off, whoever
//! is slow is bounded in what it holds and for how long, and others are served meanwhile.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::common::*;
use crate::http2::both;
use transport::*;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

const REFUSED_STREAM: u32 = 7;
const CANCEL: u32 = 8;
const ENHANCE_YOUR_CALM: u32 = 11;

fn frame(kind: u8, flags: u8, stream: u32, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// The header block of a request: method, scheme, path and authority, without compression.
fn block(method: &str, path: &str) -> Vec<u8> {
    let mut block = vec![0x87];
    for (index, value) in [(2, method), (4, path), (1, "a.example")] {
        // A literal that is not indexed, with an indexed name.
        block.extend([index, value.len() as u8]);
        block.extend(value.as_bytes());
    }
    block
}

fn get(stream: u32, path: &str) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, block("GET", path))
}

fn post(stream: u32, path: &str) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, block("POST", path))
}

/// A client that writes frames.
struct Raw(TcpStream);

/// A frame that came: kind, stream and the payload.
#[derive(Debug)]
struct Came(u8, u32, Vec<u8>);

impl Raw {
    fn new(node: &Node, settings: &[(u16, u32)]) -> Raw {
        let stream = TcpStream::connect(node.addr).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        let mut raw = Raw(stream);
        let pairs = settings
            .iter()
            .flat_map(|(key, value)| [&key.to_be_bytes()[..], &value.to_be_bytes()[..]].concat());
        let settings: Vec<u8> = pairs.collect();
        raw.send(
            [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(SETTINGS, 0, 0, settings)].concat(),
        );
        raw
    }

    /// False once the server has closed.
    fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.0.write_all(bytes.as_ref()).is_ok()
    }

    /// The next frame; `None` at the end, also at a reset.
    fn next(&mut self) -> Option<Came> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).ok()?;
        let [_, a, b, c] = [0, head[0], head[1], head[2]];
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        self.0.read_exact(&mut payload).ok()?;
        let stream = u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]);
        Some(Came(head[3], stream, payload))
    }

    /// The next frame of this kind on this stream.
    fn until(&mut self, kind: u8, stream: u32) -> Came {
        loop {
            let came = self.next().expect("the connection lives");
            if (came.0, came.1) == (kind, stream) {
                return came;
            }
        }
    }

    /// Read to the end, which has to come.
    fn is_ended(&mut self) -> bool {
        while self.next().is_some() {}
        let mut byte = [0];
        match self.0.read(&mut byte) {
            Ok(n) => n == 0,
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}

fn reason(came: &Came) -> u32 {
    u32::from_be_bytes(came.2[came.2.len() - 4..].try_into().unwrap())
}

fn reason_of_goaway(came: &Came) -> u32 {
    u32::from_be_bytes(came.2[4..8].try_into().unwrap())
}

#[test]
fn floods_end_the_connection() {
    /// More than any client has reason to send.
    const MANY: u32 = 100_000;
    let node = node_with(Local::default(), both(), Limits::default());
    let check = |what: &str, first: Vec<u8>, next: &dyn Fn(u32) -> Vec<u8>| {
        let mut raw = Raw::new(&node, &[]);
        let mut reader = Raw(raw.0.try_clone().unwrap());
        // Answers are read, so that nobody waits for anybody.
        let reading = std::thread::spawn(move || reader.is_ended());
        raw.send(first);
        let sent = (1..MANY).take_while(|n| raw.send(next(*n))).count();
        assert!(reading.join().unwrap(), "{what}: the connection lives");
        assert!((sent as u32) < MANY - 1, "{what}: {sent} frames were taken");
        assert_eq!(node.client().get("/").text(), "hello", "{what}");
    };
    let stream = |n: u32| 2 * n + 1;
    check("rapid reset", vec![], &|n| {
        [get(stream(n), "/wait"), frame(RST_STREAM, 0, stream(n), CANCEL.to_be_bytes())].concat()
    });
    check("pings", vec![], &|_| frame(PING, 0, 0, [0; 8]));
    check("settings", vec![], &|_| frame(SETTINGS, 0, 0, [0, 4, 0, 0, 255, 255]));
    check("priorities", vec![], &|n| frame(PRIORITY, 0, stream(n), [0, 0, 0, 0, 1]));
    check("empty data", post(1, "/wait"), &|_| frame(DATA, 0, 1, []));
    check("padding", post(1, "/wait"), &|_| frame(DATA, 8, 1, [0]));
    check("small windows", get(1, "/wait"), &|_| frame(WINDOW_UPDATE, 0, 1, [0, 0, 0, 1]));
    check("unknown frames", vec![], &|_| frame(0xbe, 0, 0, []));
    let open = frame(HEADERS, END_STREAM, 1, block("GET", "/"));
    check("continuations", open.clone(), &|_| frame(CONTINUATION, 0, 1, []));
    let line = [&[0, 1, b'x', 100][..], &[b'y'; 100]].concat();
    check("large continuations", open, &|_| frame(CONTINUATION, 0, 1, line.repeat(100)));
    node.until("only the last client is left", |stats| stats.active == 0);
}

/// As real clients do that measure the way and open windows for each small message.
#[test]
fn many_small_calls_with_their_pings_and_windows_are_no_flood() {
    const CALLS: u32 = 4_000;
    let node = node_with(Local::default(), both(), Limits::default());
    let mut raw = Raw::new(&node, &[]);
    let window = frame(WINDOW_UPDATE, 0, 0, [0, 0, 0, 5]);
    for n in 0..CALLS {
        let stream = 2 * n + 1;
        let ping = frame(PING, 0, 0, [0; 8]);
        raw.send([get(stream, "/"), ping, window.clone(), window.clone()].concat());
        raw.until(DATA, stream);
    }
}

#[test]
fn windows_cannot_overflow() {
    let node = node_with(Local::default(), both(), Limits::default());
    let mut raw = Raw::new(&node, &[]);
    raw.send(frame(WINDOW_UPDATE, 0, 0, [0x7f, 255, 255, 255]));
    raw.send(frame(WINDOW_UPDATE, 0, 0, [0x7f, 255, 255, 255]));
    assert!(raw.is_ended());
    assert_eq!(node.client().get("/").text(), "hello");
}

#[test]
fn more_streams_than_allowed_are_refused_one_by_one() {
    let gate = Gate::default();
    let limits = Limits { max_streams: 4, ..Default::default() };
    let node = node_with(Local { gate: gate.clone() }, both(), limits);
    let mut raw = Raw::new(&node, &[]);
    for n in 0..4 {
        raw.send(get(2 * n + 1, "/wait"));
    }
    gate.until(4);
    // What was agreed on is known from here on.
    raw.until(SETTINGS, 0);
    raw.send(frame(SETTINGS, 1, 0, []));
    raw.send(get(9, "/wait"));
    assert_eq!(reason(&raw.until(RST_STREAM, 9)), REFUSED_STREAM);
    assert_eq!(node.client().get("/").text(), "hello");
    for n in 0..4 {
        gate.open();
        gate.until(3 - n);
    }
    raw.send(get(11, "/"));
    raw.until(DATA, 11);
}

#[test]
fn large_heads_are_refused_on_their_stream_and_bombs_end_the_connection() {
    let limits = Limits { max_head_bytes: 8 * 1024, ..Default::default() };
    let node = node_with(Local::default(), both(), limits);
    let mut raw = Raw::new(&node, &[]);
    let mut large = block("GET", "/");
    for name in b"abcdefghij" {
        // 1,000 bytes each, as a literal that is not indexed.
        large.extend([0, 1, *name, 0x7f, 0x80 | (873 & 0x7f) as u8, (873 >> 7) as u8]);
        large.extend([b'y'; 1000]);
    }
    raw.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, large));
    // 431, which HTTP/2's static table does not have.
    let Came(_, _, head) = raw.until(HEADERS, 1);
    assert_ne!(head[0], 0x88, "200");
    raw.send(get(3, "/"));
    raw.until(DATA, 3);
    // One entry of 4,000 bytes for the table of the compression, then mentioned again and again.
    let mut bomb = block("GET", "/");
    bomb.extend([0x40, 1, b'x', 0x7f]);
    bomb.extend([(3900 - 127) as u8 & 0x7f | 0x80, ((3900 - 127) >> 7) as u8]);
    bomb.extend([b'y'; 3900]);
    bomb.extend([0xbe; 200]);
    raw.send(frame(HEADERS, END_HEADERS | END_STREAM, 5, bomb));
    assert_eq!(reason_of_goaway(&raw.until(GOAWAY, 0)), ENHANCE_YOUR_CALM);
    assert!(raw.is_ended());
    assert_eq!(node.client().get("/").text(), "hello");
}

#[test]
fn a_length_that_is_not_kept_resets_the_stream() {
    let node = node_with(Local::default(), both(), Limits::default());
    let check = |said: &str, body: &[u8]| {
        let mut raw = Raw::new(&node, &[]);
        let mut head = block("POST", "/echo");
        head.extend([0x0f, 13, said.len() as u8]);
        head.extend(said.as_bytes());
        raw.send(frame(HEADERS, END_HEADERS, 1, head));
        raw.send(frame(DATA, END_STREAM, 1, body));
        raw.until(RST_STREAM, 1);
        raw.send(get(3, "/"));
        raw.until(DATA, 3);
    };
    check("3", b"four");
    check("5", b"four");
}

#[test]
fn a_client_that_opens_no_window_holds_nothing_for_long() {
    let options = ListenOptions { idle: Duration::from_millis(200), ..both() };
    let node = node_with(Local::default(), options, Limits::default());
    // SETTINGS_INITIAL_WINDOW_SIZE
    let mut raw = Raw::new(&node, &[(4, 0)]);
    raw.send(get(1, "/"));
    raw.until(HEADERS, 1);
    assert_eq!(node.client().get("/").text(), "hello");
    assert_eq!(reason(&raw.until(RST_STREAM, 1)), CANCEL);
    // The connection has nothing to do any more and is told to go away.
    raw.until(GOAWAY, 0);
    assert!(raw.is_ended());
    node.until("the connection is closed", |stats| stats.active == 0);
}

#[test]
fn slow_clients_do_not_keep_others_waiting() {
    /// Both ends of each are ours, and there may be 1,024 files.
    const CLIENTS: usize = 100;
    let options = ListenOptions { idle: Duration::from_secs(2), ..both() };
    let node = node_with(Local::default(), options, Limits::default());
    let slow: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (mut head, mut body) = (node.client(), node.client());
            head.send("GET / HTTP/1.1\r\nHost: a");
            body.send("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nx");
            let mut half = Raw::new(&node, &[]);
            half.send(frame(HEADERS, END_STREAM, 1, block("GET", "/")));
            let mut upload = Raw::new(&node, &[]);
            upload.send(post(1, "/length"));
            (head, body, half, upload)
        })
        .collect();
    node.until("all are connected", |stats| stats.active >= 4 * CLIENTS as u64);
    assert_eq!(node.client().get("/").text(), "hello");
    node.until("all are cut off", |stats| stats.active == 0);
    drop(slow);
}
