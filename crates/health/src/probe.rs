//! One probe of one target, on a new connection. Does not judge what came of it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::OnceLock;

use model::health::Cause;
use network::source_for;
use routing::balancer::health::Outcome;
use routing::tables::{Check, Probe, ProtocolVersion};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use transport::client::{Call, once};
use transport::{Answer, BodyError, Bytes, Protocol, TlsClient, UpstreamErrorKind as Kind};

/// `User-Agent` of probes. AWS: this text.
pub const USER_AGENT: &str = "ELB-HealthChecker/2.0";
/// Bytes of body that a target may answer a probe with; more fails the probe.
pub const PROBE_BODY: usize = 1024 * 1024;

/// What came of a probe, and a note for the log when the outcome does not say it all.
pub(crate) type Probed = (Outcome, Option<String>);

/// Runs a probe to its end.
pub(crate) async fn probe(check: &Check) -> Probed {
    let from = match &check.permit {
        Ok(from) => source_for(Some(*from), check.dial),
        // DEVIATION: A probe that no security group lets through counts as timed out at once; AWS
        // waits for the time-out.
        Err(refusal) => return (Outcome::Timeout, Some(refusal.to_string())),
    };
    let outcome = match check.protocol {
        Probe::Tcp => tcp(check, from).await,
        Probe::Http => http(check, from, None).await,
        // AWS: certificates of targets are not verified.
        Probe::Https => match tls_client() {
            Ok(client) => http(check, from, Some(client)).await,
            Err(error) => Outcome::Failed(error.clone()),
        },
    };
    (outcome, None)
}

fn tls_client() -> Result<&'static TlsClient, &'static String> {
    static CLIENT: OnceLock<Result<TlsClient, String>> = OnceLock::new();
    let make = || TlsClient::unverified().map_err(|error| error.to_string());
    CLIENT.get_or_init(make).as_ref()
}

/// AWS: GET on a new connection, or a unary call for gRPC; `Host` is the target's address and port;
/// redirects are not followed.
async fn http(check: &Check, from: Option<IpAddr>, tls: Option<&TlsClient>) -> Outcome {
    let name = check.address.ip().to_string();
    let grpc = check.version == ProtocolVersion::Grpc;
    let mut headers = vec![("host", check.host.as_str()), ("user-agent", USER_AGENT)];
    if grpc {
        headers.extend([("content-type", "application/grpc"), ("te", "trailers")]);
    }
    let call = Call {
        source: from,
        tls: tls.map(|client| (client, name.as_str())),
        protocol: match check.version {
            ProtocolVersion::Http1 => Protocol::Http1,
            ProtocolVersion::Http2 | ProtocolVersion::Grpc => Protocol::Http2,
        },
        headers: &headers,
        body: Bytes::from_static(if grpc { EMPTY_MESSAGE } else { b"" }),
        timeout: check.timeout,
        connect_timeout: check.timeout,
        max_body: PROBE_BODY,
        ..Call::new(check.dial, if grpc { "POST" } else { "GET" }, &check.path)
    };
    match once(call).await {
        Ok(answer) if grpc => grpc_status(&answer),
        Ok(answer) => Outcome::Status(answer.status),
        Err(error) => match error.kind {
            Kind::ConnectTimeout | Kind::HeadTimeout => Outcome::Timeout,
            Kind::Body(BodyError::UpstreamTimeout) => Outcome::Timeout,
            _ => Outcome::Failed(error.to_string()),
        },
    }
}

/// A gRPC message without a field: not compressed, of no length.
const EMPTY_MESSAGE: &[u8] = &[0; 5];

/// AWS: the gRPC status of a unary call is what counts. It comes in the trailers, or in the head of
/// an answer without a message.
fn grpc_status(answer: &Answer) -> Outcome {
    let mut lines = answer.trailers.iter().chain(&answer.headers);
    let line = lines.find(|(name, _)| name == "grpc-status");
    let status = line.and_then(|(_, value)| std::str::from_utf8(value).ok()?.parse().ok());
    status.map(Outcome::Status).unwrap_or_else(|| {
        Outcome::Failed(format!("no gRPC status, only the HTTP status {}", answer.status))
    })
}

/// A connection is a success.
async fn tcp(check: &Check, from: Option<IpAddr>) -> Outcome {
    match timeout(check.timeout, connect(check.dial, from)).await {
        Ok(Ok(_connected)) => Outcome::Connected,
        Ok(Err(error)) => Outcome::Failed(format!("cannot connect: {error}")),
        Err(_elapsed) => Outcome::Timeout,
    }
}

async fn connect(to: SocketAddr, from: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(from) = from {
        socket.bind(SocketAddr::new(from, 0))?;
    }
    socket.connect(to).await
}

/// The cause in words for the log.
pub(crate) fn words(cause: &Cause) -> String {
    match cause {
        Cause::CodeMismatch(status) => format!("Target.ResponseCodeMismatch: [{status}]"),
        Cause::Timeout => "Target.Timeout".to_owned(),
        Cause::Failed(detail) => format!("Target.FailedHealthChecks: {detail}"),
    }
}
