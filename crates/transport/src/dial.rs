//! Opening a connection: TCP from a chosen local address, then TLS if asked for.

use std::io;
use std::net::{IpAddr, SocketAddr};

use rustls_pki_types::ServerName;
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;

use crate::io::Socket;
use crate::tls::TlsClient;
use crate::upstream::{Protocol, UpstreamErrorKind as Kind};

/// A failure to connect, and the library's words for it.
pub(crate) type DialError = (Kind, String);

/// TCP to `addr`, bound to `source` if given, without Nagle's delay.
pub(crate) async fn tcp(addr: SocketAddr, source: Option<IpAddr>) -> Result<TcpStream, DialError> {
    let connect = async || -> io::Result<TcpStream> {
        let socket = match addr {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        if let Some(source) = source {
            choose_port_late(&socket)?;
            socket.bind(SocketAddr::new(source, 0))?;
        }
        let stream = socket.connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    };
    connect().await.map_err(|error| (Kind::Connect(error.kind()), error.to_string()))
}

/// Let the port be chosen when the other end is known, so that connections to different targets
/// can share it. Otherwise an address could have no more connections than there are ports.
fn choose_port_late(socket: &TcpSocket) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    nix::sys::socket::setsockopt(socket, nix::sys::socket::sockopt::IpBindAddressNoPort, &true)?;
    #[cfg(not(target_os = "linux"))]
    let _ = socket;
    Ok(())
}

/// TLS over a connected stream, for this protocol.
pub(crate) async fn tls(
    stream: TcpStream,
    client: &TlsClient,
    server_name: &str,
    protocol: Protocol,
) -> Result<Socket, DialError> {
    let name = ServerName::try_from(server_name.to_owned())
        .map_err(|error| (Kind::Tls, format!("{server_name}: {error}")))?;
    let connector = TlsConnector::from(client.config(protocol));
    match connector.connect(name, stream).await {
        // RFC 9113, 3.2: HTTP/2 under TLS is agreed on by ALPN.
        Ok(stream)
            if protocol == Protocol::Http2 && stream.get_ref().1.alpn_protocol() != Some(b"h2") =>
        {
            Err((Kind::Tls, "the upstream does not speak HTTP/2".to_owned()))
        }
        Ok(stream) => Ok(Socket::Tls(Box::new(stream.into()))),
        Err(error) => Err((Kind::Tls, error.to_string())),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_not_taken_before_it_is_needed() {
        let socket = TcpSocket::new_v4().unwrap();
        choose_port_late(&socket).unwrap();
        socket.bind("127.0.0.9:0".parse().unwrap()).unwrap();
        assert_eq!(socket.local_addr().unwrap().port(), 0);
    }
}
