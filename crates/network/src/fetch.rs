//! One call to a server on the public network, by name: keys and tokens of identity providers.
//!
//! Certificates are verified against the system's roots (`SSL_CERT_FILE` names others). No
//! redirects and no retries but for the addresses of a name that cannot be connected to.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use transport::client::{Call, once};
use transport::{Answer, BodyError, TlsClient, UpstreamError, UpstreamErrorKind};

use crate::Resolver;

/// Calls servers. One is enough for a process.
#[derive(Default)]
pub struct Fetcher {
    resolver: Resolver,
    tls: OnceCell<TlsClient>,
}

/// A call.
#[derive(Clone, Debug)]
pub struct Fetch<'a> {
    /// Whether to speak TLS.
    pub https: bool,
    /// Name or address.
    pub host: &'a str,
    /// The port.
    pub port: u16,
    /// The method.
    pub method: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// Header lines, `Host` included.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: Bytes,
    /// A longer answer is an error, in bytes.
    pub max_body: usize,
    /// Time for everything.
    pub timeout: Duration,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// It did not come in time.
    #[error("no answer in time")]
    Timeout,
    /// It is longer than it may be.
    #[error("the answer is too long")]
    TooLarge,
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fetcher")
    }
}

impl Fetcher {
    /// Makes a call.
    pub async fn fetch(&self, call: &Fetch<'_>) -> Result<Answer, FetchError> {
        timeout(call.timeout, self.call(call)).await.unwrap_or(Err(FetchError::Timeout))
    }

    async fn call(&self, fetch: &Fetch<'_>) -> Result<Answer, FetchError> {
        let failed = |what: &dyn std::fmt::Display| FetchError::Failed(what.to_string());
        let found = self.resolver.resolve(fetch.host, fetch.port).await;
        let addresses = found.map_err(|error| failed(&error))?;
        let tls = if fetch.https { Some(self.tls().await?) } else { None };
        let mut last = FetchError::Failed("the name has no address".to_owned());
        for addr in addresses {
            let answer = once(Call {
                tls: tls.map(|client| (client, fetch.host)),
                headers: fetch.headers,
                body: fetch.body.clone(),
                timeout: fetch.timeout,
                connect_timeout: fetch.timeout,
                max_body: fetch.max_body,
                ..Call::new(addr, fetch.method, fetch.target)
            });
            match answer.await {
                Ok(answer) => return Ok(answer),
                Err(error) if matches!(error.kind, UpstreamErrorKind::Connect(_)) => {
                    last = failed(&error);
                }
                Err(error) => return Err(read(&error)),
            }
        }
        Err(last)
    }

    /// The system's roots are many, so they are read once, and not on a thread that serves.
    async fn tls(&self) -> Result<&TlsClient, FetchError> {
        let load = async || {
            let loaded = tokio::task::spawn_blocking(|| TlsClient::verified(None)).await;
            let client = loaded.map_err(|error| FetchError::Failed(error.to_string()))?;
            client.map_err(|error| FetchError::Failed(error.to_string()))
        };
        self.tls.get_or_try_init(load).await
    }
}

fn read(error: &UpstreamError) -> FetchError {
    match error.kind {
        UpstreamErrorKind::ConnectTimeout | UpstreamErrorKind::HeadTimeout => FetchError::Timeout,
        UpstreamErrorKind::Body(BodyError::TooLarge(_)) => FetchError::TooLarge,
        _ => FetchError::Failed(error.to_string()),
    }
}
