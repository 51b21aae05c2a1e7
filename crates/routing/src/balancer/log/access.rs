//! The access log's entry of a request: what each field says, in AWS's order.
//!
//! DEVIATION: Access logs have three fields more than AWS's 34, at the end, where AWS adds new ones
//! too: why the request failed (the reason codes of `docs/life-of-a-request.md`), how many targets
//! it was offered to, and the request id of the HTTP API that it came through.
//!
//! DEVIATION: Requests that come through an HTTP API to an HTTPS listener have no `domain_name` and
//! no `chosen_cert_arn` in access logs, since there is no handshake between the two.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use model::balancer::Priority;
use model::{Micros, Timestamp};

use super::{node, quote};
use crate::balancer::action::Act;
use crate::balancer::desync::{self, Reason};
use crate::balancer::sticky::{Stick, Why};
use crate::balancer::{Forward, Respond};
use crate::draw::Use;
use crate::gateway::host;
use crate::tables::{ListenerTable, RuleEntry, TargetEntry};
use crate::{Version, View, trace};

/// Bytes of a user agent that are logged. AWS: 8 KB.
const LONGEST_USER_AGENT: usize = 8 * 1024;

/// A request, as far as it is known.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When the load balancer got the request.
    pub created: Micros,
    /// `app/NAME/ID`
    balancer: String,
    /// The node that answers.
    pub node: IpAddr,
    client: SocketAddr,
    protocol: Protocol,
    /// Method, URL and version.
    request: String,
    user_agent: Vec<u8>,
    /// Cipher and version of the client's TLS.
    pub tls: Option<(String, String)>,
    /// The name that the client asked for in TLS.
    pub domain: Option<String>,
    /// The certificate that it got; AWS: `session-reused` when it needed none.
    pub certificate: Option<String>,
    trace: String,
    /// The id of the client's connection.
    pub connection: String,
    classification: Option<Reason>,
    /// The rule that matched.
    priority: Option<Priority>,
    /// What the rule's actions did, in AWS's words.
    pub actions: Vec<&'static str>,
    /// Why an action failed, in AWS's words.
    pub error_reason: Option<&'static str>,
    redirect: Option<String>,
    group: Option<String>,
    transformed: Transformed,
    /// The target that it was sent to last.
    target: Option<SocketAddr>,
    /// Targets that it was offered to.
    attempts: usize,
    /// From the request's arrival until it was on its way to the target; nothing unless it was.
    pub request_time: Option<Duration>,
    /// From then until the target's response began.
    pub target_time: Option<Duration>,
    /// From then until the response was on its way to the client.
    pub response_time: Option<Duration>,
    /// The target's own status.
    pub target_status: Option<u16>,
    /// The request id of the API.
    pub gateway_request: Option<String>,
    /// Bytes of the request.
    pub received: u64,
}

/// How the request came, as the first field says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Http,
    Https,
    Http2,
    Grpc,
}

#[derive(Clone, Debug, Default)]
struct Transformed {
    host: Option<String>,
    uri: Option<String>,
    status: Option<&'static str>,
}

/// How a request ended.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// When.
    pub time: Micros,
    /// The status that the client got. AWS: 460 when it left before.
    pub status: u16,
    /// Bytes of the request.
    pub received: u64,
    /// Bytes of the response.
    pub sent: u64,
    /// Why it failed, if it did.
    pub reason: Option<&'static str>,
}

