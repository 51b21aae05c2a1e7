//! Value expressions of parameter mappings: static text, `$request.header.x`, `a ${…} b`.

use std::collections::BTreeMap;

use crate::View;
use crate::gateway::path;

/// A parsed expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(Source),
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    /// `request.header.NAME`
    Header(String),
    /// `request.querystring.NAME`
    Query(String),
    /// `request.path`
    Path,
    /// `request.path.NAME`
    Variable(String),
    /// `response.header.NAME`
    ResponseHeader(String),
    /// `context.NAME`
    Context(ContextName),
    /// `stageVariables.NAME`
    Stage(String),
}

macro_rules! context_names {
    ($($name:ident $text:literal,)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum ContextName { $($name,)+ }

        impl ContextName {
            fn parse(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$name),)+
                    _ => None,
                }
            }
        }
    };
}

context_names! {
    AccountId "accountId",
    ApiId "apiId",
    DomainName "domainName",
    DomainPrefix "domainPrefix",
    ExtendedRequestId "extendedRequestId",
    HttpMethod "httpMethod",
    Path "path",
    Protocol "protocol",
    RequestId "requestId",
    RequestTimeEpoch "requestTimeEpoch",
    RouteKey "routeKey",
    SourceIp "identity.sourceIp",
    Stage "stage",
    UserAgent "identity.userAgent",
}

/// `$context` of a request, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// `accountId`
    pub account_id: String,
    /// `apiId`
    pub api_id: String,
    /// `domainName`: the host without its port.
    pub domain_name: String,
    /// `httpMethod`
    pub http_method: String,
    /// `path`, with the stage.
    pub path: String,
    /// `requestId`
    pub request_id: String,
    /// `requestTimeEpoch` in milliseconds.
    pub request_time_epoch: i64,
    /// `routeKey`
    pub route_key: String,
    /// `identity.sourceIp`
    pub source_ip: String,
    /// `stage`
    pub stage: String,
    /// `identity.userAgent`
    pub user_agent: Option<String>,
}

impl Context {
    fn get(&self, name: ContextName) -> Option<String> {
        Some(match name {
            ContextName::AccountId => self.account_id.clone(),
            ContextName::ApiId => self.api_id.clone(),
            ContextName::DomainName => self.domain_name.clone(),
            ContextName::DomainPrefix => self.domain_name.split('.').next()?.to_string(),
            ContextName::ExtendedRequestId | ContextName::RequestId => self.request_id.clone(),
            ContextName::HttpMethod => self.http_method.clone(),
            ContextName::Path => self.path.clone(),
            // AWS: HTTP/1.1 for HTTP/2 clients too.
            ContextName::Protocol => "HTTP/1.1".to_string(),
            ContextName::RequestTimeEpoch => self.request_time_epoch.to_string(),
            ContextName::RouteKey => self.route_key.clone(),
            ContextName::SourceIp => self.source_ip.clone(),
            ContextName::Stage => self.stage.clone(),
            ContextName::UserAgent => return self.user_agent.clone(),
        })
    }
}

/// What expressions are evaluated with.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    /// The client's request; none in response mappings.
    pub request: Option<&'a View<'a>>,
    /// The decoded path without the stage.
    pub route_path: &'a [u8],
    /// Path variables: names and decoded values.
    pub variables: (&'a [String], &'a [&'a [u8]]),
    /// `$context`
    pub context: &'a Context,
    /// `$stageVariables`
    pub stage: &'a BTreeMap<String, String>,
    /// Header lines of the integration's response; none in request mappings.
    pub response: Option<&'a [(&'a str, &'a [u8])]>,
}

impl Values<'_> {
    fn get(&self, source: &Source) -> Option<Vec<u8>> {
        match source {
            // AWS: several values are joined by commas.
            Source::Header(name) => {
                let (request, mut value) = (self.request?, Vec::new());
                request.values(name).next()?;
                request.join(&mut value, name, b",");
                Some(value)
            }
            Source::Query(name) => self.query(name),
            Source::Path => self.request.map(|_| self.route_path.to_vec()),
            Source::Variable(name) => {
                let (names, values) = self.variables;
                let at = names.iter().position(|own| own == name)?;
                values.get(at).map(|value| value.to_vec())
            }
            Source::ResponseHeader(name) => joined(self.response?, name),
            Source::Context(name) => self.context.get(*name).map(String::into_bytes),
            Source::Stage(name) => self.stage.get(name).map(|value| value.clone().into_bytes()),
        }
    }

    fn query(&self, name: &str) -> Option<Vec<u8>> {
        let (_, query) = self.request?.path_and_query();
        let pairs = query?.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let same = |(own, value): (&str, &str)| {
            (path::decode_query(own) == name).then(|| path::decode_query(value))
        };
        let values: Vec<_> = pairs.filter_map(same).collect();
        (!values.is_empty()).then(|| values.join(",").into_bytes())
    }
}

fn joined(lines: &[(&str, &[u8])], name: &str) -> Option<Vec<u8>> {
    let same = lines.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
    let values: Vec<_> = same.map(|(_, value)| *value).collect();
    (!values.is_empty()).then(|| values.join(&b','))
}

impl Template {
    /// Reads an expression. The error is a reason for a finding.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix('$').filter(|name| !name.starts_with('{')) {
            return Ok(Self(vec![Part::Value(source(name)?)]));
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, tail) =
                after.split_once('}').ok_or_else(|| format!("{text:?} lacks a closing brace"))?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_string()));
            }
            parts.push(Part::Value(source(name.strip_prefix('$').unwrap_or(name))?));
            rest = tail;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_string()));
        }
        Ok(Self(parts))
    }

    /// The value; nothing when a part of it has none.
    pub fn text(&self, values: &Values) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        for part in &self.0 {
            match part {
                Part::Text(part) => text.extend_from_slice(part.as_bytes()),
                Part::Value(source) => text.extend(values.get(source)?),
            }
        }
        Some(text)
    }

    /// The value as a path for a request line: values are encoded, the author's own text only
    /// where it could not be sent. Starts with `/`.
    pub fn path(&self, values: &Values) -> Option<String> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(part) => text.push_str(&path::encode_written(part)),
                Part::Value(source) => text.push_str(&path::encode(&values.get(source)?)),
            }
        }
        Some(if text.starts_with('/') { text } else { format!("/{text}") })
    }
}

fn source(name: &str) -> Result<Source, String> {
    let unknown = || format!("${name} is no value that this version can map");
    let (space, rest) = name.split_once('.').ok_or_else(unknown)?;
    Ok(match (space, rest.split_once('.')) {
        ("request", Some(("header", name))) => Source::Header(name.to_string()),
        ("request", Some(("querystring", name))) => Source::Query(name.to_string()),
        ("request", Some(("path", name))) => Source::Variable(name.to_string()),
        ("request", None) if rest == "path" => Source::Path,
        ("response", Some(("header", name))) => Source::ResponseHeader(name.to_string()),
        ("context", _) => Source::Context(ContextName::parse(rest).ok_or_else(unknown)?),
        ("stageVariables", None) => Source::Stage(rest.to_string()),
        _ => return Err(unknown()),
    })
}
