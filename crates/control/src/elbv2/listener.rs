//! Listeners: create, describe, change, delete. A listener's default actions are its default rule.

use std::sync::Arc;

use model::balancer::{Action, Attributes, Listener, LoadBalancer, Priority, Rule};
use model::limits::LISTENERS_PER_LOAD_BALANCER;
use model::{ListenerArn, Record, Snapshot, Tags, tls_policy};
use shapes::elbv2 as out;
use shapes::elbv2::{
    Certificate, CreateListenerInput, CreateListenerOutput, DeleteListenerInput,
    DeleteListenerOutput, DescribeListenersInput, DescribeListenersOutput, ModifyListenerInput,
    ModifyListenerOutput,
};
use store::Txn;
use wire::Fault;

use super::action::{self, Place};
use super::load_balancer::remove_listener;
use super::{certificate, fault, find, forward, mutual, ssl_policy, tags};
use crate::Ctx;
use crate::page::page;

/// Makes a listener, or returns the one that has this port and these settings.
pub fn create_listener(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreateListenerInput,
) -> Result<CreateListenerOutput, Fault> {
    let owner = find::load_balancer(ctx, txn, &input.load_balancer_arn)?;
    let port = port(input.port)?;
    let protocol = protocol(input.protocol)?;
    check_alpn(input.alpn_policy.as_deref())?;
    let certificates = input.certificates.unwrap_or_default();
    let secure = secure(ctx, txn, &protocol, input.ssl_policy, certificates)?;
    let mutual = mutual::read(ctx, txn, &protocol, input.mutual_authentication)?;
    let place = Place { load_balancer: &owner, protocol: &protocol, port };
    let actions = action::read(ctx, txn, &place, &[], input.default_actions)?;
    if let Some(existing) = at_port(txn, &owner, port) {
        if existing.protocol != protocol
            || existing.ssl_policy != secure.policy
            || existing.certificates.first() != secure.certificate.as_ref()
            || existing.mutual != mutual
            || default_rule(txn, &existing.arn).is_none_or(|rule| rule.actions != actions)
        {
            return Err(duplicate(&owner));
        }
        return Ok(CreateListenerOutput { listeners: Some(vec![show(txn, &existing)]) });
    }
    if txn.listeners.under(&owner.arn).count() >= LISTENERS_PER_LOAD_BALANCER {
        let message = "The maximum number of listeners of a load balancer has been reached";
        return Err(fault::of("TooManyListeners", message));
    }
    let listener = Listener {
        load_balancer: owner.arn.clone(),
        arn: owner.arn.listener(&ctx.hex(16)),
        protocol,
        port,
        ssl_policy: secure.policy,
        certificates: secure.certificate.into_iter().collect(),
        alpn_policy: None,
        mutual,
        attributes: Attributes::new(),
        tags: tags::of_new(input.tags.as_deref())?,
        created: ctx.now,
    };
    mutual::check_room(txn, &listener)?;
    put_default_rule(ctx, txn, &listener.arn, actions);
    txn.put(listener.clone());
    Ok(CreateListenerOutput { listeners: Some(vec![show(txn, &listener)]) })
}

fn put_default_rule(ctx: &Ctx<'_>, txn: &mut Txn, listener: &ListenerArn, actions: Vec<Action>) {
    txn.put(Rule {
        listener: listener.clone(),
        arn: listener.rule(&ctx.hex(16)),
        priority: Priority::Default,
        conditions: Vec::new(),
        actions,
        // AWS: default rules have none.
        transforms: Vec::new(),
        tags: Tags::new(),
    });
}

fn duplicate(owner: &LoadBalancer) -> Fault {
    let message =
        format!("A listener already exists on this port for this load balancer '{}'", owner.arn);
    fault::of("DuplicateListener", message)
}

fn port(asked: Option<i64>) -> Result<u16, Fault> {
    let port = asked.and_then(|port| u16::try_from(port).ok());
    port.ok_or_else(|| Fault::validation("A listener port must be specified"))
}

