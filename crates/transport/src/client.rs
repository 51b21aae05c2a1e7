//! One request on a connection of its own, the answer read into memory: health checks, key sets,
//! the command line. Works on any tokio runtime; no pool, no redirects, no retries.

use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use edits::legal::{is_name, is_value};
use tokio::time::Instant;

use crate::arrival::{Arrival, malformed};
use crate::body::BodyError;
use crate::codec::body::Decoder;
use crate::codec::framing;
use crate::codec::head::{HeadLimits, ResponseHead};
use crate::codec::lines::{Kind as Line, write_name};
use crate::dial::{self, DialError};
use crate::http2;
use crate::io::Socket;
use crate::limits::{MAX_HEAD_BYTES, MAX_HEADERS};
use crate::request::check_start;
use crate::tls::TlsClient;
use crate::upstream::{Answer, Protocol, Timing, UpstreamError, UpstreamErrorKind as Kind};
use crate::wire::Wire;

/// A request to be made once.
#[derive(Clone)]
pub struct Call<'a> {
    /// Where to connect.
    pub addr: SocketAddr,
    /// The local address to connect from.
    pub source: Option<IpAddr>,
    /// TLS settings and the server name to ask for and verify.
    pub tls: Option<(&'a TlsClient, &'a str)>,
    /// What is spoken.
    pub protocol: Protocol,
    /// The method.
    pub method: &'a str,
    /// Origin-form target.
    pub target: &'a str,
    /// Header lines. `Host` defaults to the address; `Connection: close` is added on HTTP/1.
    pub headers: &'a [(&'a str, &'a str)],
    /// The request body; sent with its length, or not at all if empty.
    pub body: Bytes,
    /// Time for everything.
    pub timeout: Duration,
    /// Time for TCP and TLS, within `timeout`.
    pub connect_timeout: Duration,
    /// A longer response body is an error, in bytes.
    pub max_body: usize,
}

impl<'a> Call<'a> {
    /// A call on clear text with a body limit of 1 MiB and 10 s for everything.
    pub fn new(addr: SocketAddr, method: &'a str, target: &'a str) -> Call<'a> {
        Call {
            addr,
            source: None,
            tls: None,
            protocol: Protocol::Http1,
            method,
            target,
            headers: &[],
            body: Bytes::new(),
            timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(10),
            max_body: 1024 * 1024,
        }
    }
}

/// Make the call. Dropping the future closes the connection.
pub async fn once(call: Call<'_>) -> Result<Answer, UpstreamError> {
    let started = Instant::now();
    let mut connect = None;
    let failed = |(kind, detail): DialError, connect| UpstreamError {
        kind,
        detail,
        reused: false,
        retryable: false,
        timing: Timing { connect, head: started.elapsed() },
    };
    let all = async {
        let socket = match tokio::time::timeout(call.connect_timeout, open(&call)).await {
            Ok(socket) => socket?,
            Err(_) => return Err((Kind::ConnectTimeout, String::new())),
        };
        connect = Some(started.elapsed());
        match call.protocol {
            Protocol::Http1 => talk(&call, socket).await,
            Protocol::Http2 => http2::once::talk(&call, socket).await,
        }
    };
    let outcome = tokio::time::timeout(call.timeout, all).await;
    match outcome {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(failed(error, connect)),
        Err(_) if connect.is_none() => Err(failed((Kind::ConnectTimeout, String::new()), connect)),
        Err(_) => Err(failed((Kind::HeadTimeout, String::new()), connect)),
    }
}

async fn open(call: &Call<'_>) -> Result<Socket, DialError> {
    let stream = dial::tcp(call.addr, call.source).await?;
    match call.tls {
        None => Ok(Socket::Plain(stream)),
        Some((client, name)) => dial::tls(stream, client, name, call.protocol).await,
    }
}

async fn talk(call: &Call<'_>, socket: Socket) -> Result<Answer, DialError> {
    let mut wire = Wire::new(socket, BytesMut::new());
    wire.out.head = head(call).map_err(|why| (Kind::Invalid(why), String::new()))?;
    if !call.body.is_empty() {
        wire.out.piece(call.body.clone(), false, true);
    }
    let mut arrival = Arrival::new(HeadLimits::new(MAX_HEAD_BYTES, MAX_HEADERS), false);
    let head = poll_fn(|cx| {
        // Should writing fail, the server may have answered all the same.
        drop(wire.poll_flush(cx));
        arrival.poll(&mut wire, cx)
    });
    let head = head.await?;
    let body = receive(call, &head, &mut wire).await?;
    let lines = head.lines.iter();
    let headers = lines.map(|(n, v)| (n.to_owned(), Bytes::copy_from_slice(v))).collect();
    Ok(Answer { status: head.status, headers, body, trailers: Vec::new() })
}

fn head(call: &Call<'_>) -> Result<Vec<u8>, &'static str> {
    check_start(call.method, call.target)?;
    let mut out = format!("{} {} HTTP/1.1\r\n", call.method, call.target).into_bytes();
    let mut line = |name: &str, value: &str| {
        write_name(&mut out, name);
        for part in [": ", value, "\r\n"] {
            out.extend_from_slice(part.as_bytes());
        }
    };
    let mut has_host = false;
    for (name, value) in call.headers {
        if !is_name(name) || !is_value(value.as_bytes()) {
            return Err("header line");
        }
        match Line::of(&name.to_ascii_lowercase()) {
            Line::Connection | Line::ContentLength | Line::TransferEncoding => continue,
            kind => has_host |= kind == Line::Host,
        }
        line(name, value);
    }
    if !has_host {
        line("host", &call.addr.to_string());
    }
    line("connection", "close");
    if !call.body.is_empty() {
        line("content-length", &call.body.len().to_string());
    }
    out.extend_from_slice(b"\r\n");
    Ok(out)
}

async fn receive(
    call: &Call<'_>,
    head: &ResponseHead,
    wire: &mut Wire,
) -> Result<Bytes, DialError> {
    let framing = framing::response(head.version, head.status, call.method == "HEAD", &head.lines);
    let mut decoder = Decoder::new(framing.map_err(|refusal| malformed(refusal.why))?);
    let large = || Err((Kind::Body(BodyError::TooLarge(call.max_body)), String::new()));
    let cut = |why: &str| (Kind::Body(BodyError::Upstream), why.to_owned());
    if decoder.length().is_some_and(|length| length > call.max_body as u64) {
        return large();
    }
    let mut body = BytesMut::new();
    loop {
        match decoder.next(&mut wire.input).map_err(|broken| cut(broken.0))? {
            Some(data) if body.len() + data.len() > call.max_body => return large(),
            Some(data) => body.extend_from_slice(&data),
            None if decoder.is_over() => return Ok(body.freeze()),
            None => {
                let filled = poll_fn(|cx| {
                    drop(wire.poll_flush(cx));
                    wire.poll_fill_for(&decoder, cx)
                });
                match filled.await {
                    Ok(0) if !decoder.ends_here() => return Err(cut("")),
                    Ok(_) => {}
                    Err(error) => return Err(cut(&error.to_string())),
                }
            }
        }
    }
}