impl Entry {
    /// The entry of a request that a listener sees.
    pub fn open(listener: &ListenerTable, view: &View, now: Timestamp, draw: u64) -> Entry {
        let (received, mut traced) = (view.values(trace::HEADER).next(), Vec::new());
        trace::extend(&mut traced, received, now, draw, Use::BalancerTrace);
        let agent = view.values("user-agent").next().unwrap_or(b"-");
        Entry {
            created: Micros(now.0.saturating_mul(1000)),
            balancer: listener.balancer.arn.short().to_owned(),
            node: node(listener, view.local),
            client: view.source,
            protocol: protocol(view),
            request: request(listener, view),
            user_agent: agent[..agent.len().min(LONGEST_USER_AGENT)].to_vec(),
            tls: view.tls.map(|tls| (tls.cipher.to_owned(), tls.version.to_owned())),
            domain: None,
            certificate: None,
            trace: text(&traced),
            connection: "-".to_owned(),
            classification: desync::classify(view),
            priority: None,
            actions: Vec::new(),
            error_reason: None,
            redirect: None,
            group: None,
            transformed: Transformed::default(),
            target: None,
            attempts: 0,
            request_time: None,
            target_time: None,
            response_time: None,
            target_status: None,
            gateway_request: None,
            received: view.head_bytes() as u64 + 2,
        }
    }

    /// The entry of a request that could not even be read.
    pub fn unreadable(
        listener: &ListenerTable,
        client: SocketAddr,
        local: SocketAddr,
        https: bool,
        now: Timestamp,
    ) -> Entry {
        let view = View {
            method: "-",
            target: "",
            host: None,
            headers: &[],
            source: client,
            https,
            version: Version::Http11,
            body: crate::Body::Empty,
            local: Some(local),
            tls: None,
        };
        let (scheme, dns_name) = (scheme(https), &listener.balancer.dns_name);
        Entry {
            request: format!("- {scheme}://{dns_name}:{}- -", listener.port),
            trace: "-".to_owned(),
            classification: None,
            ..Entry::open(listener, &view, now, 0)
        }
    }

    /// It goes to a group.
    pub fn forwarded(&mut self, forward: &Forward) {
        self.matched(forward.rule);
        self.actions.push("forward");
        self.group = Some(forward.group.arn.to_string());
        if forward.stick.0 == Stick::New(Why::Invalid) {
            self.error_reason = Some("AWSALBTGCookieInvalid");
        }
        if forward.transformed.host || forward.transformed.url {
            self.transformed = Transformed {
                host: forward.transformed.host.then(|| sent_host(forward)).flatten(),
                uri: forward.uri.clone(),
                status: Some("TransformSuccess"),
            };
        }
    }

    /// The load balancer answers it.
    pub fn responded(&mut self, respond: &Respond) {
        self.group = respond.group.map(|group| group.arn.to_string());
        let Some(rule) = respond.rule else { return };
        self.matched(rule);
        match &rule.act {
            Act::Forward(_) => self.actions.push("forward"),
            Act::Redirect(_) => {
                self.actions.push("redirect");
                self.redirect = respond.answer.header("location").map(str::to_owned);
            }
            Act::Fixed(_) => self.actions.push("fixed-response"),
            Act::Broken(..) => {}
        }
        if respond.answer.status == 500 && !rule.transforms.is_empty() {
            self.transformed.status = Some("TransformReplaceError");
        }
    }

    /// This rule matched.
    pub fn matched(&mut self, rule: &RuleEntry) {
        self.priority = Some(rule.priority);
    }

    /// It is offered to a target; what is known of an earlier one is forgotten.
    pub fn offered(&mut self, target: &TargetEntry) {
        self.target = target.address;
        self.attempts += 1;
        (self.request_time, self.target_time) = (None, None);
    }

    /// The line, without a line end.
    pub fn line(&self, end: &End) -> String {
        let mut line = String::with_capacity(1024);
        // Writing to a string does not fail.
        let _ = self.write(&mut line, end);
        line
    }

