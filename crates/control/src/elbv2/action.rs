//! Actions of rules and listeners: from the API to records and back, and what may not be. What a
//! forward action refers to is checked in `forward.rs`, how clients log in in `authenticate.rs`,
//! which tokens are good in `jwt_validation.rs`.

use model::Snapshot;
use model::balancer::{Action, ActionKind, FixedResponse, LoadBalancer, Redirect};
use model::limits::ACTIONS_PER_RULE;
use shapes::elbv2 as out;
use wire::Fault;

use super::{authenticate, fault, forward, jwt_validation};
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

/// Reads the actions of a request. `before` are those that they replace: a client secret may be
/// taken over from there.
///
/// Errors: `InvalidLoadBalancerAction`, `TargetGroupNotFound`, `TargetGroupAssociationLimit`,
/// `IncompatibleProtocols`, `TooManyActions`, `InvalidConfigurationRequest`, `ValidationError`.
pub fn read(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    place: &Place<'_>,
    before: &[Action],
    actions: Vec<out::Action>,
) -> Result<Vec<Action>, Fault> {
    if actions.is_empty() {
        return Err(Fault::validation("An action must be specified"));
    }
    if actions.len() > ACTIONS_PER_RULE {
        let message = format!("A rule can have at most '{ACTIONS_PER_RULE}' actions");
        return Err(fault::of("TooManyActions", message));
    }
    let one = |action| one(place, before, action);
    let actions: Vec<Action> = actions.into_iter().map(one).collect::<Result<_, _>>()?;
    check_chain(&actions)?;
    check_place(place, &actions)?;
    forward::check_groups(ctx, state, place, &actions)?;
    Ok(actions)
}

/// AWS: exactly one action forwards, redirects or answers, and its order is the highest.
fn check_chain(actions: &[Action]) -> Result<(), Fault> {
    if actions.iter().filter(|action| action.kind.is_final()).count() != 1 {
        return Err(fault::action(
            "Exactly one action of type 'forward', 'redirect' or 'fixed-response' must be \
             specified",
        ));
    }
    if actions.len() == 1 {
        return Ok(());
    }
    let orders: Option<Vec<u32>> = actions.iter().map(|action| action.order).collect();
    let Some(mut orders) = orders else {
        return Err(fault::action("An order must be specified for each of several actions"));
    };
    let highest = orders.iter().max().copied();
    orders.sort_unstable();
    orders.dedup();
    if orders.len() < actions.len() {
        return Err(fault::action("The orders of the actions of a rule must be different"));
    }
    if !actions.iter().any(|action| action.kind.is_final() && action.order == highest) {
        return Err(fault::action(
            "The action of type 'forward', 'redirect' or 'fixed-response' must have the highest \
             order",
        ));
    }
    Ok(())
}

/// AWS: clients are asked who they are on HTTPS listeners only.
pub fn check_place(place: &Place<'_>, actions: &[Action]) -> Result<(), Fault> {
    match actions.iter().find(|action| !action.kind.is_final()) {
        Some(action) if place.protocol != "HTTPS" => Err(fault::action(format!(
            "Actions of type '{}' are supported only on HTTPS listeners",
            kind_name(&action.kind)
        ))),
        _ => Ok(()),
    }
}

fn kind_name(kind: &ActionKind) -> &'static str {
    match kind {
        ActionKind::AuthenticateOidc(_) => "authenticate-oidc",
        ActionKind::AuthenticateCognito(_) => "authenticate-cognito",
        ActionKind::JwtValidation(_) => "jwt-validation",
        ActionKind::Forward(_) => "forward",
        ActionKind::Redirect(_) => "redirect",
        ActionKind::FixedResponse(_) => "fixed-response",
    }
}

fn one(place: &Place<'_>, before: &[Action], action: out::Action) -> Result<Action, Fault> {
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
        (
            "AuthenticateOidcConfig",
            authenticate_oidc_config.is_some() && r#type != "authenticate-oidc",
        ),
        (
            "AuthenticateCognitoConfig",
            authenticate_cognito_config.is_some() && r#type != "authenticate-cognito",
        ),
        ("JwtValidationConfig", jwt_validation_config.is_some() && r#type != "jwt-validation"),
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
        "authenticate-oidc" => {
            let config = authenticate_oidc_config.ok_or_else(|| missing("AuthenticateOidcConfig"));
            ActionKind::AuthenticateOidc(Box::new(authenticate::oidc(before, config?)?))
        }
        "authenticate-cognito" => {
            let config = authenticate_cognito_config;
            let config = config.ok_or_else(|| missing("AuthenticateCognitoConfig"))?;
            ActionKind::AuthenticateCognito(Box::new(authenticate::cognito(config)?))
        }
        "jwt-validation" => {
            let config = jwt_validation_config.ok_or_else(|| missing("JwtValidationConfig"))?;
            ActionKind::JwtValidation(jwt_validation::read(config)?)
        }
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
    let shown = out::Action {
        r#type: kind_name(&action.kind).to_owned(),
        order: action.order.map(i64::from),
        ..Default::default()
    };
    match &action.kind {
        ActionKind::AuthenticateOidc(oidc) => {
            out::Action { authenticate_oidc_config: Some(authenticate::show_oidc(oidc)), ..shown }
        }
        ActionKind::AuthenticateCognito(cognito) => out::Action {
            authenticate_cognito_config: Some(authenticate::show_cognito(cognito)),
            ..shown
        },
        ActionKind::JwtValidation(jwt) => {
            out::Action { jwt_validation_config: Some(jwt_validation::show(jwt)), ..shown }
        }
        ActionKind::Forward(forward) => out::Action {
            // AWS: a single group is shown in both forms.
            target_group_arn: match forward.groups.as_slice() {
                [single] => Some(single.group.to_string()),
                _ => None,
            },
            forward_config: Some(forward::show(forward)),
            ..shown
        },
        ActionKind::Redirect(redirect) => out::Action {
            redirect_config: Some(out::RedirectActionConfig {
                protocol: Some(redirect.protocol.clone()),
                port: Some(redirect.port.clone()),
                host: Some(redirect.host.clone()),
                path: Some(redirect.path.clone()),
                query: Some(redirect.query.clone()),
                status_code: format!("HTTP_{}", redirect.status),
            }),
            ..shown
        },
        ActionKind::FixedResponse(fixed) => out::Action {
            fixed_response_config: Some(out::FixedResponseActionConfig {
                message_body: fixed.body.clone(),
                status_code: fixed.status.to_string(),
                content_type: fixed.content_type.clone(),
            }),
            ..shown
        },
    }
}
