//! Error pages of load balancers, byte for byte, and what gRPC clients get instead.

// DEVIATION: Pages of load balancers and errors of HTTP APIs have no `Connection: keep-alive` line,
// which HTTP/1.1 implies; AWS's have one.

use std::borrow::Cow;

use crate::answer::{Answer, reason};
use crate::balancer::version;
use crate::tables::{GroupTable, ProtocolVersion};

/// The page for a status. AWS: nginx's page without its footer, CRLF line ends; 503 has 162 bytes,
/// 502 and 400 have 122. 460, 463, 464 and 561 have no reason phrase.
pub fn page(status: u16) -> Answer {
    let words = reason(status);
    let title = match (status, words) {
        // nginx has other words for it on the page than in the status line.
        (401, _) => "401 Authorization Required".to_string(),
        (_, "") => status.to_string(),
        _ => format!("{status} {words}"),
    };
    let body = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n\
         <center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    );
    Answer {
        status,
        reason: words,
        headers: vec![
            (Cow::from("Server"), "awselb/2.0".to_string()),
            (Cow::from("Content-Type"), "text/html".to_string()),
        ],
        body: Cow::from(body.into_bytes()),
        close: matches!(status, 400 | 408 | 413 | 414 | 501 | 505),
    }
}

/// What a client gets with a status instead of an answer of this group's targets.
pub fn of(group: &GroupTable, status: u16) -> Answer {
    match group.version {
        ProtocolVersion::Grpc if status != version::MISMATCH => grpc(status),
        _ => page(status),
    }
}

/// AWS: a failure at a GRPC group is a gRPC status in the head of a response without a body.
fn grpc(status: u16) -> Answer {
    // gRPC's own table of what an HTTP status stands for, with what a load balancer adds.
    let (code, message) = match status {
        400 | 413 | 414 => ("13", "internal"),
        401 => ("16", "unauthenticated"),
        403 => ("7", "permission denied"),
        404 => ("12", "unimplemented"),
        408 | 429 | 502 | 503 | 504 => ("14", "unavailable"),
        _ => ("2", "unknown"),
    };
    let line = |name: &'static str, value: &str| (Cow::from(name), value.to_string());
    Answer {
        headers: vec![
            line("Server", "awselb/2.0"),
            line("Content-Type", "application/grpc"),
            line("grpc-status", code),
            line("grpc-message", message),
        ],
        body: Cow::Borrowed(b""),
        ..page(status)
    }
}

/// The page for a client that speaks clear text on a port for TLS.
pub fn clear_text() -> Answer {
    let title = "400 The plain HTTP request was sent to HTTPS port";
    let body = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n\
         <center><h1>400 Bad Request</h1></center>\r\n<center>{}</center>\r\n\
         </body>\r\n</html>\r\n",
        title.trim_start_matches("400 ")
    );
    Answer { body: Cow::from(body.into_bytes()), ..page(400) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grpc_groups_answer_with_a_grpc_status() {
        let check = |version, status, expect: Option<&str>| {
            let group = GroupTable { version, ..GroupTable::empty("g".into(), "g") };
            let answer = of(&group, status);
            assert_eq!((answer.status, answer.header("grpc-status")), (status, expect));
            assert_eq!(answer.body.is_empty(), expect.is_some());
        };
        for status in [408, 429, 502, 503, 504] {
            check(ProtocolVersion::Grpc, status, Some("14"));
        }
        check(ProtocolVersion::Grpc, 400, Some("13"));
        check(ProtocolVersion::Grpc, 401, Some("16"));
        check(ProtocolVersion::Grpc, 403, Some("7"));
        check(ProtocolVersion::Grpc, 404, Some("12"));
        check(ProtocolVersion::Grpc, 500, Some("2"));
        check(ProtocolVersion::Grpc, 464, None);
        check(ProtocolVersion::Http2, 502, None);
        check(ProtocolVersion::Http1, 502, None);
    }

    #[test]
    fn pages_have_the_known_lengths() {
        let check = |status, title: &str, length: usize| {
            let page = page(status);
            let text = String::from_utf8_lossy(&page.body).into_owned();
            assert!(text.contains(&format!("<h1>{title}</h1>")), "{text}");
            assert_eq!(page.body.len(), length, "{status}");
            assert_eq!(page.header("server"), Some("awselb/2.0"));
        };
        check(503, "503 Service Temporarily Unavailable", 162);
        check(502, "502 Bad Gateway", 122);
        check(400, "400 Bad Request", 122);
        check(504, "504 Gateway Time-out", 132);
        check(405, "405 Not Allowed", 122);
        check(408, "408 Request Time-out", 132);
        check(413, "413 Request Entity Too Large", 148);
        check(414, "414 Request-URI Too Large", 142);
        check(500, "500 Internal Server Error", 142);
        check(501, "501 Not Implemented", 130);
        check(505, "505 HTTP Version Not Supported", 152);
        check(401, "401 Authorization Required", 144);
        check(561, "561", 98);
        check(460, "460", 98);
        check(463, "463", 98);
        check(464, "464", 98);
    }
}
