//! Header changes of a load balancer: towards targets, and of responses.

use std::borrow::Cow;
use std::net::IpAddr;

use edits::Edits;
use model::Timestamp;

use crate::balancer::client_certificate;
use crate::draw::Use;
use crate::gateway::host;
use crate::tables::{BalancerTable, ForwardedFor, ListenerTable, TlsNames};
use crate::{View, spell, trace};

const FORWARDED_FOR: &str = "X-Forwarded-For";
/// Addresses in `X-Forwarded-For`. AWS: more are 463.
pub const MAX_FORWARDED_FOR: usize = 30;

/// Room for the changes of a request.
const USUAL: (usize, usize) = (8, 224);

/// The changes towards a target.
pub fn towards_target(listener: &ListenerTable, view: &View, now: Timestamp, draw: u64) -> Edits {
    let balancer = &listener.balancer;
    let mut edits = Edits::with_capacity(USUAL.0, USUAL.1);
    drop_lines(listener, view, &mut edits);
    host(listener, view, &mut edits);
    forwarded_for(balancer, view, &mut edits);
    edits.set("X-Forwarded-Proto", if view.https { "https" } else { "http" });
    edits.set_with("X-Forwarded-Port", |out| spell::decimal(out, listener.port));
    tls(listener, view, &mut edits);
    client_certificate::edits(listener, view, &mut edits);
    let received = view.values(trace::HEADER).next();
    edits.set_with(trace::HEADER, |out| {
        let start = out.len();
        trace::extend(out, received, now, draw, Use::BalancerTrace);
        if received.is_some() && bytes(view) > trace::MANY_BYTES {
            let root = trace::only_root(&out[start..]).to_vec();
            out.truncate(start);
            out.extend_from_slice(&root);
        }
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
fn drop_lines(listener: &ListenerTable, view: &View, edits: &mut Edits) {
    let balancer = &listener.balancer;
    let TlsNames { version: _, cipher: _, chain, leaf, serial, issuer, subject, validity } =
        &listener.tls_names;
    let renamed = [chain, leaf, serial, issuer, subject, validity];
    for (name, _) in view.headers {
        let renamed = listener.https && renamed.iter().any(|own| own.eq_ignore_ascii_case(name));
        if renamed || is_invalid(balancer, name) || is_ours(name) {
            edits.remove((*name).to_string());
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
fn host(listener: &ListenerTable, view: &View, edits: &mut Edits) {
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
    if line != Some(wanted.as_bytes()) {
        edits.set("Host", wanted.as_bytes());
    }
}

/// AWS: tells targets of the client's TLS session when the load balancer is told to.
fn tls(listener: &ListenerTable, view: &View, edits: &mut Edits) {
    if !listener.balancer.tls_headers {
        return;
    }
    let TlsNames { version, cipher, .. } = &listener.tls_names;
    match view.tls {
        Some(session) => {
            edits.set(version.clone(), session.version).set(cipher.clone(), session.cipher);
        }
        // What clients say of themselves is not the load balancer's word.
        None => {
            edits.remove(version.clone()).remove(cipher.clone());
        }
    }
}

fn forwarded_for(balancer: &BalancerTable, view: &View, edits: &mut Edits) {
    match balancer.forwarded_for {
        ForwardedFor::Preserve => {}
        ForwardedFor::Remove => {
            edits.remove(FORWARDED_FOR);
        }
        ForwardedFor::Append => {
            edits.set_with(FORWARDED_FOR, |out| {
                if view.join(out, FORWARDED_FOR, b", ") {
                    out.extend_from_slice(b", ");
                }
                client(balancer, view, out);
            });
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
pub fn of_response(listener: &ListenerTable, own: bool, edits: &mut Edits) {
    for (name, value) in &listener.response_headers {
        edits.set(*name, value);
    }
    if own && !listener.server_header {
        edits.remove("Server");
    }
}

#[cfg(test)]
mod tests;
