//! Targets: one listening process part stands for every address of 127.20.0.0/16, and each answer
//! says which address gave it.

use std::io;
use std::net::SocketAddr;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Starts answering on a thread of its own, until the process ends; answers the port.
pub fn start() -> Result<u16> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Only a wildcard stands for a whole block; whoever is not of this machine is turned away.
    let listener = runtime.block_on(TcpListener::bind("0.0.0.0:0"))?;
    let port = listener.local_addr()?.port();
    std::thread::Builder::new().name("origin".into()).spawn(move || {
        runtime.block_on(async {
            loop {
                match listener.accept().await {
                    Ok((stream, peer)) if peer.ip().is_loopback() => {
                        tokio::spawn(serve(stream));
                    }
                    _ => {}
                }
            }
        });
    })?;
    Ok(port)
}

/// Requests have no body, so one ends where its head does. An error is a client that has gone.
async fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let local: SocketAddr = stream.local_addr()?;
    let body = "x".repeat(100);
    let response = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Target: {}\r\nContent-Length: {}\r\n\r\n\
         {body}",
        local.ip(),
        body.len()
    );
    let (mut pending, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut chunk).await? {
            0 => return Ok(()),
            count => pending.extend_from_slice(&chunk[..count]),
        }
        while let Some(end) = pending.windows(4).position(|window| window == b"\r\n\r\n") {
            pending.drain(..end + 4);
            stream.write_all(response.as_bytes()).await?;
        }
    }
}
