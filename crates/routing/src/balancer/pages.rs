//! Error pages of load balancers, byte for byte.

use std::borrow::Cow;

use crate::answer::{Answer, reason};

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

#[cfg(test)]
mod tests {
    use super::*;

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
