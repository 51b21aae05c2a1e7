//! The origin behind every proxy: a thread per connection, one fixed response.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use anyhow::Result;

/// A running origin; it ends with the process.
pub struct Origin {
    address: SocketAddr,
}

impl Origin {
    /// Answers every request with `size` bytes.
    pub fn start(size: usize) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {size}\r\n\r\n"
        );
        let response = [head.as_bytes(), &vec![b'x'; size]].concat();
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let response = response.clone();
                std::thread::spawn(move || serve(connection, &response));
            }
        });
        Ok(Self { address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Requests have no body, so one ends where its head does.
fn serve(mut connection: TcpStream, response: &[u8]) {
    let _best_effort = connection.set_nodelay(true);
    let mut pending = Vec::new();
    let mut buffer = [0; 8192];
    while let Ok(count @ 1..) = connection.read(&mut buffer) {
        pending.extend_from_slice(&buffer[..count]);
        while let Some(end) = pending.windows(4).position(|window| window == b"\r\n\r\n") {
            pending.drain(..end + 4);
            if connection.write_all(response).is_err() {
                return;
            }
        }
    }
}
