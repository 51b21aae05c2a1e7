//! Fuzz targets: whatever the bytes, reading answers, and what was read has one meaning.

use crate::percent::{self, Plus};
use crate::protocol::form::{Dialect, Form, MAX_DEPTH};
use crate::protocol::{ec2, json11, query, rest_json};
use crate::sigv4::{self, Parts, Scope};
use crate::{Node, Time};

/// Forms of the query protocols, JSON bodies, paths, and answers made of what they say.
pub fn protocols(data: &[u8]) {
    forms(data);
    bodies(data);
    let Ok(text) = std::str::from_utf8(data) else { return };
    encoded(text);
    paths(text);
}

fn forms(data: &[u8]) {
    let Ok(form) = Form::parse(data) else { return };
    for dialect in [Dialect::Query, Dialect::Ec2] {
        let Ok(tree) = form.tree(dialect) else { continue };
        assert!(depth(&tree) <= MAX_DEPTH + 2);
        // Answers are text whatever the tree says.
        for reply in [
            query::answer("Op", true, "urn:x", &tree, "id"),
            ec2::answer("Op", true, "urn:x", &tree, "id"),
        ] {
            assert!(std::str::from_utf8(&reply.body).is_ok());
        }
    }
}

fn depth(node: &Node) -> usize {
    match node {
        Node::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Node::Struct(members) => 1 + members.iter().map(|(_, v)| depth(v)).max().unwrap_or(0),
        Node::Dict(entries) => 1 + entries.iter().map(|(_, v)| depth(v)).max().unwrap_or(0),
        _ => 0,
    }
}

/// What was written is read as what was written.
fn bodies(data: &[u8]) {
    let Ok(tree) = json11::read(data) else { return };
    let written = json11::answer(&tree, "id").body;
    let again = json11::read(&written).map(|tree| json11::answer(&tree, "id").body);
    assert_eq!(again.as_deref(), Ok(written.as_slice()));
}

fn encoded(text: &str) {
    for plus in [Plus::Literal, Plus::Space] {
        let Ok(decoded) = percent::decode(text, plus) else { continue };
        let encoded = percent::encode(&decoded, b"");
        assert_eq!(percent::decode(&encoded, plus).as_deref(), Ok(decoded.as_str()));
    }
}

fn paths(text: &str) {
    let (path, rest) = text.split_once('?').unwrap_or((text, ""));
    let (query, body) = rest.split_once('\n').unwrap_or((rest, ""));
    for template in ["/v2/apis/{apiId}/routes/{routeId}", "/v2/tags/{resource-arn}", "/{all+}"] {
        let Some(labels) = rest_json::capture(template, path) else { continue };
        assert!(labels.iter().all(|(_, value)| !value.is_empty()), "{path:?}");
        let members = [("maxResults", false), ("tagKeys", true)];
        if let Ok(tree) = rest_json::read(&labels, &members, query, body.as_bytes()) {
            assert!(labels.iter().all(|(name, _)| tree.get(name).is_some()), "{path:?}");
        }
    }
}

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const STAMP: &str = "20150830T123600Z";
const NOW: Time = Time(1_440_938_160_000);

/// Signed requests: the first line is method and target, the others are headers. What is read of
/// them does not panic, nothing that was not signed verifies, and what was signed does.
pub fn signatures(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.split('\n');
    let (method, target) = lines.next().unwrap_or("").split_once(' ').unwrap_or(("GET", "/"));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(": ")).collect();
    let parts = Parts { method, path, query, headers: &headers };
    let hash = sigv4::body_hash(b"");
    if let Ok(Some(signature)) = sigv4::parse(parts) {
        assert!(signature.verify("another secret", NOW, &hash).is_err());
    }
    let own = ["authorization", "x-amz-date", "x-amz-content-sha256", "date", "host"];
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let mut signed: Vec<_> = headers
        .iter()
        .filter(|(name, _)| is_name(name))
        .filter(|(name, _)| !own.iter().any(|own| name.eq_ignore_ascii_case(own)))
        .copied()
        .collect();
    signed.extend([("Host", "example.amazonaws.com"), ("X-Amz-Date", STAMP)]);
    let parts = Parts { method, path, query, headers: &signed };
    let text = |text: &str| text.to_owned();
    let (access_key, date) = (text("AKIDEXAMPLE"), text("20150830"));
    let scope = Scope { access_key, date, region: text("us-east-1"), service: text("service") };
    let header = sigv4::sign(&parts, &scope, SECRET, STAMP, &hash);
    let mut sent = signed.clone();
    sent.push(("Authorization", &header));
    let signature = sigv4::parse(Parts { headers: &sent, ..parts });
    let Ok(Some(signature)) = signature else { panic!("not read: {signature:?}") };
    assert_eq!(signature.verify(SECRET, NOW, &hash), Ok(()));
    assert!(signature.verify(SECRET, NOW, &sigv4::body_hash(b"x")).is_err());
}

#[cfg(test)]
mod tests {
    #[test]
    fn protocols() {
        replay::run("protocols", super::protocols);
    }

    #[test]
    fn signatures() {
        replay::run("signatures", super::signatures);
    }
}
