//! One request on a connection of its own, the answer read into memory: health checks, key sets,
//! the command line. Works on any tokio runtime; no pool, no redirects, no retries.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http_body_util::Full;
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

use crate::body::BodyError;
use crate::dial::{self, DialError};
use crate::io::Socket;
use crate::limits::{MAX_HEAD_BYTES, MAX_HEADERS};
use crate::request::parse_target;
use crate::tls::TlsClient;
use crate::upstream::{Answer, Timing, UpstreamError, UpstreamErrorKind as Kind};

/// A request to be made once.
#[derive(Clone)]
pub struct Call<'a> {
    /// Where to connect.
    pub addr: SocketAddr,
    /// The local address to connect from.
    pub source: Option<IpAddr>,
    /// TLS settings and the server name to ask for and verify.
    pub tls: Option<(&'a TlsClient, &'a str)>,
    /// The method.
    pub method: &'a str,
    /// Origin-form target.
    pub target: &'a str,
    /// Header lines. `Host` defaults to the address, `Connection: close` is added.
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
        talk(&call, socket).await
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
        Some((client, name)) => dial::tls(stream, client, name).await,
    }
}

async fn talk(call: &Call<'_>, socket: Socket) -> Result<Answer, DialError> {
    let message = message(call).map_err(|why| (Kind::Invalid(why), String::new()))?;
    let (mut sender, driver) = hyper::client::conn::http1::Builder::new()
        .max_header_size(MAX_HEAD_BYTES)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS)
        .title_case_headers(true)
        .handshake(TokioIo::new(socket))
        .await
        .map_err(|error| (Kind::Reset, error.to_string()))?;
    let exchange = async {
        let response = sender.send_request(message).await.map_err(classify)?;
        let (parts, body) = response.into_parts();
        let body = collect(body, call.max_body).await?;
        let headers = parts.headers.iter();
        let headers = headers.map(|(n, v)| (n.to_string(), Bytes::copy_from_slice(v.as_bytes())));
        Ok(Answer { status: parts.status.as_u16(), headers: headers.collect(), body })
    };
    // The driver only ends before the exchange if the connection does; the exchange then says why.
    let driver = async {
        drop(driver.await);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        outcome = exchange => outcome,
        () = driver => Err((Kind::Reset, String::new())),
    }
}

fn message(call: &Call<'_>) -> Result<http::Request<Full<Bytes>>, &'static str> {
    let method = http::Method::from_bytes(call.method.as_bytes()).map_err(|_| "method")?;
    let uri = parse_target(call.target).map_err(|error| error.0)?;
    let mut builder = http::Request::builder().method(method).uri(uri);
    for (name, value) in call.headers {
        builder = builder.header(*name, *value);
    }
    let mut message = builder.body(Full::new(call.body.clone())).map_err(|_| "header line")?;
    let headers = message.headers_mut();
    if !headers.contains_key(header::HOST) {
        let host = HeaderValue::from_str(&call.addr.to_string()).map_err(|_| "host")?;
        headers.insert(header::HOST, host);
    }
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    headers.remove(header::TRANSFER_ENCODING);
    headers.remove(header::CONTENT_LENGTH);
    if !call.body.is_empty() {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(call.body.len()));
    }
    Ok(message)
}

async fn collect(body: hyper::body::Incoming, limit: usize) -> Result<Bytes, DialError> {
    use http_body_util::{BodyExt, LengthLimitError, Limited};
    match Limited::new(body, limit).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err((Kind::Body(BodyError::TooLarge(limit)), String::new()))
        }
        Err(error) => Err((Kind::Body(BodyError::Upstream), error.to_string())),
    }
}

fn classify(error: hyper::Error) -> DialError {
    let kind = match () {
        () if error.is_parse_too_large() => Kind::HeadTooLarge,
        () if error.is_parse() => Kind::MalformedHead,
        () => Kind::Reset,
    };
    (kind, error.to_string())
}
