//! A tiny origin that answers each request with what it received, as JSON. For examples and tests.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use transport::{
    Connection, Edits, Handler, Limits, ListenOptions, ListenerKey, Request, Response, Workers,
};

use crate::threads::Stop;

/// The longest body that is echoed; more is cut off. In bytes.
const ECHOED_BODY_BYTES: usize = 1024 * 1024;

/// A running origin.
pub struct Echo {
    workers: Workers,
    address: SocketAddr,
    ended: Stop,
}

impl Echo {
    /// Listens and answers from now on.
    pub fn start(listen: SocketAddr, name: Option<String>) -> Result<Self> {
        let ended = crate::signals::listen()?;
        let workers = Workers::start(1, Limits::default()).context("the origin cannot start")?;
        let sockets = network::listen(listen, workers.count())?;
        let address = sockets[0].local_addr()?;
        let name = name.unwrap_or_else(|| address.to_string());
        let options = ListenOptions { http2: true, ..ListenOptions::default() };
        workers.listen(ListenerKey::from("echo"), sockets, options, Arc::new(Answer { name }))?;
        Ok(Self { workers, address, ended })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until Ctrl-C or SIGTERM.
    pub fn run_until_signal(mut self) -> Result<()> {
        self.ended.wait()?;
        self.workers.drain(Duration::from_secs(5));
        Ok(())
    }
}

struct Answer {
    name: String,
}

impl Handler for Answer {
    async fn handle(&self, mut request: Request, connection: &Connection) -> Response {
        let body = request.take_body().collect(ECHOED_BODY_BYTES).await.unwrap_or_default();
        let head = request.head();
        let mut headers = Map::new();
        for (name, value) in head.headers() {
            let value = String::from_utf8_lossy(value).into_owned();
            match headers.get_mut(name) {
                Some(Value::String(first)) => *first = format!("{first}, {value}"),
                _ => drop(headers.insert(name.to_owned(), Value::String(value))),
            }
        }
        let answer = json!({
            "origin": self.name,
            "method": head.method(),
            "target": head.target(),
            "peer": connection.peer.ip().to_string(),
            "headers": headers,
            "body": String::from_utf8_lossy(&body),
        });
        let mut edits = Edits::new();
        edits.set("content-type", "application/json").set("x-origin", self.name.clone());
        Response::full(200, &edits, Bytes::from(format!("{answer:#}\n")))
    }
}
