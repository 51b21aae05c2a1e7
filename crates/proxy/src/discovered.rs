//! An exchange with an instance of a Cloud Map service, behind a VPC link.

use std::time::{Duration, Instant};

use routing::Edits;
use routing::balancer::Turn;
use routing::gateway::GatewayDecision;
use routing::tables::{Member, PoolTable};
use routing::zone;
use transport::{Protocol, Request, Timeouts, UpstreamError, UpstreamResponse, UpstreamTls};

use crate::convert::Reply;
use crate::exchange::{is_over, not_connected};
use crate::measure::Ledger;
use crate::rescue::Fault;
use crate::serve::Scene;

/// To connect to an instance, if the integration's own time-out is longer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Sends a request to an instance; to another one, once, when the first refuses the connection and
/// nothing of the request is lost.
pub(crate) async fn discovered(
    scene: &Scene<'_>,
    decision: &GatewayDecision<'_>,
    pool: &PoolTable,
    request: &mut Request,
    ledger: &mut Ledger,
    until: Option<Instant>,
) -> Result<Reply, Fault> {
    let pick = |tried| zone::pick(pool, scene.now, Turn::Take, tried);
    let first = pick(None).map_err(|fault| Fault::Refused(fault.refusal))?;
    let mut member = first;
    loop {
        ledger.instance(member);
        let error = match to_member(decision, pool, member, request, until).await {
            Ok(response) => {
                zone::pick::answered(member);
                return Ok(Reply::Upstream(response, Edits::new()));
            }
            Err(error) => error,
        };
        if not_connected(&error) {
            zone::pick::refused(member, scene.now);
        }
        let again = error.retryable && not_connected(&error) && std::ptr::eq(member, first);
        match again.then(|| pick(Some(first)).ok()).flatten() {
            Some(other) => member = other,
            None => return Err(fault(error, until)),
        }
    }
}

/// A time-out is the integration's, whatever was waited for.
fn fault(error: UpstreamError, until: Option<Instant>) -> Fault {
    use transport::UpstreamErrorKind::{ConnectTimeout, HeadTimeout};
    match error.kind {
        HeadTimeout => Fault::IntegrationTimeout,
        ConnectTimeout if is_over(until) => Fault::IntegrationTimeout,
        _ => Fault::Upstream(error),
    }
}

async fn to_member(
    decision: &GatewayDecision<'_>,
    pool: &PoolTable,
    member: &Member,
    request: &mut Request,
    until: Option<Instant>,
) -> Result<UpstreamResponse, UpstreamError> {
    member.instance.live.get().requests.add(1);
    // AWS: the certificate has to be for the name that the integration gives, if it gives one.
    let tls = pool.key.tls.as_ref().map(|name| UpstreamTls {
        server_name: match name.as_str() {
            "" => member.address.ip().to_string(),
            name => name.to_owned(),
        },
        verify: true,
    });
    let origin = transport::Origin {
        addr: member.dial,
        tls,
        source: network::source_for(member.permit.as_ref().ok().copied(), member.dial),
        protocol: Protocol::Http1,
    };
    let forward = transport::Forward {
        method: decision.method,
        target: decision.target.as_deref(),
        edits: &[&decision.edits],
        timeouts: Timeouts {
            connect: CONNECT_TIMEOUT.min(decision.timeout),
            head: decision.timeout,
            until,
            ..Timeouts::default()
        },
    };
    transport::exchange(&origin, request, forward).await
}
