//! Questions for other servers: passed on as they are, with an id of our own.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use crate::query;
use crate::reply::{self, code};
use crate::respond::Way;
use crate::tcp;

/// How long another server may take, per try; by UDP there are two.
pub const FORWARD_TIMEOUT: Duration = Duration::from_secs(2);
/// Questions that other servers work on at once; further ones fail.
pub const FORWARDS_AT_ONCE: usize = 256;

/// Asks `upstream`; its answer is for the client, id included.
pub(crate) async fn ask(upstream: SocketAddr, message: &[u8], way: Way) -> io::Result<Vec<u8>> {
    let mut asked = message.to_vec();
    asked[..2].copy_from_slice(&fastrand::u16(..).to_be_bytes());
    let mut answer = match way {
        Way::Datagram => match timeout(FORWARD_TIMEOUT, datagram(upstream, &asked)).await {
            Ok(answer) => answer,
            Err(_elapsed) => timeout(FORWARD_TIMEOUT, datagram(upstream, &asked)).await?,
        },
        Way::Stream => timeout(FORWARD_TIMEOUT, stream(upstream, &asked)).await?,
    }?;
    answer[..2].copy_from_slice(&message[..2]);
    Ok(answer)
}

async fn datagram(upstream: SocketAddr, asked: &[u8]) -> io::Result<Vec<u8>> {
    let any = match upstream {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let socket = UdpSocket::bind(any).await?;
    // The kernel drops what others send.
    socket.connect(upstream).await?;
    socket.send(asked).await?;
    let mut answer = vec![0; usize::from(u16::MAX)];
    loop {
        let length = socket.recv(&mut answer).await?;
        if fits(asked, &answer[..length]) {
            answer.truncate(length);
            return Ok(answer);
        }
    }
}

async fn stream(upstream: SocketAddr, asked: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(upstream).await?;
    tcp::send(&mut stream, asked).await?;
    let mut answer = Vec::new();
    tcp::receive(&mut stream, &mut answer).await?;
    match fits(asked, &answer) {
        true => Ok(answer),
        false => Err(io::Error::other("the answer is to another question")),
    }
}

/// Whether an answer is one to this question: the same id, and the question in it.
fn fits(asked: &[u8], answer: &[u8]) -> bool {
    let Ok(query) = query::read(asked) else { return false };
    let question = answer.get(query::HEADER..query::HEADER + query.question.len());
    answer[..2.min(answer.len())] == asked[..2]
        && answer.get(2).is_some_and(|flags| flags & 0x80 != 0)
        && question.is_some_and(|question| question.eq_ignore_ascii_case(query.question))
}

/// The answer when the other server gives none.
pub(crate) fn failure(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    if let Ok(query) = query::read(message) {
        reply::empty(&query, 0, code::SERVER_FAILURE, &mut out);
    }
    out
}
