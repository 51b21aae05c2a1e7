//! Which request heads are refused although they can be read: framing and host that two parties
//! may read differently. Pure. What is not even a head is refused by `codec::head`.

// DEVIATION: A request with several Host lines, or with a Host that differs from the host of an
// absolute-form target, gets 400. An application load balancer forwards all the lines where it
// preserves the host, and prefers the host of the target.

// MISSING: HTTP/0.9 requests get 400; an application load balancer serves them.

use crate::codec::head::RequestHead;
use crate::codec::lines::Kind;
use crate::codec::target::is_host_byte;
use crate::codec::{Refusal, bad, framing};
use crate::request::Version;

/// How the request's body is framed, if the head may be acted on.
pub(crate) fn check(head: &RequestHead) -> Result<framing::Framing, Refusal> {
    if head.method() == "CONNECT" {
        return Err(Refusal { status: 405, why: "CONNECT is not served" });
    }
    check_host(head)?;
    framing::request(head.version, &head.lines)
}

fn check_host(head: &RequestHead) -> Result<(), Refusal> {
    let mut hosts = head.lines.of(Kind::Host);
    let first = hosts.next();
    if hosts.next().is_some() {
        return Err(bad("more than one Host"));
    }
    let authority = head.authority();
    if authority.is_some_and(|authority| authority.contains('@')) {
        return Err(bad("user information in the target"));
    }
    let Some(host) = first else {
        // RFC 9112, 3.2: HTTP/1.1 needs Host. HTTP/2 has :authority; HTTP/1.0 may have neither.
        return match head.version {
            Version::Http11 => Err(bad("no Host")),
            _ => Ok(()),
        };
    };
    if !host.iter().all(|b| is_host_byte(*b)) {
        return Err(bad("a Host that is no host"));
    }
    match authority {
        Some(authority) if !same_host(authority.as_bytes(), host, head.is_https()) => {
            Err(bad("Host and target name different hosts"))
        }
        _ => Ok(()),
    }
}

fn same_host(a: &[u8], b: &[u8], https: bool) -> bool {
    let port: &[u8] = if https { b":443" } else { b":80" };
    let trim = |host| <[u8]>::strip_suffix(host, port).unwrap_or(host);
    trim(a).eq_ignore_ascii_case(trim(b))
}
