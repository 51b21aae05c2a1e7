//! A plain HTTP/1.1 client on one kept-alive connection.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// A request to the control API.
#[derive(Clone)]
pub struct Call {
    /// HTTP method.
    pub method: &'static str,
    /// Path.
    pub path: String,
    /// JSON, or a form for services that speak the query protocol.
    pub body: String,
}

impl Call {
    /// An operation of a service with the query protocol.
    pub fn query(version: &str, action: &str, rest: &str) -> Self {
        let body = format!("Action={action}&Version={version}{rest}");
        Self { method: "POST", path: "/".into(), body }
    }

    /// An operation of a service with JSON bodies.
    pub fn json(method: &'static str, path: String, body: &serde_json::Value) -> Self {
        Self { method, path, body: if body.is_null() { String::new() } else { body.to_string() } }
    }
}

/// A response.
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Body.
    pub body: String,
    /// The target that answered.
    pub target: Option<IpAddr>,
    /// Whether the connection ends with it.
    closes: bool,
}

/// One connection, made anew when the server said that it closes it.
pub struct Client {
    address: SocketAddr,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Client {
    /// Connects.
    pub fn connect(address: SocketAddr) -> Result<Self> {
        let mut client = Self { address, stream: None, buffer: Vec::new() };
        client.stream()?;
        Ok(client)
    }

    fn stream(&mut self) -> Result<&mut TcpStream> {
        let stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(self.address).context("no connection")?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(Duration::from_secs(60)))?;
                stream
            }
        };
        Ok(self.stream.insert(stream))
    }

    /// Makes a call that must succeed.
    pub fn call(&mut self, call: &Call) -> Result<Answer> {
        let kind = match call.path.as_str() {
            "/" => "application/x-www-form-urlencoded",
            _ => "application/json",
        };
        let Call { method, path, body } = call;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: {kind}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        let answer = self.exchange(&request)?;
        if answer.status >= 300 {
            bail!("{method} {path} {body} answers {}: {}", answer.status, answer.body);
        }
        Ok(answer)
    }

    /// A GET for a host.
    pub fn get(&mut self, host: &str, path: &str) -> Result<Answer> {
        self.exchange(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"))
    }

    fn exchange(&mut self, request: &str) -> Result<Answer> {
        self.buffer.clear();
        self.stream()?.write_all(request.as_bytes()).context("the request cannot be sent")?;
        let mut chunk = [0; 16 * 1024];
        loop {
            if let Some(answer) = read(&self.buffer)? {
                if answer.closes {
                    self.stream = None;
                }
                return Ok(answer);
            }
            match self.stream()?.read(&mut chunk).context("no response")? {
                0 => bail!("the connection was closed before a whole response"),
                count => self.buffer.extend_from_slice(&chunk[..count]),
            }
        }
    }
}

/// The response in the buffer, once it is whole. All responses here have a length.
fn read(buffer: &[u8]) -> Result<Option<Answer>> {
    let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&buffer[..end])?.to_ascii_lowercase();
    let status: u16 = head.split(' ').nth(1).unwrap_or_default().parse()?;
    let header = |name: &str| {
        let value =
            |line: &str| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim().to_owned());
        head.lines().find_map(value)
    };
    let length: usize = match header("content-length") {
        Some(length) => length.parse()?,
        None if status == 204 => 0,
        None => bail!("a response without a length: {head}"),
    };
    let body = &buffer[end + 4..];
    let Some(body) = body.get(..length) else { return Ok(None) };
    Ok(Some(Answer {
        status,
        body: String::from_utf8_lossy(body).into(),
        target: header("x-target").and_then(|target| target.parse().ok()),
        closes: header("connection").as_deref() == Some("close"),
    }))
}
