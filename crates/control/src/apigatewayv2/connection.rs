//! What an integration connects to: a URL, or through a VPC link the listener of a load balancer or
//! the instances of a Cloud Map service.

use model::gateway::Integration;
use model::{ListenerArn, Snapshot, VpcLinkId, arn};
use wire::Fault;

use super::{check, find};
use crate::{Ctx, servicediscovery};

/// The link of an integration after a change of `connectionType` and `connectionId`.
pub(super) fn link(
    record: &Integration,
    kind: Option<String>,
    id: Option<String>,
) -> Result<Option<VpcLinkId>, Fault> {
    let id = check::text(id, 1024, "connectionId")?.map(VpcLinkId::from);
    let kind = kind.unwrap_or_else(|| match record.link {
        Some(_) => "VPC_LINK".to_owned(),
        None => "INTERNET".to_owned(),
    });
    check::one_of(&kind, &["INTERNET", "VPC_LINK"], "connection type")?;
    match (kind.as_str(), id) {
        ("VPC_LINK", id) => id.or_else(|| record.link.clone()).map(Some).ok_or_else(|| {
            let message = "ConnectionId must be set to vpcLinkId for ConnectionType VPC_LINK";
            Fault::bad_request(message)
        }),
        (_, None) => Ok(None),
        (_, Some(_)) => {
            let message = "ConnectionId can only be set for ConnectionType VPC_LINK";
            Err(Fault::bad_request(message))
        }
    }
}

/// Checks that what an HTTP proxy integration connects to can be reached by name.
///
/// Errors: a URI of the wrong kind; a link (404) or listener that does not exist.
pub(super) fn check(ctx: &Ctx<'_>, state: &Snapshot, record: &Integration) -> Result<(), Fault> {
    let uri = record.uri.as_deref().unwrap_or("");
    let Some(link) = &record.link else { return check_url(uri) };
    let invalid = || {
        Fault::bad_request(
            "For VpcLink VPC_LINK, integration uri should be a valid ELB listener ARN or a valid \
             Cloud Map service ARN.",
        )
    };
    let target = private_target(uri).ok_or_else(invalid)?;
    find::vpc_link(ctx, state, Some(&link.to_string()))?;
    match target {
        // AWS: API, link and service belong to one account.
        Target::Service(arn) => {
            servicediscovery::find::service(ctx, state, arn).map_err(|_none| invalid())?;
            Ok(())
        }
        Target::Listener => listener_exists(ctx, state, uri),
    }
}

/// Checks the URL of a public integration. Stage variables may stand for any part of it.
///
/// AWS: path variables may stand in the path. In the host they would let clients choose it, so
/// they are refused there.
pub(super) fn check_url(url: &str) -> Result<(), Fault> {
    let is_clean = !url.contains(|c: char| c.is_whitespace() || c.is_control());
    // A variable stands for some text: what is left must be a URL with any such text in it.
    let filled = without_variables(url).filter(|_| is_clean);
    let is_url = filled.is_some_and(|url| {
        let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
        let authority = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or(""));
        url.starts_with(VARIABLE) || authority.is_some_and(is_authority_or_variable)
    });
    match is_url {
        true => Ok(()),
        false => Err(Fault::bad_request("Invalid HTTP endpoint specified for URI")),
    }
}

/// What stands for a stage variable while a URL is checked: no URL has it.
const VARIABLE: char = '\u{1}';

/// The URL with `VARIABLE` for each stage variable; nothing when one is not closed.
fn without_variables(url: &str) -> Option<String> {
    let (mut filled, mut rest) = (String::new(), url);
    while let Some((before, after)) = rest.split_once("${stageVariables.") {
        let (name, tail) = after.split_once('}')?;
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return None;
        }
        filled.push_str(before);
        filled.push(VARIABLE);
        rest = tail;
    }
    Some(filled + rest)
}

fn is_authority_or_variable(authority: &str) -> bool {
    match authority.contains(VARIABLE) {
        true => !authority.contains(['{', '@']),
        false => check::is_authority(authority),
    }
}

enum Target<'a> {
    Listener,
    /// With the ARN, without its query.
    Service(&'a str),
}

/// AWS: the ARN of a listener or of a Cloud Map service, the latter maybe with a query.
fn private_target(uri: &str) -> Option<Target<'_>> {
    let (path, query) = uri.split_once('?').map_or((uri, None), |(path, q)| (path, Some(q)));
    let arn = arn::parse(path)?;
    let parts: Vec<&str> = arn.resource.split('/').collect();
    let filled = parts.iter().all(|part| !part.is_empty());
    match (arn.service, parts.as_slice()) {
        ("elasticloadbalancing", ["listener", "app" | "net", _, _, _])
            if filled && query.is_none() =>
        {
            Some(Target::Listener)
        }
        ("servicediscovery", ["service", _]) if filled => Some(Target::Service(path)),
        _ => None,
    }
}

/// AWS resolves the listener when the integration is written. It may be in any VPC: whether the
/// link reaches it is decided with each request.
fn listener_exists(ctx: &Ctx<'_>, state: &Snapshot, uri: &str) -> Result<(), Fault> {
    let listener = ListenerArn::from(uri);
    let balancer = listener
        .load_balancer()
        .filter(|arn| state.listeners.contains(&(arn.clone(), listener.clone())))
        .and_then(|arn| state.load_balancers.get(&arn))
        .filter(|balancer| balancer.scope == ctx.scope);
    match balancer {
        Some(_) => Ok(()),
        None => Err(Fault::bad_request(
            "Unable to retrieve listener port and load balancer DNS name from ELB listener",
        )),
    }
}
