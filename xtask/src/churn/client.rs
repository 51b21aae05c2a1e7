//! A node that was started, and a plain HTTP/1.1 client on one kept-alive connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

/// A running node; it is told to end when this is dropped.
pub struct Started {
    /// Control API.
    pub api: SocketAddr,
    /// Front door.
    pub http: SocketAddr,
    process: Child,
}

impl Started {
    /// Starts a node with a data directory and an address book in `folder`.
    pub fn start(binary: &Path, folder: &Path, book: &[String]) -> Result<Self> {
        let config = folder.join("breezeway.toml");
        std::fs::write(&config, format!("address = {}\n", serde_json::to_string(book)?))?;
        let log = std::fs::File::create(folder.join("node.log"))?;
        let any = "127.0.0.1:0";
        let mut process = Command::new(binary)
            .args(["serve", "--output", "json", "--log", "warn", "--network", "host"])
            .args(["--api", any, "--http", any, "--https", any])
            .arg("--config")
            .arg(&config)
            .arg("--data-dir")
            .arg(folder.join("data"))
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} cannot be started", binary.display()))?;
        let output = process.stdout.take().ok_or_else(|| anyhow!("no output"))?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let ready: serde_json::Value = serde_json::from_str(&line).context("no ready line")?;
        let address = |name: &str| -> Result<SocketAddr> {
            Ok(ready[name].as_str().unwrap_or_default().parse()?)
        };
        Ok(Self { api: address("api")?, http: address("http")?, process })
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let told = Command::new("kill").arg(self.process.id().to_string()).status();
        if told.is_ok_and(|status| status.success()) {
            let _ended = self.process.wait();
        }
    }
}

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
}

/// One connection.
pub struct Client {
    address: SocketAddr,
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    /// Connects.
    pub fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self { address, stream, buffer: Vec::new() })
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
        self.stream.write_all(request.as_bytes()).context("the request cannot be sent")?;
        self.buffer.clear();
        let mut chunk = [0; 16 * 1024];
        loop {
            if let Some(answer) = read(&self.buffer)? {
                return Ok(answer);
            }
            match self.stream.read(&mut chunk).context("no response")? {
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
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = match length {
        Some(length) => length.trim().parse()?,
        None if status == 204 => 0,
        None => bail!("a response without a length: {head}"),
    };
    let body = &buffer[end + 4..];
    let whole = body.len() >= length;
    Ok(whole.then(|| Answer { status, body: String::from_utf8_lossy(&body[..length]).into() }))
}
