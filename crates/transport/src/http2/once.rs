//! One request on an HTTP/2 connection of its own, the answer read into memory.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Context;

use bytes::{Bytes, BytesMut};
use edits::legal::{is_name, is_value};
use h2::client::SendRequest;

use super::inflow::Inflow;
use super::message;
use super::pool::greet;
use crate::body::BodyError;
use crate::client::Call;
use crate::codec::lines::{Kind as Line, Lines};
use crate::dial::DialError;
use crate::io::Socket;
use crate::limits::MAX_HEAD_BYTES;
use crate::request::check_start;
use crate::upstream::{Answer, UpstreamErrorKind as Kind};

/// Make the call on a connected socket.
pub(crate) async fn talk(call: &Call<'_>, socket: Socket) -> Result<Answer, DialError> {
    let message = head(call).map_err(|why| (Kind::Invalid(why), String::new()))?;
    let (sender, connection) = greet(socket, MAX_HEAD_BYTES).await?;
    let (mut connection, mut answer) = (pin!(connection), pin!(ask(call, message, sender)));
    let mut gone = false;
    poll_fn(|cx: &mut Context<'_>| {
        // Its streams say how it ended.
        gone = gone || connection.as_mut().poll(cx).is_ready();
        answer.as_mut().poll(cx)
    })
    .await
}

fn head(call: &Call<'_>) -> Result<http::Request<()>, &'static str> {
    check_start(call.method, call.target)?;
    let mut host = call.addr.to_string();
    let mut builder = http::Request::builder().version(http::Version::HTTP_2).method(call.method);
    for (name, value) in call.headers {
        if !is_name(name) || !is_value(value.as_bytes()) {
            return Err("header line");
        }
        match Line::of(&name.to_ascii_lowercase()) {
            Line::Host => (*value).clone_into(&mut host),
            Line::ContentLength => {}
            // The one field of its kind that HTTP/2 knows.
            kind if kind.is_hop_by_hop() && !name.eq_ignore_ascii_case("te") => {}
            _ => builder = builder.header(*name, *value),
        }
    }
    if !call.body.is_empty() {
        builder = builder.header("content-length", call.body.len());
    }
    let scheme = if call.tls.is_some() { "https" } else { "http" };
    builder.uri(format!("{scheme}://{host}{}", call.target)).body(()).map_err(|_| "target")
}

async fn ask(
    call: &Call<'_>,
    message: http::Request<()>,
    mut sender: SendRequest<Bytes>,
) -> Result<Answer, DialError> {
    let failed = |error: h2::Error| (Kind::Reset, error.to_string());
    let (response, mut stream) =
        sender.send_request(message, call.body.is_empty()).map_err(failed)?;
    if !call.body.is_empty() {
        stream.send_data(call.body.clone(), true).map_err(failed)?;
    }
    let (parts, stream) = response.await.map_err(failed)?.into_parts();
    let mut inflow = Inflow::new(stream, message::length(&parts.headers));
    let mut body = BytesMut::new();
    while let Some(data) = poll_fn(|cx| inflow.poll(cx)).await {
        let data = data.map_err(|error| (Kind::Body(BodyError::Upstream), error.to_string()))?;
        if body.len() + data.len() > call.max_body {
            return Err((Kind::Body(BodyError::TooLarge(call.max_body)), String::new()));
        }
        body.extend_from_slice(&data);
    }
    let list = |lines: &Lines| {
        lines.iter().map(|(name, value)| (name.to_owned(), Bytes::copy_from_slice(value))).collect()
    };
    Ok(Answer {
        status: parts.status.as_u16(),
        headers: list(&message::lines(&parts.headers)),
        body: body.freeze(),
        trailers: inflow.take_trailers().map(|trailers| list(&trailers)).unwrap_or_default(),
    })
}
