//! The node's own pages on the control port, under `/_breezeway/`: health, metrics, explain, reset,
//! the certificate authority, what trust stores hold. Answers are JSON but for metrics and
//! certificates; web pages of other sites are refused as for operations.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use api::Api;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use proxy::Journal;
use routing::balancer::outlier;
use routing::{Body, Explanation, Tables, Version, View};
use serde::Deserialize;
use serde_json::{Value, json};
use transport::{Edits, Request, Response, Workers};

use crate::applier::Applied;
use crate::config::Config;
use crate::node::Addresses;

/// The longest body of a request to these pages, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// What the pages show.
pub struct Admin {
    /// Records and the revision that is live.
    pub api: Api,
    /// Tables and findings.
    pub applied: Arc<Applied>,
    /// The data plane.
    pub workers: Arc<Workers>,
    /// Lines of load balancers' logs.
    pub journal: Arc<Journal>,
    /// Where the node listens.
    pub addresses: Addresses,
    /// How it was configured.
    pub config: Config,
}

/// The body of an explain request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default)]
    source: Option<IpAddr>,
}

impl Admin {
    /// Answers a request for one of the pages. Those that show how security is set up, or empty
    /// the node, are for its own machine only, since nothing about them is signed.
    pub async fn serve(&self, request: Request, peer: IpAddr) -> Response {
        let head = request.head();
        let origin = head.get_str("origin");
        if !api::is_trusted(head.host(), origin) {
            return problem(403, "This node refuses requests from web pages of other sites.");
        }
        let (method, path) = (head.method().to_owned(), head.path().to_owned());
        let open = matches!(path.as_str(), "/_breezeway/health" | "/_breezeway/metrics");
        if !open && !peer.to_canonical().is_loopback() {
            return problem(403, "This page is for programs on the node's own machine.");
        }
        if let Some(rest) = path.strip_prefix("/_breezeway/trust-stores/") {
            return self.trust_store(rest);
        }
        match (method.as_str(), path.as_str()) {
            ("GET" | "HEAD", "/_breezeway/authority.pem") => {
                pem(self.api.settings.authority.certificate.clone())
            }
            ("GET" | "HEAD", "/_breezeway/health") => self.health(),
            ("GET" | "HEAD", "/_breezeway/metrics") => self.metrics(),
            ("POST", "/_breezeway/explain") => self.explain(request).await,
            ("POST", "/_breezeway/reset") => self.reset().await,
            (_, "/_breezeway/health" | "/_breezeway/metrics") => problem(405, "Use GET."),
            (_, "/_breezeway/explain" | "/_breezeway/reset") => problem(405, "Use POST."),
            _ => problem(404, "The pages are health, metrics, explain, reset and authority.pem."),
        }
    }

    /// 503 when changes cannot be kept; requests are served all the same.
    fn health(&self) -> Response {
        let trouble = self.api.store.trouble();
        let (code, status) = match &trouble {
            None => (200, "ok"),
            Some(_) => (503, "failing"),
        };
        let state = self.api.store.snapshot();
        let Addresses { api, http, https, dns } = self.addresses;
        let findings: Vec<Value> = self
            .applied
            .findings
            .borrow()
            .iter()
            .map(|f| json!({"resource": f.resource, "message": f.message, "fix": f.fix}))
            .collect();
        let page = json!({
            "status": status,
            "trouble": trouble.as_deref(),
            "version": env!("CARGO_PKG_VERSION"),
            "api": api.to_string(),
            "http": http.to_string(),
            "https": https.to_string(),
            "dns": dns.map(|dns| dns.to_string()),
            "account": self.config.account_id,
            "region": self.config.region,
            "ephemeral": self.config.data_dir.is_none(),
            "network": {"driver": self.config.network.name(), "why": self.config.network.why()},
            "revision": {"committed": state.revision, "live": *self.applied.revision.borrow()},
            "resources": {
                "apis": state.apis.len(),
                "routes": state.routes.len(),
                "vpc_links": state.vpc_links.len(),
                "load_balancers": state.load_balancers.len(),
                "target_groups": state.target_groups.len(),
                "targets": state.targets.len(),
                "vpcs": state.vpcs.len(),
                "stacks": state.stacks.len(),
            },
            "logs": {
                "buckets": self.config.s3_dir.as_ref().map(|folder| folder.display().to_string()),
                "dropped": self.journal.dropped.get(),
            },
            "left_out": left_out(&self.applied.tables.load()),
            "findings": findings,
        });
        json_page(code, &page)
    }

    fn metrics(&self) -> Response {
        let tables = Arc::clone(&self.applied.tables);
        let dropped = self.journal.dropped.get();
        match crate::metrics::render(tables, &self.api.store, &self.workers, dropped) {
            Ok(text) => {
                let mut edits = Edits::new();
                let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
                edits.set("content-type", kind);
                Response::full(200, &edits, Bytes::from(text))
            }
            Err(error) => problem(500, &format!("The metrics cannot be written: {error}")),
        }
    }