    fn write(&self, line: &mut String, end: &End) -> fmt::Result {
        let Entry { balancer, client, trace, connection, .. } = self;
        let target = self.target.map_or(Cow::from("-"), |target| target.to_string().into());
        let target_status = optional(self.target_status.as_ref());
        let answered = self.target_status.is_some();
        write!(line, "{} {} {balancer} {client} {target}", self.kind(end.status), end.time)?;
        write!(line, " {}", seconds(self.request_time))?;
        write!(line, " {}", seconds(self.target_time.filter(|_| answered)))?;
        write!(line, " {}", seconds(self.response_time.filter(|_| answered)))?;
        write!(line, " {} {target_status} {} {} ", end.status, end.received, end.sent)?;
        quote(line, self.request.as_bytes());
        line.push(' ');
        quote(line, &self.user_agent);
        let (cipher, version) = self.tls.as_ref().map_or(("-", "-"), |(c, v)| (c, v));
        write!(line, " {cipher} {version} {} ", optional(self.group.as_ref()))?;
        for text in [trace, or_dash(self.domain.as_ref()), or_dash(self.certificate.as_ref())] {
            quote(line, text.as_bytes());
            line.push(' ');
        }
        match self.priority {
            Some(Priority::At(priority)) => write!(line, "{priority}")?,
            Some(Priority::Default) => line.push('0'),
            None => line.push('-'),
        }
        write!(line, " {} ", self.created)?;
        let actions = self.actions.join(",");
        let class = self.classification.map(|reason| format!("{:?}", reason.tier()));
        let reason = self.classification.map(|reason| format!("{reason:?}"));
        for text in [
            if actions.is_empty() { "-" } else { &actions },
            or_dash(self.redirect.as_ref()),
            self.error_reason.unwrap_or("-"),
            &target,
            &target_status,
            or_dash(class.as_ref()),
            or_dash(reason.as_ref()),
        ] {
            quote(line, text.as_bytes());
            line.push(' ');
        }
        let Transformed { host, uri, status } = &self.transformed;
        write!(line, "{connection}")?;
        for text in [or_dash(host.as_ref()), or_dash(uri.as_ref()), status.unwrap_or("-")] {
            line.push(' ');
            quote(line, text.as_bytes());
        }
        write!(line, " {} {}", self.node, end.reason.unwrap_or("-"))?;
        write!(line, " {} {}", self.attempts, optional(self.gateway_request.as_ref()))
    }

    fn kind(&self, status: u16) -> &'static str {
        match self.protocol {
            Protocol::Http if status == 101 => "ws",
            Protocol::Https if status == 101 => "wss",
            Protocol::Http => "http",
            Protocol::Https => "https",
            Protocol::Http2 => "h2",
            Protocol::Grpc => "grpcs",
        }
    }
}

fn protocol(view: &View) -> Protocol {
    let is_grpc =
        || view.text("content-type").is_some_and(|kind| kind.starts_with("application/grpc"));
    match (view.version, view.https) {
        (Version::Http2, true) if is_grpc() => Protocol::Grpc,
        (Version::Http2, _) => Protocol::Http2,
        (_, true) => Protocol::Https,
        (_, false) => Protocol::Http,
    }
}

/// AWS: `METHOD protocol://host:port/uri HTTP/x`, with the listener's port.
fn request(listener: &ListenerTable, view: &View) -> String {
    let name = view.host.map_or(Cow::from(&listener.balancer.dns_name), |host| host::split(host).0);
    let target = if view.target.is_empty() { "/" } else { view.target };
    let version = match view.version {
        Version::Http10 => "HTTP/1.0",
        Version::Http11 => "HTTP/1.1",
        Version::Http2 => "HTTP/2.0",
    };
    let (method, scheme, port) = (view.method, scheme(view.https), listener.port);
    format!("{method} {scheme}://{name}:{port}{target} {version}")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn scheme(https: bool) -> &'static str {
    if https { "https" } else { "http" }
}

/// The `Host` that transforms made.
fn sent_host(forward: &Forward) -> Option<String> {
    forward.edits.last_set("host").map(|value| String::from_utf8_lossy(value).into_owned())
}

/// Seconds with milliseconds; AWS: -1 for what did not happen.
fn seconds(time: Option<Duration>) -> String {
    time.map_or_else(|| "-1".to_owned(), |time| format!("{:.3}", time.as_secs_f64()))
}

fn optional(value: Option<&impl ToString>) -> Cow<'static, str> {
    value.map_or(Cow::from("-"), |value| value.to_string().into())
}

fn or_dash(text: Option<&String>) -> &str {
    text.map_or("-", String::as_str)
}

#[cfg(test)]
mod tests;
