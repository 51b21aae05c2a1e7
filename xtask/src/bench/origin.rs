//! The origin behind every proxy: one thread, one event loop, responses that cost it little.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;

use crate::bench::load::http1::head_end;

/// A running origin; it ends with the process.
pub struct Origin {
    address: SocketAddr,
}

impl Origin {
    /// Answers with as many bytes as the last segment of the path says, else with `size`.
    pub fn start(size: usize) -> Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new()
            .name("origin".into())
            .spawn(move || LocalSet::new().block_on(&runtime, accept(listener, size)))
            .context("no thread for the origin")?;
        Ok(Self { address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn accept(listener: std::net::TcpListener, size: usize) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    loop {
        // A connection that cannot be taken is the client's to complain about.
        if let Ok((connection, _)) = listener.accept().await {
            tokio::task::spawn_local(serve(connection, size));
        }
    }
}

/// Requests have no body, so one ends where its head does.
async fn serve(mut connection: TcpStream, size: usize) {
    let _best_effort = connection.set_nodelay(true);
    let mut response = (size, response(size));
    let mut pending = Vec::with_capacity(8192);
    while let Ok(1..) = connection.read_buf(&mut pending).await {
        while let Some(end) = head_end(&pending) {
            let wanted = wanted(&pending[..end]).unwrap_or(size);
            if wanted != response.0 {
                response = (wanted, self::response(wanted));
            }
            pending.drain(..end);
            if connection.write_all(&response.1).await.is_err() {
                return;
            }
        }
    }
}

/// The number at the end of the request's path.
fn wanted(head: &[u8]) -> Option<usize> {
    let target = head.split(|byte| *byte == b' ').nth(1)?;
    let last = target.rsplit(|byte| *byte == b'/').next()?;
    std::str::from_utf8(last).ok()?.parse().ok()
}

fn response(size: usize) -> Bytes {
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {size}\r\n\r\n");
    Bytes::from([head.as_bytes(), &vec![b'x'; size]].concat())
}
