//! Header changes of a load balancer: towards targets, and of responses.

use std::borrow::Cow;
use std::net::IpAddr;

use model::Timestamp;

use crate::balancer::client_certificate;
use crate::draw::Use;
use crate::edit::Edit;
use crate::gateway::host;
use crate::tables::{BalancerTable, ForwardedFor, ListenerTable, TlsNames};
use crate::{View, spell, trace};

const FORWARDED_FOR: &str = "X-Forwarded-For";
/// Addresses in `X-Forwarded-For`. AWS: more are 463.
pub const MAX_FORWARDED_FOR: usize = 30;

/// The changes towards a target.
pub fn towards_target(
    listener: &ListenerTable,
    view: &View,
    now: Timestamp,
    draw: u64,
) -> Vec<Edit> {
    let balancer = &listener.balancer;
    let mut edits = Vec::with_capacity(8);
    drop_lines(listener, view, &mut edits);
    edits.extend(host(listener, view));
    edits.extend(forwarded_for(balancer, view));
    edits.push(Edit::set("X-Forwarded-Proto", if view.https { "https" } else { "http" }));
    let mut port = Vec::with_capacity(5);
    spell::decimal(&mut port, listener.port);
    edits.push(Edit::set("X-Forwarded-Port", port));
    tls(listener, view, &mut edits);
    client_certificate::edits(listener, view, &mut edits);
    let received = view.values(trace::HEADER).next();
    let traced = trace::extend(received, now, draw, Use::BalancerTrace);
    edits.push(match received.is_some() && bytes(view) > trace::MANY_BYTES {
        true => Edit::set(trace::HEADER, trace::only_root(&traced)),
        false => Edit::set(trace::HEADER, traced),
    });
    edits
}

/// Bytes of the header lines, without their ends.
fn bytes(view: &View) -> usize {
    view.headers.iter().map(|(name, value)| name.len() + ": ".len() + value.len()).sum()
}

/// DEVIATION: `routing.http2.enabled` does not decide which header names HTTP/1.1 clients may send;
/// only `routing.http.drop_invalid_header_fields.enabled` does.
///
/// Whether a header's name is dropped for its characters. AWS: names other than letters, digits
/// and hyphens are, when the load balancer is told to.
fn is_invalid(balancer: &BalancerTable, name: &str) -> bool {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    balancer.drop_invalid_headers && !name.bytes().all(valid)
}

/// Whether the request loses a header for its characters.
pub fn loses_any(balancer: &BalancerTable, view: &View) -> bool {
    balancer.drop_invalid_headers && view.headers.iter().any(|(name, _)| is_invalid(balancer, name))
}

/// Headers that do not reach targets: those with invalid names, if they are dropped. What the load
/// balancer alone may say of clients (certificates, identities) never comes from them, whatever the
/// headers are called.
fn drop_lines(listener: &ListenerTable, view: &View, edits: &mut Vec<Edit>) {
    let balancer = &listener.balancer;
    let TlsNames { version: _, cipher: _, chain, leaf, serial, issuer, subject, validity } =
        &listener.tls_names;
    let renamed = [chain, leaf, serial, issuer, subject, validity];
    for (name, _) in view.headers {
        let renamed = listener.https && renamed.iter().any(|own| own.eq_ignore_ascii_case(name));
        if renamed || is_invalid(balancer, name) || is_ours(name) {
            edits.push(Edit::remove((*name).to_string()));
        }
    }
}

/// Whether it is for the load balancer alone to say. Underscores count as hyphens, since many
/// targets do not tell them apart.
fn is_ours(name: &str) -> bool {
    let same = |(own, byte): (&u8, &u8)| {
        *own == byte.to_ascii_lowercase() || (*own == b'-' && *byte == b'_')
    };
    [&b"x-amzn-mtls-"[..], b"x-amzn-oidc-"]
        .iter()
        .any(|prefix| name.len() >= prefix.len() && prefix.iter().zip(name.as_bytes()).all(same))
}

/// AWS: lower case; on ports 80 and 443 without a port, on others with one. A request without a
/// host (HTTP/1.0) gets the load balancer's name.
fn host(listener: &ListenerTable, view: &View) -> Option<Edit> {
    let line = view.values("host").next();
    let wanted = match view.host {
        None => Cow::from(&listener.balancer.dns_name),
        Some(sent) if listener.balancer.preserve_host => Cow::from(sent),
        Some(sent) => match (host::split(sent), listener.port) {
            ((name, _), 80 | 443) => name,
            ((name, Some(port)), _) => Cow::from(format!("{name}:{port}")),
            ((name, None), port) => Cow::from(format!("{name}:{port}")),
        },
    };
    (line != Some(wanted.as_bytes())).then(|| Edit::set("Host", wanted.as_bytes()))
}

/// AWS: tells targets of the client's TLS session when the load balancer is told to.
fn tls(listener: &ListenerTable, view: &View, edits: &mut Vec<Edit>) {
    if !listener.balancer.tls_headers {
        return;
    }
    let TlsNames { version, cipher, .. } = &listener.tls_names;
    match view.tls {
        Some(session) => {
            edits.push(Edit::set(version.clone(), session.version));
            edits.push(Edit::set(cipher.clone(), session.cipher));
        }
        // What clients say of themselves is not the load balancer's word.
        None => edits.extend([version, cipher].map(|name| Edit::remove(name.clone()))),
    }
}

fn forwarded_for(balancer: &BalancerTable, view: &View) -> Option<Edit> {
    match balancer.forwarded_for {
        ForwardedFor::Preserve => None,
        ForwardedFor::Remove => Some(Edit::remove(FORWARDED_FOR)),
        ForwardedFor::Append => {
            let mut value = view.joined(FORWARDED_FOR, ", ").unwrap_or_default();
            if !value.is_empty() {
                value.extend_from_slice(b", ");
            }
            client(balancer, view, &mut value);
            Some(Edit::set(FORWARDED_FOR, value))
        }
    }
}

/// Appends the client's address, with its port if the load balancer is told to.
fn client(balancer: &BalancerTable, view: &View, out: &mut Vec<u8>) {
    let ip = view.source.ip().to_canonical();
    match (balancer.forwarded_for_port, ip) {
        (true, IpAddr::V6(_)) => {
            out.push(b'[');
            spell::address(out, ip);
            out.push(b']');
        }
        _ => spell::address(out, ip),
    }
    if balancer.forwarded_for_port {
        out.push(b':');
        spell::decimal(out, view.source.port());
    }
}

/// How many addresses the request's `X-Forwarded-For` has.
pub fn forwarded_hops(view: &View) -> usize {
    view.values(FORWARDED_FOR).map(|line| line.split(|byte| *byte == b',').count()).sum()
}

/// The changes of a response. AWS: listener attributes apply to every response of the listener;
/// the load balancer's own `Server` can be turned off, a target's stays.
pub fn of_response(listener: &ListenerTable, own: bool) -> Vec<Edit> {
    let set = |(name, value): &(&'static str, String)| Edit::set(*name, value.as_str());
    let mut edits: Vec<_> = listener.response_headers.iter().map(set).collect();
    if own && !listener.server_header {
        edits.push(Edit::remove("Server"));
    }
    edits
}

#[cfg(test)]
mod tests;