    /// What a trust store holds: `ID/bundle.pem` and `ID/revocations/N.crl`.
    fn trust_store(&self, rest: &str) -> Response {
        let state = self.api.store.snapshot();
        let found = rest.split_once('/').and_then(|(id, page)| {
            let mut stores = state.trust_stores.iter();
            let is_it = |arn: &str| arn.rsplit('/').next() == Some(id);
            Some((stores.find(|store| is_it(store.arn.as_str()))?, page))
        });
        let Some((store, page)) = found else { return problem(404, "There is no such page.") };
        if page == "bundle.pem" {
            return pem(store.bundle.clone());
        }
        let number = page.strip_prefix("revocations/").and_then(|p| p.strip_suffix(".crl"));
        let list = number.and_then(|number| {
            let id: i64 = number.parse().ok()?;
            let list = store.revocations.iter().find(|list| list.id == id)?;
            STANDARD.decode(&list.list).ok()
        });
        match list {
            Some(der) => {
                let mut edits = Edits::new();
                edits.set("content-type", "application/pkix-crl");
                Response::full(200, &edits, Bytes::from(der))
            }
            None => problem(404, "There is no such page."),
        }
    }

    async fn reset(&self) -> Response {
        let Some(revision) = self.api.store.reset() else {
            return problem(
                409,
                "This node keeps its records; only one started with --ephemeral can be reset.",
            );
        };
        self.api.until_live(revision).await;
        json_page(200, &json!({"status": "empty", "revision": revision}))
    }

    async fn explain(&self, mut request: Request) -> Response {
        let Ok(body) = request.take_body().collect(MAX_BODY_BYTES).await else {
            return problem(413, "The body is too long.");
        };
        let question: Question = match serde_json::from_slice(&body) {
            Ok(question) => question,
            Err(error) => return problem(400, &format!("The body cannot be read: {error}")),
        };
        match self.answer(&question) {
            Ok(answer) => json_page(200, &answer),
            Err(message) => problem(400, &message),
        }
    }

    fn answer(&self, question: &Question) -> Result<Value, String> {
        let (https, host, target) = split_url(&question.url)?;
        let mut headers: Vec<(&str, &[u8])> = vec![("host", host.as_bytes())];
        let given = question.headers.iter().filter(|(n, _)| !n.eq_ignore_ascii_case("host"));
        headers.extend(given.map(|(name, value)| (name.as_str(), value.as_bytes())));
        let named = question.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
        let host = named.map_or(host, |(_, value)| value.as_str());
        headers[0].1 = host.as_bytes();
        let source = question.source.unwrap_or_else(|| IpAddr::from([127, 0, 0, 1]));
        let view = View {
            method: &question.method,
            target,
            host: Some(host),
            headers: &headers,
            source: SocketAddr::new(source, 0),
            https,
            version: Version::Http11,
            body: Body::Empty,
            local: None,
            tls: None,
        };
        let tables = self.applied.tables.load_full();
        let now = api::now();
        Ok(as_json(&routing::explain(&tables, &view, now, fastrand::u64(..))))
    }
}

/// Targets that get no requests for now, since their connections failed in a row.
fn left_out(tables: &Tables) -> Vec<Value> {
    let now = api::now();
    let of_group = |group: &Arc<routing::tables::GroupTable>| -> Vec<Value> {
        let out = outlier::left_out(group, now);
        out.map(|(target, until)| {
            let address = format!("{}:{}", target.id.id, target.id.port);
            json!({
                "target_group": group.arn.as_str(),
                "target": address,
                "until": until.to_string(),
            })
        })
        .collect()
    };
    tables.groups.values().flat_map(of_group).collect()
}

/// Whether the URL is HTTPS, its authority, and its path with query.
fn split_url(url: &str) -> Result<(bool, &str, &str), String> {
    let (https, rest) = match url.split_once("://") {
        Some(("http", rest)) => (false, rest),
        Some(("https", rest)) => (true, rest),
        _ => return Err(format!("{url:?} is not a URL: it starts with http:// or https://")),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, target) = rest.split_at(end);
    let target = target.split('#').next().unwrap_or_default();
    if host.is_empty() {
        return Err(format!("{url:?} has no host"));
    }
    Ok((https, host, if target.is_empty() { "/" } else { target }))
}

fn as_json(explanation: &Explanation) -> Value {
    let steps: Vec<Value> = explanation
        .steps
        .iter()
        .map(|s| json!({"step": s.step.as_str(), "passed": s.passed, "detail": s.detail}))
        .collect();
    let answer = explanation.answer.as_ref().map(
        |answer| json!({"status": answer.status, "body": String::from_utf8_lossy(&answer.body)}),
    );
    let refused = explanation.steps.iter().any(|step| !step.passed);
    json!({"refused": refused, "steps": steps, "answer": answer})
}

fn pem(text: String) -> Response {
    let mut edits = Edits::new();
    edits.set("content-type", "application/x-pem-file");
    Response::full(200, &edits, Bytes::from(text))
}

fn json_page(status: u16, value: &Value) -> Response {
    let mut edits = Edits::new();
    edits.set("content-type", "application/json");
    Response::full(status, &edits, Bytes::from(format!("{value:#}\n")))
}

fn problem(status: u16, message: &str) -> Response {
    json_page(status, &json!({ "message": message }))
}

#[cfg(test)]
mod tests {
    use super::split_url;

    #[test]
    fn a_url_is_split_as_a_client_would() {
        let check = |url, expect| assert_eq!(split_url(url).ok(), expect, "{url}");
        check("http://a.b:80/x?y#z", Some((false, "a.b:80", "/x?y")));
        check("https://a", Some((true, "a", "/")));
        check("http://a?q", Some((false, "a", "?q")));
        check("a/b", None);
        check("http:///b", None);
        check("ftp://a/b", None);
    }
}
