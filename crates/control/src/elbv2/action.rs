//! Actions of rules and listeners: from the API to records and back, and what may not be.
//!
//! DEVIATION: the actions 'authenticate-oidc', 'authenticate-cognito' and 'jwt-validation' are
//! refused with InvalidLoadBalancerAction, so an action list holds exactly one action.

use std::collections::BTreeSet;

use model::attributes::{self, STICKINESS_SECONDS_MAX};
use model::balancer::{
    Action, ActionKind, FixedResponse, Forward, LoadBalancer, Redirect, TargetGroup, WeightedGroup,
};
use model::limits::{TARGET_GROUPS_PER_ACTION, TARGET_GROUPS_PER_LOAD_BALANCER};
use model::{Snapshot, TargetGroupArn};
use shapes::elbv2 as out;
use wire::Fault;

use super::{fault, find};
use crate::Ctx;

/// Weights of target groups. AWS: 0–999.
const WEIGHT_MAX: i64 = 999;
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
    check_groups(ctx, state, place, &actions)?;
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
        _ => ActionKind::Forward(forward(target_group_arn, forward_config)?),
    };
    Ok(Action { order: order.and_then(|order| u32::try_from(order).ok()), kind })
}

fn forward(
    single: Option<String>,
    config: Option<out::ForwardActionConfig>,
) -> Result<Forward, Fault> {
    let config = config.unwrap_or_default();
    let stickiness = stickiness(config.target_group_stickiness_config)?;
    let mut groups: Vec<WeightedGroup> = Vec::new();
    let listed = config.target_groups.unwrap_or_default();
    let is_single = listed.len() <= 1;
    for tuple in listed {
        groups.push(weighted(tuple, is_single)?);
    }
    if let Some(single) = single {
        let group = TargetGroupArn::from(single);
        match groups.as_slice() {
            [] => groups.push(WeightedGroup { group, weight: 1 }),
            [listed] if listed.group == group => {}
            _ => {
                let message = "A target group ARN that is specified beside 'ForwardConfig' must \
                               be its only target group";
                return Err(fault::action(message));
            }
        }
    }
    if groups.is_empty() {
        return Err(Fault::validation("A target group ARN must be specified"));
    }
    if groups.len() > TARGET_GROUPS_PER_ACTION {
        let message =
            format!("An action can have at most '{TARGET_GROUPS_PER_ACTION}' target groups");
        return Err(fault::of("TooManyTargetGroups", message));
    }
    let distinct: BTreeSet<_> = groups.iter().map(|weighted| &weighted.group).collect();
    if distinct.len() < groups.len() {
        let message = "A target group can be specified only once in an action";
        return Err(fault::action(message));
    }
    Ok(Forward {
        groups,
        stickiness_seconds: stickiness.and_then(|(enabled, s)| s.filter(|_| enabled)),
        stickiness_given: stickiness,
    })
}

fn weighted(tuple: out::TargetGroupTuple, is_single: bool) -> Result<WeightedGroup, Fault> {
    let group = tuple.target_group_arn;
    let group = group.ok_or_else(|| Fault::validation("A target group ARN must be specified"))?;
    let weight = match tuple.weight {
        Some(weight) => weight,
        None if is_single => 1,
        None => {
            let message = "A weight must be specified for each of several target groups";
            return Err(Fault::validation(message));
        }
    };
    let checked = u32::try_from(weight).ok().filter(|_| weight <= WEIGHT_MAX);
    let weight = checked.ok_or_else(|| {
        Fault::validation(format!("Weight '{weight}' must be between '0-{WEIGHT_MAX}' inclusive"))
    })?;
    Ok(WeightedGroup { group: TargetGroupArn::from(group), weight })
}

