//! Error answers of the gateway: `{"message":"…"}` in AWS's words.

use std::borrow::Cow;

use crate::answer::{Answer, reason};

/// What went wrong, as the client gets to see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 400: a request that cannot be taken apart.
    BadRequest,
    /// 403: reachable, but not for this client.
    Forbidden,
    /// 404: no API, stage or route, or a disabled endpoint.
    NotFound,
    /// 413: more than 10 MB of body.
    TooLarge,
    /// 431: request line and headers of more than 10,240 bytes.
    HeadersTooLarge,
    /// 500: an integration that is not configured well.
    Internal,
    /// 503: the backend is not there, too slow, or behind a link that does not carry.
    /// AWS: a timeout is 503 too, never 504.
    Unavailable,
}

impl Kind {
    /// Status code, reason phrase, `message`.
    fn parts(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::BadRequest => (400, "Bad Request", "Bad Request"),
            Self::Forbidden => (403, "Forbidden", "Forbidden"),
            Self::NotFound => (404, "Not Found", "Not Found"),
            Self::TooLarge => (413, "Request Entity Too Large", "Request Entity Too Large"),
            Self::HeadersTooLarge => {
                (431, "Request Header Fields Too Large", "Request Header Fields Too Large")
            }
            Self::Internal => (500, "Internal Server Error", "Internal Server Error"),
            Self::Unavailable => (503, "Service Unavailable", "Service Unavailable"),
        }
    }

    /// The status code.
    pub fn status(self) -> u16 {
        self.parts().0
    }
}

/// The answer. `request_id` goes into `apigw-requestid`; none when it is empty (no API was found).
pub fn answer(kind: Kind, request_id: &str) -> Answer {
    let (status, reason, message) = kind.parts();
    told(status, reason, message, request_id)
}

/// The answer to what is no request, or one that two parties could read in two ways.
pub fn unreadable(status: u16) -> Answer {
    let words = reason(status);
    Answer { close: true, ..told(status, words, words, "") }
}

fn told(status: u16, reason: &'static str, message: &str, request_id: &str) -> Answer {
    let mut headers = vec![(Cow::from("content-type"), "application/json".to_string())];
    if !request_id.is_empty() {
        headers.push((Cow::from("apigw-requestid"), request_id.to_string()));
    }
    let body = Cow::from(format!("{{\"message\":\"{message}\"}}").into_bytes());
    Answer { status, reason, headers, body, close: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_aws_says() {
        let check = |kind, status, length: usize, body: &str| {
            let answer = answer(kind, "id=");
            assert_eq!(answer.status, status);
            assert_eq!(answer.body.as_ref(), body.as_bytes());
            assert_eq!(answer.body.len(), length);
            assert_eq!(answer.header("apigw-requestid"), Some("id="));
            assert_eq!(answer.header("content-type"), Some("application/json"));
        };
        check(Kind::NotFound, 404, 23, r#"{"message":"Not Found"}"#);
        check(Kind::Internal, 500, 35, r#"{"message":"Internal Server Error"}"#);
        check(Kind::Unavailable, 503, 33, r#"{"message":"Service Unavailable"}"#);
        check(Kind::TooLarge, 413, 38, r#"{"message":"Request Entity Too Large"}"#);
        assert_eq!(super::answer(Kind::NotFound, "").header("apigw-requestid"), None);
        let odd = unreadable(400);
        assert_eq!((odd.status, odd.close), (400, true));
        assert_eq!(odd.body.as_ref(), br#"{"message":"Bad Request"}"#);
    }
}
