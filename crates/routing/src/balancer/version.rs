//! Protocol versions of target groups: which requests a group takes.

use crate::finding::{Refusal, Step};
use crate::tables::{GroupTable, ProtocolVersion};
use crate::{Version, View};

/// AWS: the status for a request whose protocol does not go with the group's.
pub const MISMATCH: u16 = 464;

/// Why a group does not take a request, if it does not.
///
/// AWS: HTTP/1.1 goes to HTTP1 groups only; HTTP/2 to all, to GRPC groups only as POST; gRPC to
/// HTTP2 and GRPC groups.
pub fn refuse(group: &GroupTable, view: &View) -> Option<Refusal> {
    let reason = match (group.version, view.version == Version::Http2) {
        (ProtocolVersion::Http1, true) if is_grpc(view) => "is gRPC, the group speaks HTTP/1.1",
        (ProtocolVersion::Http1, _) | (ProtocolVersion::Http2, true) => return None,
        (ProtocolVersion::Grpc, true) if view.method == "POST" => return None,
        (ProtocolVersion::Grpc, true) => "is no POST, the group speaks gRPC",
        (ProtocolVersion::Http2, false) => "is not HTTP/2, the group speaks HTTP/2",
        (ProtocolVersion::Grpc, false) => "is not HTTP/2, the group speaks gRPC",
    };
    Some(Refusal::new(Step::Group, format!("the request {reason} ({})", group.name)))
}

/// Whether a request that a group takes is gRPC; HTTP1 groups take none.
pub fn carries_grpc(group: &GroupTable, view: &View) -> bool {
    group.version != ProtocolVersion::Http1 && is_grpc(view)
}

/// gRPC over HTTP/2 is known by its content type: `application/grpc`, or with a suffix.
fn is_grpc(view: &View) -> bool {
    let value = view.values("content-type").next().unwrap_or_default();
    let start = value.get(..GRPC.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(GRPC))
        && matches!(value.get(GRPC.len()), None | Some(b'+' | b';' | b' '))
}

const GRPC: &[u8] = b"application/grpc";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_go_to_groups_that_speak_their_protocol() {
        let check = |view: (Version, &str, &str), expect: [bool; 3]| {
            let (version, method, kind) = view;
            let headers: [(&str, &[u8]); 1] = [("Content-Type", kind.as_bytes())];
            let view = View { version, method, headers: &headers, ..crate::fixture::get("/") };
            let versions = [ProtocolVersion::Http1, ProtocolVersion::Http2, ProtocolVersion::Grpc];
            let taken = versions.map(|version| {
                let group = GroupTable { version, ..GroupTable::empty("g".into(), "g") };
                refuse(&group, &view).is_none()
            });
            assert_eq!(taken, expect, "{version:?} {method} {kind}");
        };
        for version in [Version::Http10, Version::Http11] {
            check((version, "GET", ""), [true, false, false]);
            check((version, "POST", "application/grpc"), [true, false, false]);
        }
        check((Version::Http2, "GET", ""), [true, true, false]);
        check((Version::Http2, "POST", "text/plain"), [true, true, true]);
        check((Version::Http2, "POST", "application/grpc-web"), [true, true, true]);
        for kind in ["application/grpc", "Application/gRPC+proto", "application/grpc;x=1"] {
            check((Version::Http2, "POST", kind), [false, true, true]);
        }
        check((Version::Http2, "GET", "application/grpc"), [false, true, false]);
    }
}