fn protocol(asked: Option<String>) -> Result<String, Fault> {
    let protocol =
        asked.ok_or_else(|| Fault::validation("A listener protocol must be specified"))?;
    if matches!(protocol.as_str(), "HTTP" | "HTTPS") {
        return Ok(protocol);
    }
    let message = format!("Listener protocol '{protocol}' must be one of 'HTTP, HTTPS'");
    Err(Fault::validation(message))
}

fn check_alpn(alpn: Option<&[String]>) -> Result<(), Fault> {
    if alpn.is_some_and(|alpn| !alpn.is_empty()) {
        let message = "An ALPN policy can be specified only for TLS listeners";
        return Err(Fault::validation(message));
    }
    Ok(())
}

/// What makes a listener secure; empty for HTTP.
#[derive(Debug)]
struct Secure {
    policy: Option<String>,
    certificate: Option<String>,
}

/// AWS: an HTTPS listener has exactly one default certificate, and the policy
/// `ELBSecurityPolicy-2016-08` unless it says otherwise.
fn secure(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    protocol: &str,
    policy: Option<String>,
    certificates: Vec<Certificate>,
) -> Result<Secure, Fault> {
    if protocol == "HTTP" {
        if policy.is_some() {
            let message = "An SSL policy can be specified only for HTTPS listeners";
            return Err(Fault::validation(message));
        }
        if !certificates.is_empty() {
            let message = "Certificates can be specified only for HTTPS listeners";
            return Err(Fault::validation(message));
        }
        return Ok(Secure { policy: None, certificate: None });
    }
    let policy = policy.unwrap_or_else(|| tls_policy::DEFAULT.to_owned());
    ssl_policy::check(&policy)?;
    let certificate = certificate::default_of(certificates)?
        .ok_or_else(|| Fault::validation("A certificate must be specified for HTTPS listeners"))?;
    certificate::check(ctx, state, &certificate)?;
    Ok(Secure { policy: Some(policy), certificate: Some(certificate) })
}

fn at_port(state: &Snapshot, owner: &LoadBalancer, port: u16) -> Option<Arc<Listener>> {
    state.listeners.under(&owner.arn).find(|listener| listener.port == port).cloned()
}

/// The default rule of a listener.
pub fn default_rule<'a>(state: &'a Snapshot, listener: &ListenerArn) -> Option<&'a Arc<Rule>> {
    state.rules.under(listener).find(|rule| rule.priority == Priority::Default)
}

/// A listener as the API shows it. AWS: only its default certificate.
fn show(state: &Snapshot, listener: &Listener) -> out::Listener {
    let default = default_rule(state, &listener.arn);
    let is_secure = listener.protocol == "HTTPS";
    let certificates = listener
        .certificates
        .first()
        .map(|arn| vec![Certificate { certificate_arn: Some(arn.clone()), is_default: None }]);
    let mutual = is_secure.then(|| mutual::show(&listener.mutual));
    out::Listener {
        listener_arn: Some(listener.arn.to_string()),
        load_balancer_arn: Some(listener.load_balancer.to_string()),
        port: Some(i64::from(listener.port)),
        protocol: Some(listener.protocol.clone()),
        certificates,
        ssl_policy: listener.ssl_policy.clone(),
        default_actions: default.map(|rule| action::show(&rule.actions)),
        alpn_policy: listener.alpn_policy.clone().map(|policy| vec![policy]),
        mutual_authentication: mutual,
    }
}

/// Listeners by ARN or of a load balancer.
pub fn describe_listeners(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeListenersInput,
) -> Result<DescribeListenersOutput, Fault> {
    let arns = input.listener_arns.filter(|arns| !arns.is_empty());
    let mut listeners: Vec<Arc<Listener>> = match (input.load_balancer_arn, arns) {
        (Some(owner), None) => {
            let owner = find::load_balancer(ctx, state, &owner)?;
            state.listeners.under(&owner.arn).cloned().collect()
        }
        (None, Some(arns)) => {
            let one = |arn: &String| find::listener(ctx, state, arn).map(|(listener, _)| listener);
            arns.iter().map(one).collect::<Result<_, _>>()?
        }
        (None, None) => {
            return Err(Fault::validation(
                "You must specify either listener ARNs or a load balancer ARN",
            ));
        }
        (Some(_), Some(_)) => {
            return Err(Fault::validation(
                "Listener ARNs and a load balancer ARN cannot be specified at the same time",
            ));
        }
    };
    listeners.sort_by(|a, b| a.arn.cmp(&b.arn));
    listeners.dedup_by(|a, b| a.arn == b.arn);
    let size = find::page_size(input.page_size);
    let key = |listener: &Arc<Listener>| listener.arn.to_string();
    let page = page(listeners, key, input.marker.as_deref(), size, fault::marker)?;
    Ok(DescribeListenersOutput {
        listeners: Some(page.items.iter().map(|listener| show(state, listener)).collect()),
        next_marker: page.next,
    })
}

