//! Actions of rules and listeners: from the API to records and back, and what may not be. What a
//! forward action refers to is checked in `forward.rs`.
//!
//! DEVIATION: the actions 'authenticate-oidc', 'authenticate-cognito' and 'jwt-validation' are
//! refused with InvalidLoadBalancerAction, so an action list holds exactly one action.

use model::Snapshot;
use model::balancer::{Action, ActionKind, FixedResponse, LoadBalancer, Redirect};
use shapes::elbv2 as out;
use wire::Fault;

use super::{fault, forward};
use crate::Ctx;

/// What a fixed response may be.
const CONTENT_TYPES: [&str; 5] =
    ["text/html", "application/json", "application/javascript", "text/css", "text/plain"];

/// The listener that an action is for.
pub struct Place<'a> {
    /// Its load balancer.
    pub load_balancer: &'a LoadBalancer,
    /// `HTTP` or `HTTPS`.
    pub protocol: &'a str,
    /// Its port.
    pub port: u16,
}

/// Reads the actions of a request.
///
/// Errors: `InvalidLoadBalancerAction`, `TargetGroupNotFound`, `TargetGroupAssociationLimit`,
/// `IncompatibleProtocols`, `TooManyActions`, `InvalidConfigurationRequest`, `ValidationError`.
pub fn read(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    place: &Place<'_>,
    actions: Vec<out::Action>,
) -> Result<Vec<Action>, Fault> {
    if actions.is_empty() {
        return Err(Fault::validation("An action must be specified"));
    }
    if let Some(other) = actions.iter().find(|action| !is_final(&action.r#type)) {
        let message = format!("Actions of type '{}' are not supported here yet", other.r#type);
        return Err(fault::action(message));
    }
    if actions.len() > 1 {
        return Err(fault::action(
            "Exactly one action of type 'forward', 'redirect' or 'fixed-response' must be \
             specified",
        ));
    }
    let actions: Vec<Action> =
        actions.into_iter().map(|action| one(place, action)).collect::<Result<_, _>>()?;
    forward::check_groups(ctx, state, place, &actions)?;
    Ok(actions)
}

fn is_final(kind: &str) -> bool {
    matches!(kind, "forward" | "redirect" | "fixed-response")
}

fn one(place: &Place<'_>, action: out::Action) -> Result<Action, Fault> {
    let out::Action {
        r#type,
        target_group_arn,
        authenticate_oidc_config,
        authenticate_cognito_config,
        order,
        redirect_config,
        fixed_response_config,
        forward_config,
        jwt_validation_config,
    } = action;
    let stray = [
        ("AuthenticateOidcConfig", authenticate_oidc_config.is_some()),
        ("AuthenticateCognitoConfig", authenticate_cognito_config.is_some()),
        ("JwtValidationConfig", jwt_validation_config.is_some()),
        ("RedirectConfig", redirect_config.is_some() && r#type != "redirect"),
        ("FixedResponseConfig", fixed_response_config.is_some() && r#type != "fixed-response"),
        ("ForwardConfig", forward_config.is_some() && r#type != "forward"),
        ("TargetGroupArn", target_group_arn.is_some() && r#type != "forward"),
    ];
    if let Some((name, _)) = stray.into_iter().find(|(_, is_stray)| *is_stray) {
        let message = format!("'{name}' cannot be specified for actions of type '{}'", r#type);
        return Err(fault::action(message));
    }
    let missing = |name: &str| {
        fault::action(format!("A '{name}' must be specified with actions of type '{}'", r#type))
    };
    let kind = match r#type.as_str() {
        "redirect" => {
            let config = redirect_config.ok_or_else(|| missing("RedirectConfig"))?;
            ActionKind::Redirect(redirect(place, config)?)
        }
        "fixed-response" => {
            let config = fixed_response_config.ok_or_else(|| missing("FixedResponseConfig"))?;
            ActionKind::FixedResponse(fixed_response(config)?)
        }
        _ => ActionKind::Forward(forward::read(target_group_arn, forward_config)?),
    };
    Ok(Action { order: order.and_then(|order| u32::try_from(order).ok()), kind })
}

/// AWS: a component that is left out keeps that of the request; the model has checked the status
/// code, the protocol and lengths.
fn redirect(place: &Place<'_>, config: out::RedirectActionConfig) -> Result<Redirect, Fault> {
    let or = |given: Option<String>, default: &str| given.unwrap_or_else(|| default.to_owned());
    let redirect = Redirect {
        protocol: or(config.protocol, "#{protocol}"),
        host: or(config.host, "#{host}"),
        port: or(config.port, "#{port}"),
        path: or(config.path, "/#{path}"),
        query: or(config.query, "#{query}"),
        status: if config.status_code == "HTTP_301" { 301 } else { 302 },
    };
    let number = redirect.port.parse::<u16>().ok().filter(|port| *port > 0);
    if redirect.port != "#{port}" && number.is_none() {
        return Err(fault::action(format!(
            "The redirect port '{}' must be '#{{port}}' or a number between '1-65535' inclusive",
            redirect.port
        )));
    }
    if !redirect.path.starts_with('/') {
        return Err(fault::action("The redirect path must begin with a '/'"));
    }
    check_placeholders("host", &redirect.host, &["host"])?;
    check_placeholders("path", &redirect.path, &["host", "path", "port"])?;
    let all = ["protocol", "host", "port", "path", "query"];
    check_placeholders("query", &redirect.query, &all)?;
    if place.protocol == "HTTPS" && redirect.protocol == "HTTP" {
        return Err(fault::action("A redirect from HTTPS to HTTP is not allowed"));
    }
    let keeps_protocol = ["#{protocol}", place.protocol].contains(&redirect.protocol.as_str());
    let keeps_port = redirect.port == "#{port}" || number == Some(place.port);
    if keeps_protocol && keeps_port && redirect.host == "#{host}" && redirect.path == "/#{path}" {
        let message = "The redirect configuration is not valid because it creates a loop.";
        return Err(fault::action(message));
    }
    Ok(redirect)
}

/// AWS: host, path and query may hold some of the placeholders; no other `#{` may stand there.
fn check_placeholders(what: &str, text: &str, allowed: &[&str]) -> Result<(), Fault> {
    let mut pieces = text.split("#{");
    pieces.next();
    let is_allowed =
        |piece: &str| piece.split_once('}').is_some_and(|(name, _)| allowed.contains(&name));
    if pieces.all(is_allowed) {
        return Ok(());
    }
    let names: Vec<String> = allowed.iter().map(|name| format!("#{{{name}}}")).collect();
    Err(fault::action(format!(
        "The redirect {what} '{text}' can contain only the placeholders '{}'",
        names.join(", ")
    )))
}

fn fixed_response(config: out::FixedResponseActionConfig) -> Result<FixedResponse, Fault> {
    if let Some(odd) = &config.content_type
        && !CONTENT_TYPES.contains(&odd.as_str())
    {
        let names: Vec<String> = CONTENT_TYPES.iter().map(|name| format!("'{name}'")).collect();
        let message = format!("The ContentType must be one of:{}", names.join(", "));
        return Err(fault::action(message));
    }
    Ok(FixedResponse {
        status: config.status_code.parse().unwrap_or(200),
        content_type: config.content_type,
        body: config.message_body,
    })
}

/// Actions as the API shows them.
pub fn show(actions: &[Action]) -> Vec<out::Action> {
    actions.iter().map(show_one).collect()
}

fn show_one(action: &Action) -> out::Action {
    let order = action.order.map(i64::from);
    match &action.kind {
        ActionKind::Forward(forward) => out::Action {
            r#type: "forward".to_owned(),
            order,
            // AWS: a single group is shown in both forms.
            target_group_arn: match forward.groups.as_slice() {
                [single] => Some(single.group.to_string()),
                _ => None,
            },
            forward_config: Some(forward::show(forward)),
            ..Default::default()
        },
        ActionKind::Redirect(redirect) => out::Action {
            r#type: "redirect".to_owned(),
            order,
            redirect_config: Some(out::RedirectActionConfig {
                protocol: Some(redirect.protocol.clone()),
                port: Some(redirect.port.clone()),
                host: Some(redirect.host.clone()),
                path: Some(redirect.path.clone()),
                query: Some(redirect.query.clone()),
                status_code: format!("HTTP_{}", redirect.status),
            }),
            ..Default::default()
        },
        ActionKind::FixedResponse(fixed) => out::Action {
            r#type: "fixed-response".to_owned(),
            order,
            fixed_response_config: Some(out::FixedResponseActionConfig {
                message_body: fixed.body.clone(),
                status_code: fixed.status.to_string(),
                content_type: fixed.content_type.clone(),
            }),
            ..Default::default()
        },
    }
}
