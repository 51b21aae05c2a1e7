//! Questions by TCP: each message after its length, one answered after the other.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::respond::{Outcome, Way};
use crate::serve::Server;

/// Connections per thread; more wait to be accepted.
pub const CONNECTIONS: usize = 256;
/// How long a connection may be silent, or take for a message.
pub const IDLE: Duration = Duration::from_secs(10);

/// How long to wait when the client has left already, or the machine has no more descriptors for
/// us: nothing tells when it has.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// Accepts and serves connections.
pub(crate) async fn accept(server: &Arc<Server>, listener: TcpListener) -> io::Result<()> {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return Ok(()) };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(_) => {
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let server = Arc::clone(server);
        tokio::task::spawn_local(async move {
            // However it ends, there is nobody to tell.
            let _ended = serve(&server, stream).await;
            drop(place);
        });
    }
}

async fn serve(server: &Server, mut stream: TcpStream) -> io::Result<()> {
    let (mut message, mut reply) = (Vec::new(), Vec::new());
    loop {
        timeout(IDLE, receive(&mut stream, &mut message)).await??;
        match server.answer(&message, Way::Stream, &mut reply) {
            Outcome::Silence => return Ok(()),
            Outcome::Elsewhere if server.forwards() => {
                reply = server.elsewhere(&message, Way::Stream).await;
            }
            _ => {}
        }
        timeout(IDLE, send(&mut stream, &reply)).await??;
    }
}

/// Reads one message.
pub(crate) async fn receive(stream: &mut TcpStream, message: &mut Vec<u8>) -> io::Result<()> {
    let length = stream.read_u16().await?;
    message.resize(usize::from(length), 0);
    stream.read_exact(message).await?;
    Ok(())
}

/// Writes one message.
pub(crate) async fn send(stream: &mut TcpStream, message: &[u8]) -> io::Result<()> {
    let length = u16::try_from(message.len()).map_err(io::Error::other)?;
    let mut bytes = Vec::with_capacity(message.len() + 2);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(message);
    stream.write_all(&bytes).await
}