/// (enabled, seconds) as given. AWS: 1–604,800 seconds, required when enabled.
fn stickiness(
    config: Option<out::TargetGroupStickinessConfig>,
) -> Result<Option<(bool, Option<u32>)>, Fault> {
    let Some(config) = config else { return Ok(None) };
    let enabled = config.enabled.unwrap_or(false);
    let seconds = match config.duration_seconds {
        None if enabled => {
            let message = "Target group stickiness duration must be specified";
            return Err(Fault::validation(message));
        }
        None => None,
        Some(given) => {
            let in_range = |seconds: &u32| (1..=STICKINESS_SECONDS_MAX).contains(seconds);
            let seconds = u32::try_from(given).ok().filter(in_range);
            Some(seconds.ok_or_else(|| {
                Fault::validation(format!(
                    "Target group stickiness duration must be between \
                     '1-{STICKINESS_SECONDS_MAX}' inclusive"
                ))
            })?)
        }
    };
    Ok(Some((enabled, seconds)))
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

/// Whether the target groups of these actions exist and may stand behind this listener.
pub fn check_groups(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    place: &Place<'_>,
    actions: &[Action],
) -> Result<(), Fault> {
    let mut taken = Vec::new();
    for arn in find::groups_of(actions) {
        find::check_arn(arn.as_str(), "targetgroup", "target group")?;
        let group = find::target_group(ctx, state, arn.as_str()).map_err(|_| {
            fault::of("TargetGroupNotFound", format!("Target group '{arn}' not found"))
        })?;
        check_group(place, &group)?;
        let user = find::user_of_group(state, arn);
        if user.is_some_and(|user| user != place.load_balancer.arn) {
            taken.push(arn.as_str());
        }
    }
    if !taken.is_empty() {
        let message = format!(
            "The following target groups cannot be associated with more than one load balancer: \
             '{}'",
            taken.join(", ")
        );
        return Err(fault::of("TargetGroupAssociationLimit", message));
    }
    let rules = find::rules_of(state, &place.load_balancer.arn);
    let mut distinct: BTreeSet<&TargetGroupArn> =
        rules.flat_map(|rule| find::groups_of(&rule.actions)).collect();
    distinct.extend(find::groups_of(actions));
    if distinct.len() > TARGET_GROUPS_PER_LOAD_BALANCER {
        let message = "The maximum number of target groups of a load balancer has been reached";
        return Err(fault::of("TooManyUniqueTargetGroupsPerLoadBalancer", message));
    }
    check_group_stickiness(state, actions)
}

fn check_group(place: &Place<'_>, group: &TargetGroup) -> Result<(), Fault> {
    let own = &place.load_balancer.vpc;
    if group.vpc.as_ref().is_some_and(|vpc| vpc != own) {
        return Err(fault::configuration(format!(
            "The following target groups are not in the VPC '{own}' of the load balancer: '{}'",
            group.arn
        )));
    }
    let version = group.protocol_version.as_deref().unwrap_or("HTTP1");
    // AWS: HTTP2 and GRPC groups need a listener that can speak HTTP/2, which is HTTPS.
    if place.protocol == "HTTP" && version != "HTTP1" {
        return Err(fault::of(
            "IncompatibleProtocols",
            format!(
                "Listener protocol 'HTTP' is not supported with a target group with the \
                 protocol-version '{version}'"
            ),
        ));
    }
    Ok(())
}

/// AWS: among several groups, sticky targets need a sticky choice of the group.
pub fn check_group_stickiness(state: &Snapshot, actions: &[Action]) -> Result<(), Fault> {
    for action in actions {
        let ActionKind::Forward(forward) = &action.kind else { continue };
        if forward.groups.len() < 2 || forward.stickiness_seconds.is_some() {
            continue;
        }
        let is_sticky = |weighted: &WeightedGroup| {
            let group = state.target_groups.get(&weighted.group);
            group.is_some_and(|g| attributes::flag(&g.attributes, "stickiness.enabled", false))
        };
        if forward.groups.iter().any(is_sticky) {
            return Err(fault::configuration(
                "You must enable group stickiness on a rule if you enabled target stickiness on \
                 one of its target groups",
            ));
        }
    }
    Ok(())
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
            forward_config: Some(show_forward(forward)),
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

fn show_forward(forward: &Forward) -> out::ForwardActionConfig {
    let tuple = |weighted: &WeightedGroup| out::TargetGroupTuple {
        target_group_arn: Some(weighted.group.to_string()),
        weight: Some(i64::from(weighted.weight)),
    };
    let (enabled, seconds) = forward.stickiness_given.unwrap_or((false, None));
    out::ForwardActionConfig {
        target_groups: Some(forward.groups.iter().map(tuple).collect()),
        target_group_stickiness_config: Some(out::TargetGroupStickinessConfig {
            enabled: Some(enabled),
            duration_seconds: seconds.map(i64::from),
        }),
    }
}
