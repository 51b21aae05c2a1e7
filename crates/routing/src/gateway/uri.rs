//! URLs of public integrations: `https://b.example/petstore/{proxy}?k=${stageVariables.v}`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::gateway::{Origin, path};

/// An integration's URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Uri {
    /// Taken apart once.
    Fixed(Url),
    /// With stage variables: taken apart with each request.
    ByStage(String),
}

/// A URL, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// Where to connect.
    pub origin: Origin,
    /// `Host` as written.
    pub authority: String,
    path: Vec<Part>,
    query: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(String),
}

impl Uri {
    /// Reads a URL. The error is a reason for a finding.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.contains("${stageVariables.") {
            true => Ok(Self::ByStage(text.to_string())),
            false => Url::parse(text).map(Self::Fixed),
        }
    }

    /// The URL for a stage. AWS does not say what a missing stage variable does in a URL; it
    /// cannot lead anywhere, so it is an error.
    pub fn resolve(&self, variables: &BTreeMap<String, String>) -> Result<Cow<'_, Url>, String> {
        match self {
            Self::Fixed(url) => Ok(Cow::Borrowed(url)),
            Self::ByStage(text) => Url::parse(&substitute(text, variables)?).map(Cow::Owned),
        }
    }
}

/// Text with its `${stageVariables.x}` replaced.
pub fn substitute(text: &str, variables: &BTreeMap<String, String>) -> Result<String, String> {
    let mut whole = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${stageVariables.") {
        let (name, tail) =
            after.split_once('}').ok_or_else(|| format!("{text:?} lacks a closing brace"))?;
        let value = variables.get(name);
        let value = value.ok_or_else(|| format!("the stage has no variable {name:?}"))?;
        whole.push_str(before);
        whole.push_str(value);
        rest = tail;
    }
    whole.push_str(rest);
    Ok(whole)
}

impl Url {
    fn parse(text: &str) -> Result<Self, String> {
        let bad = |what: &str| format!("the URI {text:?} {what}");
        let (https, rest) = match (text.strip_prefix("http://"), text.strip_prefix("https://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return Err(bad("starts with neither http:// nor https://")),
        };
        let rest = rest.split('#').next().unwrap_or("");
        let split = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(split);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (host, port) = host_and_port(authority, https)
            .ok_or_else(|| bad("has no host, or one that is no host name or address"))?;
        let origin = Origin { https, host: host.to_string(), port };
        let authority = authority.to_string();
        Ok(Self { origin, authority, path: parts(path), query: parts(query) })
    }

    /// Path and query with path variables filled in. `suffix` is appended to the path: the whole
    /// request path of a `$default` route. The error is a reason for a refusal.
    pub fn fill(
        &self,
        (names, values): (&[String], &[&[u8]]),
        suffix: &[u8],
    ) -> Result<(String, String), String> {
        let value = |name: &String| {
            let at = names.iter().position(|own| own == name);
            at.and_then(|at| values.get(at)).ok_or_else(|| {
                format!("the integration's URI names {{{name}}}, which is no variable of the route")
            })
        };
        let (mut whole, mut query) = (String::new(), String::new());
        for part in &self.path {
            match part {
                Part::Text(text) => whole.push_str(&path::encode_written(text)),
                Part::Variable(name) => whole.push_str(&path::encode(value(name)?)),
            }
        }
        for part in &self.query {
            match part {
                Part::Text(text) => query.push_str(&path::encode_written(text)),
                Part::Variable(name) => query.push_str(&path::encode_query(value(name)?)),
            }
        }
        if !suffix.is_empty() {
            let kept = whole.strip_suffix('/').unwrap_or(&whole).len();
            whole.truncate(kept);
            whole.push_str(&path::encode(suffix));
        }
        if whole.is_empty() {
            whole.push('/');
        }
        Ok((whole, query))
    }
}

/// Host without brackets, and port. A path variable in the host is refused: clients would choose
/// whom the gateway talks to.
pub(crate) fn host_and_port(authority: &str, https: bool) -> Option<(&str, u16)> {
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => {
            let _address: std::net::Ipv6Addr = host.parse().ok()?;
            // Nothing but a port may follow.
            let port = if port.is_empty() { None } else { Some(port.strip_prefix(':')?) };
            (host, port)
        }
        None => {
            let (host, port) = match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            };
            let legal = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
            (!host.is_empty() && host.bytes().all(legal)).then_some((host, port))?
        }
    };
    match port {
        None => Some((host, if https { 443 } else { 80 })),
        // The number's own reader would take a sign.
        Some(port) if !port.bytes().all(|byte| byte.is_ascii_digit()) => None,
        Some(port) => Some((host, port.parse().ok().filter(|port| *port > 0)?)),
    }
}

/// AWS: `{proxy}` stands for a route's `{proxy+}`; with a plus it means the same.
fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, tail)) = after.split_once('}') else { break };
        if !before.is_empty() {
            parts.push(Part::Text(before.to_string()));
        }
        parts.push(Part::Variable(name.strip_suffix('+').unwrap_or(name).to_string()));
        rest = tail;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_string()));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_filled() {
        let check = |uri: &str, suffix: &str, expect: &str| {
            let stage = BTreeMap::from([("host".to_string(), "b.example:81".to_string())]);
            let names = ["proxy".to_string(), "id".to_string()];
            let values = [&b"a b/c?d"[..], b"7&8"];
            let got = Uri::parse(uri).and_then(|uri| {
                let url = uri.resolve(&stage)?.into_owned();
                let (path, query) = url.fill((&names, &values), suffix.as_bytes())?;
                let Origin { https, host, port } = &url.origin;
                Ok(format!("{https} {host} {port} {} {path} {query}", url.authority))
            });
            assert_eq!(got.unwrap_or_else(|_| "error".into()), expect, "{uri}");
        };
        check("http://b", "", "false b 80 b / ");
        check("https://b.example/x", "", "true b.example 443 b.example /x ");
        check("https://b:8443/x?k=v", "", "true b 8443 b:8443 /x k=v");
        check("http://b?k=v", "", "false b 80 b / k=v");
        check("http://[::1]:9/x", "", "false ::1 9 [::1]:9 /x ");
        check("http://b/p/{proxy}", "", "false b 80 b /p/a%20b/c%3Fd ");
        check("http://b/p/{proxy+}/", "", "false b 80 b /p/a%20b/c%3Fd/ ");
        check("http://b/?x={id}", "", "false b 80 b / x=7%268");
        check("http://b/{none}", "", "error");
        check("http://{id}.b/", "", "error");
        check("http://b", "/store/checkout", "false b 80 b /store/checkout ");
        check("http://b/", "/store", "false b 80 b /store ");
        check("http://b/base", "/store/a b", "false b 80 b /base/store/a%20b ");
        check("http://b/base/", "/", "false b 80 b /base/ ");
        check("http://${stageVariables.host}/x", "", "false b.example 81 b.example:81 /x ");
        check("http://${stageVariables.none}/x", "", "error");
        check("http://${stageVariables.host/x", "", "error");
        check("http://b/a b#c", "", "false b 80 b /a%20b ");
        for bad in [
            "b/x",
            "ftp://b",
            "http://",
            "http://u@b/",
            "http://b:0",
            "http://b:x",
            "http://a b",
            "http://b:+80",
            "http://b:",
            "http://[::1]x:9/",
            "http://[::1]9",
            "http://[::1",
        ] {
            check(bad, "", "error");
        }
    }
}
