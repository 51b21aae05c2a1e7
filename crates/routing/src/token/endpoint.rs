//! URLs of identity providers, taken apart once.

use std::fmt;

use crate::gateway::Origin;
use crate::gateway::uri::host_and_port;

/// A URL that is called as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Whether to speak TLS.
    pub https: bool,
    /// Name or address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// `Host` as written.
    pub authority: String,
    /// Path and query.
    pub target: String,
}

impl Endpoint {
    /// Reads a URL. The error is a reason for a finding.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bad = || format!("{text:?} is not a URL that can be called");
        let (https, rest) = match (text.strip_prefix("http://"), text.strip_prefix("https://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return Err(bad()),
        };
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
            return Err(bad());
        }
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (host, port) = host_and_port(authority, https).ok_or_else(bad)?;
        let slash = if target.starts_with('/') { "" } else { "/" };
        Ok(Self {
            https,
            host: host.to_owned(),
            port,
            authority: authority.to_owned(),
            target: format!("{slash}{target}"),
        })
    }

    /// Where to connect.
    pub fn origin(&self) -> Origin {
        Origin { https: self.https, host: self.host.clone(), port: self.port }
    }
}

/// The URL.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let check = |text: &str, expect: Option<(bool, &str, u16, &str)>| {
            let got = Endpoint::parse(text).ok();
            let got = got.as_ref().map(|e| (e.https, e.host.as_str(), e.port, e.target.as_str()));
            assert_eq!(got, expect, "{text}");
        };
        check("https://a.b/c?d=e", Some((true, "a.b", 443, "/c?d=e")));
        check("https://a.b:8443", Some((true, "a.b", 8443, "/")));
        check("http://[::1]:90?x", Some((false, "::1", 90, "/?x")));
        check("https://a{b}/", None);
        check("https://a:0/", None);
        check("https://u@a/", None);
        check("https://a/#x", None);
        check("https://a/b c", None);
        check("ftp://a/", None);
        assert_eq!(Endpoint::parse("https://A:1/x").unwrap().to_string(), "https://A:1/x");
    }
}
