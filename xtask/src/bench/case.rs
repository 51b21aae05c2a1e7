//! What is measured: a case is one kind of traffic. Subjects are started once for all of them.
//!
//! Another kind of traffic is another variant of `Traffic` with its client in `load`.

/// One row of the results.
#[derive(Clone, Debug)]
pub struct Case {
    /// As options, tables and pictures call it: `http-100`.
    pub name: String,
    /// What is sent.
    pub traffic: Traffic,
}

/// What a client does again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// GET requests on kept-alive connections.
    Http {
        /// Who asks.
        agent: Agent,
        /// Bytes of the response's body.
        body: usize,
        /// How the client speaks.
        protocol: Protocol,
    },
}

/// A kind of client, by the headers that it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agent {
    /// Host and two more lines.
    Curl,
    /// Host and thirteen more lines.
    Browser,
}

/// The protocol between client and proxy. Towards the origin it is always HTTP/1.1 in clear text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1
    Http1,
    /// HTTP/1.1 over TLS 1.3
    Http1Tls,
    /// HTTP/2 over TLS 1.3
    Http2Tls,
}

/// Sizes of response bodies, in bytes.
const SIZES: [usize; 2] = [100, 16 * 1024];

/// All cases, or those whose name contains one of `chosen`.
pub fn cases(chosen: &[String]) -> Vec<Case> {
    let http = |protocol, agent, body| {
        let (start, agent_name) = (protocol_name(protocol), agent_name(agent));
        let name = format!("{start}-{body}{agent_name}");
        Case { name, traffic: Traffic::Http { agent, body, protocol } }
    };
    let clear = [Agent::Curl, Agent::Browser]
        .into_iter()
        .flat_map(|agent| SIZES.map(|body| http(Protocol::Http1, agent, body)));
    let tls = [Protocol::Http1Tls, Protocol::Http2Tls]
        .into_iter()
        .flat_map(|protocol| SIZES.map(|body| http(protocol, Agent::Curl, body)));
    let wanted =
        |case: &Case| chosen.is_empty() || chosen.iter().any(|part| case.name.contains(part));
    clear.chain(tls).filter(wanted).collect()
}

fn protocol_name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Http1 => "http",
        Protocol::Http1Tls => "tls",
        Protocol::Http2Tls => "h2",
    }
}

fn agent_name(agent: Agent) -> &'static str {
    match agent {
        Agent::Curl => "",
        Agent::Browser => "-browser",
    }
}

impl Case {
    /// In words, for the table.
    pub fn words(&self) -> String {
        let Traffic::Http { agent, body, protocol } = self.traffic;
        let protocol = match protocol {
            Protocol::Http1 => "HTTP/1.1",
            Protocol::Http1Tls => "TLS, HTTP/1.1",
            Protocol::Http2Tls => "TLS, HTTP/2",
        };
        let size = if body < 1024 { format!("{body} B") } else { format!("{} KiB", body / 1024) };
        let agent = match agent {
            Agent::Curl => "",
            Agent::Browser => ", browser's headers",
        };
        format!("{protocol}, {size}{agent}")
    }

    /// Whether it needs TLS.
    pub fn is_tls(&self) -> bool {
        let Traffic::Http { protocol, .. } = self.traffic;
        protocol != Protocol::Http1
    }
}

impl Agent {
    /// Header lines but `Host`.
    pub fn lines(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Curl => &[("user-agent", "curl/8.5.0"), ("accept", "*/*")],
            Self::Browser => BROWSER,
        }
    }
}

const BROWSER: &[(&str, &str)] = &[
    ("sec-ch-ua", "\"Chromium\";v=\"130\", \"Not?A_Brand\";v=\"99\""),
    ("sec-ch-ua-mobile", "?0"),
    ("sec-ch-ua-platform", "\"Linux\""),
    ("upgrade-insecure-requests", "1"),
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
         Chrome/130.0.0.0 Safari/537.36",
    ),
    (
        "accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    ),
    ("sec-fetch-site", "same-origin"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
    ("referer", "https://shop.example.com/pets?page=2"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("accept-language", "en-GB,en;q=0.9"),
    ("cookie", "session=6f1c2f5e9a8b47d0; theme=dark; consent=all"),
];
