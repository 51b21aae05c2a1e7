//! From a request of the transport to a `Call`, and from a `Reply` to its response.

use bytes::Bytes;
use transport::{BodyError, Edits, Request, Response};
use wire::Reply;

use crate::{Api, Call};

/// The longest body of a call. A CloudFormation template of 1 MB in a form is the largest there is.
pub const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// Answers a request on the control port.
pub async fn serve(api: &Api, mut request: Request) -> Response {
    let body = request.take_body();
    let body = match body.collect(MAX_BODY_BYTES).await {
        Ok(body) => body,
        Err(BodyError::TooLarge(_)) => return too_large(),
        // The client has left; nobody reads this.
        Err(_) => return Response::full(400, &Edits::new(), Bytes::new()).close(),
    };
    let reply = api.call(call(&request, &body)).await;
    respond(reply)
}

/// The parts of a request that a call needs. Header values that are not UTF-8 are read loosely:
/// no AWS client sends them.
pub fn call(request: &Request, body: &[u8]) -> Call {
    let head = request.head();
    let lossy = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let mut headers: Vec<(String, String)> =
        head.headers().map(|(name, value)| (name.to_owned(), lossy(value))).collect();
    if head.get("host").is_none()
        && let Some(host) = head.host()
    {
        headers.push(("host".to_owned(), host.to_owned()));
    }
    Call {
        method: head.method().to_owned(),
        path: head.path().to_owned(),
        query: head.query().unwrap_or_default().to_owned(),
        headers,
        body: body.to_vec(),
    }
}

/// A reply as a response.
pub fn respond(reply: Reply) -> Response {
    let mut edits = Edits::new();
    for (name, value) in reply.headers {
        edits.set(name, value);
    }
    Response::full(reply.status, &edits, Bytes::from(reply.body))
}

fn too_large() -> Response {
    let mut edits = Edits::new();
    edits.set("content-type", "application/json");
    let message = format!("The body is longer than {MAX_BODY_BYTES} bytes.");
    let body = format!(r#"{{"__type":"RequestEntityTooLarge","message":"{message}"}}"#);
    Response::full(413, &edits, Bytes::from(body)).close()
}
