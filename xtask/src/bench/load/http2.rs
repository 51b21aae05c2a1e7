//! An HTTP/2 client that knows what it will get.

use anyhow::{Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::TokioIo;

use super::client::Stream;

/// A share in a connection.
#[derive(Clone)]
pub struct Http2 {
    sender: SendRequest<Empty<Bytes>>,
    request: hyper::Request<Empty<Bytes>>,
    body: usize,
}

impl Http2 {
    /// A client of a connected stream that asks for `body` bytes.
    pub async fn new(
        stream: Box<dyn Stream>,
        host: &str,
        lines: &[(&str, &str)],
        body: usize,
    ) -> Result<Self> {
        let (sender, connection) = http2::handshake(OnThisThread, TokioIo::new(stream)).await?;
        // It ends with its last sender; what goes wrong before shows in the requests.
        tokio::task::spawn_local(async move { drop(connection.await) });
        let mut request = hyper::Request::get(format!("https://{host}/pets/{body}"));
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        Ok(Self { sender, request: request.body(Empty::new())?, body })
    }

    pub(super) async fn request(&mut self) -> Result<()> {
        self.sender.ready().await?;
        let response = self.sender.send_request(self.request.clone()).await?;
        if response.status() != 200 {
            bail!("it answers {}", response.status());
        }
        let body = response.into_body().collect().await?.to_bytes();
        if body.len() != self.body {
            bail!("it answers {} bytes instead of {}", body.len(), self.body);
        }
        Ok(())
    }
}

/// Runs the connection's own tasks.
#[derive(Clone, Copy)]
struct OnThisThread;

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for OnThisThread {
    fn execute(&self, task: F) {
        tokio::task::spawn_local(task);
    }
}