/// Changes a listener; what is left out stays, lists are replaced. AWS: turning HTTPS into HTTP
/// drops the policy and the certificates.
pub fn modify_listener(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: ModifyListenerInput,
) -> Result<ModifyListenerOutput, Fault> {
    let (current, owner) = find::listener(ctx, txn, &input.listener_arn)?;
    check_alpn(input.alpn_policy.as_deref())?;
    let mut listener = Listener::clone(&current);
    if input.port.is_some() {
        listener.port = port(input.port)?;
        if at_port(txn, &owner, listener.port).is_some_and(|other| other.arn != listener.arn) {
            return Err(duplicate(&owner));
        }
    }
    if input.protocol.is_some() {
        listener.protocol = protocol(input.protocol)?;
    }
    let certificates = input.certificates.unwrap_or_default();
    change_security(ctx, txn, &mut listener, input.ssl_policy, certificates)?;
    if input.mutual_authentication.is_some() || listener.protocol == "HTTP" {
        let asked = input.mutual_authentication;
        listener.mutual = mutual::read(ctx, txn, &listener.protocol, asked)?;
        mutual::check_room(txn, &listener)?;
    }
    let place = Place { load_balancer: &owner, protocol: &listener.protocol, port: listener.port };
    if listener.protocol != current.protocol {
        let replaced = |rule: &Rule| {
            let given = input.default_actions.as_ref().is_some_and(|given| !given.is_empty());
            given && rule.priority == Priority::Default
        };
        let rules = txn.rules.under(&listener.arn).filter(|rule| !replaced(rule));
        let rules: Vec<_> = rules.cloned().collect();
        for rule in rules {
            action::check_place(&place, &rule.actions)?;
            forward::check_groups(ctx, txn, &place, &rule.actions)?;
        }
    }
    if let Some(actions) = input.default_actions.filter(|actions| !actions.is_empty())
        && let Some(rule) = default_rule(txn, &listener.arn).cloned()
    {
        let actions = action::read(ctx, txn, &place, &rule.actions, actions)?;
        txn.update::<Rule>(&rule.key(), |rule| rule.actions = actions);
    }
    let shown = show(txn, &listener);
    txn.put(listener);
    Ok(ModifyListenerOutput { listeners: Some(vec![shown]) })
}

fn change_security(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    listener: &mut Listener,
    policy: Option<String>,
    certificates: Vec<Certificate>,
) -> Result<(), Fault> {
    let keeps_certificate = certificates.is_empty() && !listener.certificates.is_empty();
    if listener.protocol == "HTTPS" && keeps_certificate {
        if let Some(policy) = policy {
            ssl_policy::check(&policy)?;
            listener.ssl_policy = Some(policy);
        }
        return Ok(());
    }
    let policy =
        policy.or_else(|| listener.ssl_policy.clone().filter(|_| listener.protocol == "HTTPS"));
    let secure = secure(ctx, state, &listener.protocol, policy, certificates)?;
    listener.ssl_policy = secure.policy;
    match (secure.certificate, listener.certificates.is_empty()) {
        (None, _) => listener.certificates.clear(),
        (Some(certificate), true) => listener.certificates.push(certificate),
        (Some(certificate), false) => listener.certificates[0] = certificate,
    }
    Ok(())
}

/// Deletes a listener with its rules.
pub fn delete_listener(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteListenerInput,
) -> Result<DeleteListenerOutput, Fault> {
    let (listener, _) = find::listener(ctx, txn, &input.listener_arn)?;
    remove_listener(txn, &listener);
    Ok(DeleteListenerOutput {})
}
