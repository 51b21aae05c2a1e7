//! One thread of the server: its own sockets, one task for datagrams, one for each connection.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use model::Timestamp;
use routing::Tables;
use tokio::sync::Semaphore;

use crate::forward::{self, FORWARDS_AT_ONCE};
use crate::respond::{Outcome, Way, respond};
use crate::tcp;

/// Bytes of a question by UDP; longer ones cannot be read.
const MESSAGE_BYTES: usize = 4_096;
/// Datagrams in a row before others of the thread get their turn.
const BURST: usize = 64;

/// The sockets of one thread, on one address.
#[derive(Debug)]
pub struct Sockets {
    /// For datagrams.
    pub udp: UdpSocket,
    /// For connections.
    pub tcp: TcpListener,
}

/// What all threads share.
#[derive(Debug)]
pub struct Server {
    tables: Arc<ArcSwap<Tables>>,
    /// Whom to ask for names that are not ours.
    upstream: Option<SocketAddr>,
    forwards: Semaphore,
}

impl Server {
    /// A server that answers from the newest `tables`.
    pub fn new(tables: Arc<ArcSwap<Tables>>, upstream: Option<SocketAddr>) -> Arc<Self> {
        Arc::new(Self { tables, upstream, forwards: Semaphore::new(FORWARDS_AT_ONCE) })
    }

    /// Answers on these sockets until it is dropped. Call it in a `LocalSet`.
    ///
    /// # Errors
    /// When a socket cannot be used.
    pub async fn serve(self: Arc<Self>, sockets: Sockets) -> io::Result<()> {
        sockets.udp.set_nonblocking(true)?;
        sockets.tcp.set_nonblocking(true)?;
        let udp = Rc::new(tokio::net::UdpSocket::from_std(sockets.udp)?);
        let tcp = tokio::net::TcpListener::from_std(sockets.tcp)?;
        tokio::select! {
            ended = self.datagrams(&udp) => ended,
            ended = tcp::accept(&self, tcp) => ended,
        }
    }

    async fn datagrams(self: &Arc<Self>, socket: &Rc<tokio::net::UdpSocket>) -> io::Result<()> {
        let (mut message, mut reply) = ([0; MESSAGE_BYTES], Vec::with_capacity(MESSAGE_BYTES));
        loop {
            socket.readable().await?;
            for _ in 0..BURST {
                // An error may be an earlier answer's: somebody has left.
                let Ok((length, peer)) = socket.try_recv_from(&mut message) else { break };
                let message = &message[..length];
                match self.answer(message, Way::Datagram, &mut reply) {
                    Outcome::Silence => continue,
                    Outcome::Elsewhere if self.upstream.is_some() => {
                        let (server, socket) = (Arc::clone(self), Rc::clone(socket));
                        let message = message.to_vec();
                        tokio::task::spawn_local(async move {
                            let reply = server.elsewhere(&message, Way::Datagram).await;
                            let _ = socket.send_to(&reply, peer).await;
                        });
                    }
                    // A full queue loses an answer, as the network may; clients ask again.
                    _ => drop(socket.try_send_to(&reply, peer)),
                }
            }
            tokio::task::yield_now().await;
        }
    }

    /// Answers from the tables of now.
    pub(crate) fn answer(&self, message: &[u8], way: Way, reply: &mut Vec<u8>) -> Outcome {
        let chance = (now(), fastrand::u64(..));
        respond(&self.tables.load(), message, way, chance, reply)
    }

    /// Whether others are asked for names that are not ours.
    pub(crate) fn forwards(&self) -> bool {
        self.upstream.is_some()
    }

    /// What the upstream server says; a failure of ours if it says nothing.
    pub(crate) async fn elsewhere(&self, message: &[u8], way: Way) -> Vec<u8> {
        let room = self.forwards.try_acquire();
        let answer = match (&room, self.upstream) {
            (Ok(_room), Some(upstream)) => forward::ask(upstream, message, way).await.ok(),
            _ => None,
        };
        answer.unwrap_or_else(|| forward::failure(message))
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
