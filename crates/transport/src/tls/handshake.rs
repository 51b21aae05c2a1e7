//! The handshake with a client: its first message, the certificate for it, the facts afterwards.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::server::Acceptor;
use rustls::{CertificateError, Error, HandshakeKind, ServerConnection};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;

use super::client_auth::{self, ChainTooLong};
use super::identity::{Hello, Identity};
use super::names;
use super::server::TlsServer;
use crate::connection::{ClientCertificate, TlsInfo};
use crate::io::Socket;

/// What a connection to a TLS listener turned out to be.
pub(crate) enum Shaken {
    /// TLS.
    Secure(Box<TlsInfo>, Socket),
    /// Clear text, of which nothing was read.
    Clear(Socket),
}

/// Why a handshake with a client failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeFailure {
    /// The client took too long.
    #[error("the client took too long")]
    Timeout,
    /// The client closed the connection, or a network did.
    #[error("the connection ended")]
    Closed,
    /// Nothing that both sides speak: version, cipher suite, group, or a message that is no TLS.
    #[error("the two sides have nothing in common")]
    Incompatible,
    /// The client refused our certificate, or gave up otherwise.
    #[error("the client gave up")]
    Alert,
    /// A certificate is required, and the client has none.
    #[error("the client has no certificate")]
    NoCertificate,
    /// The client's chain is too long.
    #[error("the client's chain is too long")]
    ChainTooLong,
    /// The client's certificate was revoked.
    #[error("the client's certificate was revoked")]
    Revoked,
    /// The client's certificate leads to no authority that is trusted.
    #[error("the client's certificate is not trusted")]
    Untrusted,
    /// The client's certificate is not good yet.
    #[error("the client's certificate is not valid yet")]
    NotYetValid,
    /// The client's certificate has expired.
    #[error("the client's certificate has expired")]
    Expired,
    /// The client's certificate is not for clients.
    #[error("the client's certificate has another purpose")]
    Purpose,
    /// The client's certificate is signed by means that are not spoken.
    #[error("the client's certificate is of an unknown kind")]
    Unsupported,
    /// The client's certificate cannot be read or does not sign.
    #[error("the client's certificate is not valid")]
    Invalid,
}

/// A handshake that failed.
#[derive(Debug)]
pub struct HandshakeError {
    /// Why.
    pub failure: HandshakeFailure,
    /// The client's certificate, when it was the reason.
    pub client: Option<Box<ClientCertificate>>,
}

impl From<HandshakeFailure> for HandshakeError {
    fn from(failure: HandshakeFailure) -> HandshakeError {
        HandshakeError { failure, client: None }
    }
}

/// The first byte of a TLS record that begins a handshake.
const HANDSHAKE_RECORD: u8 = 22;

/// Shakes hands, within `limit`.
pub(crate) async fn shake(
    server: &TlsServer,
    stream: TcpStream,
    limit: Duration,
) -> Result<Shaken, HandshakeError> {
    let shaken = timeout(limit, begin(server, stream)).await;
    shaken.unwrap_or(Err(HandshakeFailure::Timeout.into()))
}

async fn begin(server: &TlsServer, stream: TcpStream) -> Result<Shaken, HandshakeError> {
    let mut first = [0];
    match stream.peek(&mut first).await {
        Ok(0) | Err(_) => return Err(HandshakeFailure::Closed.into()),
        // All methods that anyone uses begin with a capital.
        Ok(_) if first[0].is_ascii_uppercase() => return Ok(Shaken::Clear(Socket::Plain(stream))),
        Ok(_) if first[0] != HANDSHAKE_RECORD => {
            return Err(HandshakeFailure::Incompatible.into());
        }
        Ok(_) => {}
    }
    let started = Instant::now();
    let begun = LazyConfigAcceptor::new(Acceptor::default(), stream).await;
    let begun = begun.map_err(|error| failure(&error))?;
    let chosen = server.for_client(&Hello::new(begun.client_hello()));
    let (identity, config) = chosen.ok_or(HandshakeFailure::Incompatible)?;
    let stream = begun.into_stream(config).await.map_err(|error| failure(&error))?;
    let info = info(stream.get_ref().1, &identity, started.elapsed());
    Ok(Shaken::Secure(Box::new(info), Socket::Tls(Box::new(stream.into()))))
}

/// What the handler may know about a finished handshake.
fn info(session: &ServerConnection, identity: &Identity, handshake: Duration) -> TlsInfo {
    let suite = session.negotiated_cipher_suite();
    let group = session.negotiated_key_exchange_group();
    let client = session.peer_certificates().filter(|chain| !chain.is_empty());
    TlsInfo {
        version: names::version(session.protocol_version()),
        cipher: suite.map_or("-", |suite| names::suite(suite.suite())),
        group: group.map_or("-", |group| names::group(group.name())),
        sni: session.server_name().map(str::to_owned),
        alpn: match session.alpn_protocol() {
            Some(b"h2") => Some("h2"),
            Some(b"http/1.1") => Some("http/1.1"),
            _ => None,
        },
        certificate: Arc::clone(identity.label()),
        resumed: session.handshake_kind() == Some(HandshakeKind::Resumed),
        handshake,
        client: client.map(|chain| {
            let chain: Vec<_> = chain.iter().map(AsRef::as_ref).collect();
            Arc::new(ClientCertificate::read(&chain))
        }),
    }
}

/// What an error says. To be called as soon as it is there, see [`client_auth::refused`].
fn failure(error: &std::io::Error) -> HandshakeError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match inner {
        None => HandshakeFailure::Closed.into(),
        Some(Error::NoCertificatesPresented) => HandshakeFailure::NoCertificate.into(),
        Some(Error::AlertReceived(_)) => HandshakeFailure::Alert.into(),
        Some(Error::InvalidCertificate(why)) => {
            HandshakeError { failure: certificate_failure(why), client: client_auth::refused() }
        }
        Some(_) => HandshakeFailure::Incompatible.into(),
    }
}

fn certificate_failure(why: &CertificateError) -> HandshakeFailure {
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            HandshakeFailure::Expired
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            HandshakeFailure::NotYetValid
        }
        CertificateError::Revoked => HandshakeFailure::Revoked,
        CertificateError::UnknownIssuer => HandshakeFailure::Untrusted,
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            HandshakeFailure::Purpose
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            HandshakeFailure::Unsupported
        }
        CertificateError::Other(other) if other.0.is::<ChainTooLong>() => {
            HandshakeFailure::ChainTooLong
        }
        _ => HandshakeFailure::Invalid,
    }
}
