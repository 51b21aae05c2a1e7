//! An HTTP/1.1 client that knows what it will get.

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::client::Stream;

/// A connection.
pub struct Http1 {
    stream: Box<dyn Stream>,
    request: Vec<u8>,
    body: usize,
    buffer: Vec<u8>,
}

impl Http1 {
    /// A client of a connected stream that asks for `body` bytes.
    pub fn new(stream: Box<dyn Stream>, host: &str, lines: &[(&str, &str)], body: usize) -> Self {
        let mut request = format!("GET /pets/{body} HTTP/1.1\r\nHost: {host}\r\n");
        for (name, value) in lines {
            request.extend([*name, ": ", *value, "\r\n"]);
        }
        request.push_str("\r\n");
        Self { stream, request: request.into_bytes(), body, buffer: Vec::new() }
    }

    pub(super) async fn request(&mut self) -> Result<()> {
        self.stream.write_all(&self.request).await?;
        self.buffer.clear();
        // An idle client shall be cheap, too.
        self.buffer.reserve(self.body + 1024);
        loop {
            let count = self.stream.read_buf(&mut self.buffer).await.context("no response")?;
            let seen = &self.buffer;
            match head_end(seen) {
                Some(_) if !seen.starts_with(b"HTTP/1.1 200") => {
                    bail!("it answers {}", String::from_utf8_lossy(seen));
                }
                Some(end) if seen.len() >= end + self.body => return Ok(()),
                _ if count == 0 => bail!("it closed the connection"),
                _ => {}
            }
        }
    }
}

/// Where the head ends, if it is whole.
pub fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}
