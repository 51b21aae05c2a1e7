//! One client: a connection (HTTP/1.1), or a stream after the other on a shared one (HTTP/2).

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::http1::Http1;
use super::http2::Http2;
use crate::bench::case::{Protocol, Traffic};

/// What to ask of whom.
#[derive(Clone)]
pub struct Errand {
    /// Whom.
    pub address: SocketAddr,
    /// The host that requests name.
    pub host: String,
    /// What.
    pub traffic: Traffic,
    /// What signs the proxy's certificate.
    pub root: Option<CertificateDer<'static>>,
}

impl fmt::Display for Errand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.host, self.address)
    }
}

/// A byte stream.
pub trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

/// Clients on one HTTP/2 connection.
const SHARE: usize = 8;

/// A client that is connected.
pub enum Client {
    /// With a connection of its own.
    Http1(Http1),
    /// With a share in a connection.
    Http2(Http2),
}

impl Client {
    /// Connects.
    pub async fn connect(errand: &Errand) -> Result<Self> {
        let Traffic::Http { agent, body, protocol } = errand.traffic;
        let stream = TcpStream::connect(errand.address).await?;
        stream.set_nodelay(true)?;
        let lines = agent.lines();
        Ok(match protocol {
            Protocol::Http1 => Self::Http1(Http1::new(Box::new(stream), &errand.host, lines, body)),
            Protocol::Http1Tls => {
                let stream = encrypt(errand, stream, b"http/1.1").await?;
                Self::Http1(Http1::new(stream, &errand.host, lines, body))
            }
            Protocol::Http2Tls => {
                let stream = encrypt(errand, stream, b"h2").await?;
                Self::Http2(Http2::new(stream, &errand.host, lines, body).await?)
            }
        })
    }

    /// The client after `last`, which was number `count`; it shares the connection if it may.
    pub async fn next_to(last: &Self, count: usize, errand: &Errand) -> Result<Self> {
        match last {
            Self::Http2(last) if !count.is_multiple_of(SHARE) => Ok(Self::Http2(last.clone())),
            _ => Self::connect(errand).await,
        }
    }

    /// Sends a request and reads the whole response. Any but the expected one is an error.
    pub async fn request(&mut self) -> Result<()> {
        match self {
            Self::Http1(client) => client.request().await,
            Self::Http2(client) => client.request().await,
        }
    }
}

async fn encrypt(errand: &Errand, stream: TcpStream, alpn: &[u8]) -> Result<Box<dyn Stream>> {
    let mut roots = RootCertStore::empty();
    roots.add(errand.root.clone().context("no certificate to trust")?)?;
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    let name = errand.host.split(':').next().unwrap_or_default().to_owned();
    let connector = TlsConnector::from(Arc::new(config));
    Ok(Box::new(connector.connect(ServerName::try_from(name)?, stream).await?))
}
