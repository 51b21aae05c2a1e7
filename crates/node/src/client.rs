//! Talks to the control port of a running node, for commands of the command line.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use bytes::Bytes;
use serde_json::{Value, json};
use transport::Answer;
use transport::client::{Call, once};

/// A request to explain.
pub struct ExplainRequest {
    /// HTTP method.
    pub method: String,
    /// URL as a client would request it.
    pub url: String,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// Address that the request comes from.
    pub source: String,
}

/// What a node answered to it.
pub struct Explained {
    /// For people: a line per step.
    pub text: String,
    /// For scripts.
    pub json: String,
    /// Whether the request would be refused on its way.
    pub refused: bool,
}

/// Asks the node at `api` what it would do with a request.
pub fn explain(api: &str, request: &ExplainRequest) -> Result<Explained> {
    let question = json!({
        "method": request.method,
        "url": request.url,
        "headers": request.headers,
        "source": request.source,
    });
    let answer = post(api, "/_breezeway/explain", &question)?;
    let refused = answer["refused"].as_bool().unwrap_or(false);
    Ok(Explained { text: as_text(request, &answer), json: format!("{answer:#}"), refused })
}

/// Empties the node at `api`.
pub fn reset(api: &str) -> Result<()> {
    post(api, "/_breezeway/reset", &Value::Null).map(drop)
}

fn as_text(request: &ExplainRequest, answer: &Value) -> String {
    let mut text = format!("{} {}\n", request.method, request.url);
    for step in answer["steps"].as_array().into_iter().flatten() {
        let mark = if step["passed"] == true { "ok  " } else { "STOP" };
        let name = step["step"].as_str().unwrap_or_default();
        let detail = step["detail"].as_str().unwrap_or_default();
        text += &format!("  {mark}  {name:<13} {detail}\n");
    }
    if let Some(status) = answer["answer"]["status"].as_u64() {
        let body = answer["answer"]["body"].as_str().unwrap_or_default();
        let body = body.split_whitespace().collect::<Vec<_>>().join(" ");
        text += &format!("  the client gets {status} {body}\n");
    }
    text
}

/// The certificate of the authority of the node at `api`, PEM.
pub fn authority(api: &str) -> Result<String> {
    let answer = send(api, "GET", "/_breezeway/authority.pem", Bytes::new())?;
    if answer.status != 200 {
        bail!("{api} does not answer as a Breezeway node does");
    }
    String::from_utf8(answer.body.to_vec()).context("the certificate is no text")
}

fn post(api: &str, path: &str, body: &Value) -> Result<Value> {
    let answer = send(api, "POST", path, body.to_string().into())?;
    let value: Value = serde_json::from_slice(&answer.body)
        .with_context(|| format!("{api} does not answer as a Breezeway node does"))?;
    if answer.status != 200 {
        bail!("{}", value["message"].as_str().unwrap_or("the node refused"));
    }
    Ok(value)
}

fn send(api: &str, method: &str, path: &str, body: Bytes) -> Result<Answer> {
    let address = resolve(api)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let host = address.to_string();
    let headers = [("host", host.as_str()), ("content-type", "application/json")];
    let call = Call {
        headers: &headers,
        body,
        timeout: Duration::from_secs(30),
        ..Call::new(address, method, path)
    };
    runtime.block_on(once(call)).map_err(|error| {
        anyhow!(
            "no node answers at {api} ({error}); start one with `breezeway serve`, or name it with \
             --api"
        )
    })
}

/// An address, or a name with a port, or a URL of either.
fn resolve(api: &str) -> Result<SocketAddr> {
    let bare = api.trim_start_matches("http://").trim_end_matches('/');
    bare.to_socket_addrs()
        .ok()
        .and_then(|mut found| found.next())
        .ok_or_else(|| anyhow!("--api {api:?} is not an address; it looks like 127.0.0.1:4566"))
}
