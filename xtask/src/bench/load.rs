//! The load: connections that each send a request, read the response, and send the next.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::subject::Subject;

/// One measured stretch of load.
pub struct Load<'a> {
    /// Whom to ask.
    pub subject: &'a Subject,
    /// Connections at once.
    pub connections: usize,
    /// Requests in all.
    pub requests: usize,
    /// Expected length of the response body.
    pub body: usize,
}

impl Load<'_> {
    /// Sends it; answers how many requests were made. Any response but the expected one fails.
    pub fn run(&self) -> Result<usize> {
        let each = self.requests.div_ceil(self.connections).max(1);
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..self.connections).map(|_| scope.spawn(|| self.connection(each))).collect();
            for thread in threads {
                match thread.join() {
                    Ok(result) => result?,
                    Err(_) => bail!("a load thread ended unexpectedly"),
                }
            }
            Ok(each * self.connections)
        })
    }

    fn connection(&self, requests: usize) -> Result<()> {
        let mut connection = TcpStream::connect(self.subject.address)?;
        connection.set_nodelay(true)?;
        connection.set_read_timeout(Some(Duration::from_secs(30)))?;
        let request = format!(
            "GET /pets/1 HTTP/1.1\r\nHost: {}\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n",
            self.subject.host
        );
        let mut buffer = vec![0; 64 * 1024];
        for _ in 0..requests {
            connection.write_all(request.as_bytes())?;
            self.response(&mut connection, &mut buffer)?;
        }
        Ok(())
    }

    fn response(&self, connection: &mut TcpStream, buffer: &mut [u8]) -> Result<()> {
        let mut filled = 0;
        loop {
            let count = connection.read(&mut buffer[filled..]).context("no whole response")?;
            filled += count;
            let seen = &buffer[..filled];
            let head = seen.windows(4).position(|window| window == b"\r\n\r\n");
            match head {
                Some(_) if !seen.starts_with(b"HTTP/1.1 200") => {
                    bail!("{} answers {}", self.subject.name, String::from_utf8_lossy(seen));
                }
                Some(end) if filled >= end + 4 + self.body => return Ok(()),
                _ if count == 0 => bail!("{} closed the connection", self.subject.name),
                _ => {}
            }
        }
    }
}
