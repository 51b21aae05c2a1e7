//! AWS's published signature test suite, signatures made by AWS's Python SDK, and requests that
//! are refused.

use proptest::prelude::*;

use super::*;

const KEY: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const STAMP: &str = "20150830T123600Z";
const NOW: Time = Time(1_440_938_160_000);

type Headers<'a> = Vec<(&'a str, &'a str)>;

fn scope() -> Scope {
    let own = str::to_owned;
    Scope {
        access_key: own(KEY),
        date: own("20150830"),
        region: own("us-east-1"),
        service: own("service"),
    }
}

fn authorization(signed: &str, signature: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={KEY}/20150830/us-east-1/service/aws4_request, \
         SignedHeaders={signed}, Signature={signature}"
    )
}

/// A request of the suite: further headers, as `name: value`, are all signed.
fn check_suite(name: &str, request: &str, more: &[(&str, &str)], body: &str, expect: &str) {
    let (method, target) = request.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers: Headers = vec![("Host", "example.amazonaws.com"), ("X-Amz-Date", STAMP)];
    headers.extend(more);
    let mut signed: Vec<_> = headers.iter().map(|(n, _)| n.to_ascii_lowercase()).collect();
    signed.sort();
    signed.dedup();
    let header = authorization(&signed.join(";"), expect);
    let unsigned = Parts { method, path, query, headers: &headers };
    let hash = body_hash(body.as_bytes());
    assert_eq!(sign(&unsigned, &scope(), SECRET, STAMP, &hash), header, "{name}");
    let mut headers = headers.clone();
    headers.push(("Authorization", &header));
    let signature = parse(Parts { method, path, query, headers: &headers }).unwrap().unwrap();
    assert_eq!(signature.scope, scope(), "{name}");
    signature.verify(SECRET, NOW, &hash).unwrap();
    let other = body_hash(b"another body");
    assert_eq!(signature.verify(SECRET, NOW, &other).unwrap_err().status, 403, "{name}");
    assert_eq!(signature.verify("other", NOW, &hash).unwrap_err().status, 403, "{name}");
}

const VANILLA: &str = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
const UNRESERVED: &str = "GET /-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Name, request line, further headers, body, signature.
type Row = (&'static str, &'static str, Headers<'static>, &'static str, &'static str);

/// The suite's cases, all of service `service` in `us-east-1`.
#[allow(clippy::too_many_lines, reason = "a table")]
fn suite() -> Vec<Row> {
    vec![
        ("get-vanilla", "GET /", vec![], "", VANILLA),
        ("get-vanilla-query", "GET /", vec![], "", VANILLA),
        ("normalize-path/get-slash", "GET //", vec![], "", VANILLA),
        ("normalize-path/get-slash-dot-slash", "GET /./", vec![], "", VANILLA),
        ("normalize-path/get-relative", "GET /example/..", vec![], "", VANILLA),
        ("normalize-path/get-relative-relative", "GET /a/b/../..", vec![], "", VANILLA),
        (
            "get-vanilla-query-order-key-case",
            "GET /?Param2=value2&Param1=value1",
            vec![],
            "",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "get-vanilla-utf8-query",
            "GET /?ሴ=bar",
            vec![],
            "",
            "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
        ),
        (
            "get-unreserved",
            UNRESERVED,
            vec![],
            "",
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        ),
        (
            "get-utf8",
            "GET /ሴ",
            vec![],
            "",
            "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
        ),
        (
            "get-header-key-duplicate",
            "GET /",
            vec![("My-Header1", "value2"), ("My-Header1", "value2"), ("My-Header1", "value1")],
            "",
            "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        ),
        (
            "get-header-value-order",
            "GET /",
            vec![
                ("My-Header1", "value4"),
                ("My-Header1", "value1"),
                ("My-Header1", "value3"),
                ("My-Header1", "value2"),
            ],
            "",
            "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
        ),
        (
            "get-header-value-trim",
            "GET /",
            vec![("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")],
            "",
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        (
            "post-vanilla",
            "POST /",
            vec![],
            "",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            "post-header-key-sort",
            "POST /",
            vec![("My-Header1", "value1")],
            "",
            "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
        ),
        (
            "post-x-www-form-urlencoded",
            "POST /",
            vec![("Content-Type", "application/x-www-form-urlencoded")],
            "Param1=value1",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ]
}

#[test]
fn published_suite() {
    for (name, request, more, body, expect) in suite() {
        check_suite(name, request, &more, body, expect);
    }
}

/// A request that AWS's Python SDK signed for `http://localhost:4566`.
fn check_sdk(method: &str, target: &str, more: &[(&str, &str)], body: &str) -> Option<String> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers: Headers = vec![("host", "localhost:4566"), ("X-Amz-Date", STAMP)];
    headers.extend(more);
    let signature = parse(Parts { method, path, query, headers: &headers }).unwrap().unwrap();
    signature.verify(SECRET, NOW, &body_hash(body.as_bytes())).unwrap();
    signature.token
}

fn scoped(service: &str, signed: &str, signature: &str) -> String {
    authorization(signed, signature).replace("/service/", &format!("/{service}/"))
}

#[test]
fn an_encoded_arn_in_the_path() {
    let target = "/v2/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Fapis%2Fabc%2Fstages%2F\
                  %24default";
    let header = scoped(
        "apigateway",
        "content-type;host;x-amz-date",
        "5ae294556abbb9e36b706e7f3203d3bfb1c3e11e090cf48744707813dcafd19d",
    );
    let headers = [("Content-Type", "application/json"), ("Authorization", &header)];
    check_sdk("POST", target, &headers, "{\"tags\":{}}");
}

#[test]
fn a_query_string_with_repeated_and_empty_values() {
    let header = scoped(
        "apigateway",
        "host;x-amz-date",
        "e8664e3381bc258818c389356e7b2bd5ee72c30ebb8c380f4fef058be0a96b1d",
    );
    let target = "/v2/tags/x?tagKeys=b%2Bc&tagKeys=a%20b&tagKeys=%C3%A4&tagKeys=";
    check_sdk("DELETE", target, &[("Authorization", &header)], "");
    // A space may be spelled as a plus sign.
    check_sdk("DELETE", &target.replace("%20", "+"), &[("Authorization", &header)], "");
}

#[test]
fn a_session_token() {
    let header = scoped(
        "sts",
        "content-type;host;x-amz-date;x-amz-security-token",
        "bf588cc874ce8407af33aba545e8ecff1bbaae5270e7029d2ada2d659081d612",
    );
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
        ("X-Amz-Security-Token", "token/with+signs=="),
        ("Authorization", &header),
    ];
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    let token = check_sdk("POST", "/", &headers, body);
    assert_eq!(token.as_deref(), Some("token/with+signs=="));
}

const PRESIGNED: &str = "/?Action=GetCallerIdentity&Version=2011-06-15\
    &X-Amz-Algorithm=AWS4-HMAC-SHA256\
    &X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fsts%2Faws4_request\
    &X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host\
    &X-Amz-Security-Token=token%2Fwith%2Bsigns%3D%3D\
    &X-Amz-Signature=52c5c7efbbcc50bcdee5b1b33837923f616f30b71b014f58a8c4216cc34e31c2";

#[test]
fn a_presigned_url() {
    let token = check_sdk("GET", PRESIGNED, &[], "");
    assert_eq!(token.as_deref(), Some("token/with+signs=="));
}

#[test]
fn dates() {
    let header = authorization(
        "host;x-amz-date",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    );
    let signed = vec![
        ("Host", "example.amazonaws.com"),
        ("X-Amz-Date", STAMP),
        ("Authorization", header.as_str()),
    ];
    let presigned = vec![("Host", "localhost:4566")];
    let query = PRESIGNED.trim_start_matches("/?");
    let minutes = |n: i64| Time(NOW.0 + n * 60_000);
    let beyond = |n: i64, by: i64| Time(minutes(n).0 + by);
    let rows: [(&Headers, &str, Time, Option<&str>); 9] = [
        (&signed, "", minutes(15), None),
        (&signed, "", beyond(15, 1), Some("RequestExpired")),
        (&signed, "", minutes(-15), None),
        (&signed, "", beyond(-15, -1), Some("SignatureDoesNotMatch")),
        (&presigned, query, minutes(0), None),
        (&presigned, query, minutes(1), None),
        (&presigned, query, beyond(1, 1), Some("RequestExpired")),
        (&presigned, query, minutes(-15), None),
        (&presigned, query, beyond(-15, -1), Some("SignatureDoesNotMatch")),
    ];
    for (headers, query, now, expect) in rows {
        let parts = Parts { method: "GET", path: "/", query, headers };
        let result = parse(parts).unwrap().unwrap().verify(SECRET, now, &body_hash(b""));
        assert_eq!(result.err().map(|f| f.code.into_owned()).as_deref(), expect, "{now:?}");
    }
}

fn check_refused(header: &str, date: &str, code: &str, words: &str) {
    let headers = [("host", "x"), ("x-amz-date", date), ("authorization", header)];
    let parts = Parts { method: "GET", path: "/", query: "", headers: &headers };
    let fault = parse(parts).unwrap_err();
    assert_eq!(fault.code, code, "{header}");
    assert!(fault.message.contains(words), "{}", fault.message);
}

#[test]
fn refused_headers() {
    let good = authorization("host;x-amz-date", "00");
    let bad = |from: &str, to: &str| good.replace(from, to);
    let (part, no) = ("IncompleteSignature", "SignatureDoesNotMatch");
    let rows = [
        (bad("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), STAMP, part, "Unsupported AWS"),
        ("AWS4-HMAC-SHA256".to_owned(), STAMP, part, "requires 'Credential' parameter. Auth"),
        (bad("Signature=", "Sig="), STAMP, part, "requires 'Signature' parameter."),
        (bad("SignedHeaders=", "SignedHeaders"), STAMP, part, "missing equal-sign"),
        (bad("/service", ""), STAMP, part, "exactly 5 slash-delimited elements"),
        (bad("us-east-1", ""), STAMP, part, "empty element"),
        (bad("aws4_request", "aws3"), STAMP, no, "terminator"),
        (bad("host;", ""), STAMP, no, "must be a 'SignedHeader'"),
        (good.clone(), "20150831T123600Z", no, "'20150830' != '20150831'"),
        (good.clone(), "20159930T123600Z", part, "ISO-8601 'basic format'"),
        (good.clone(), "", part, "ISO-8601 'basic format'"),
    ];
    for (header, date, code, words) in rows {
        check_refused(&header, date, code, words);
    }
}

#[test]
fn nothing_signed() {
    let parts = Parts { method: "GET", path: "/", query: "a=b", headers: &[("host", "x")] };
    assert!(parse(parts).unwrap().is_none());
    let headers = [("host", "x"), ("authorization", "AWS4-HMAC-SHA256 Credential=a")];
    assert!(parse(Parts { headers: &headers, ..parts }).is_err());
}

#[test]
fn an_http_date_will_do() {
    let header = authorization("date;host", "00");
    let headers = [
        ("host", "x"),
        ("date", "Sun, 30 Aug 2015 12:36:00 GMT"),
        ("authorization", header.as_str()),
    ];
    let parts = Parts { method: "GET", path: "/", query: "", headers: &headers };
    let signature = parse(parts).unwrap().unwrap();
    assert_eq!((signature.signed_at, signature.stamp.as_str()), (NOW, STAMP));
}

#[test]
fn an_unsigned_payload_is_the_signers_choice() {
    let headers: Headers =
        vec![("host", "x"), ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"), ("x-amz-date", STAMP)];
    let parts = Parts { method: "PUT", path: "/", query: "", headers: &headers };
    let header = sign(&parts, &scope(), SECRET, STAMP, "UNSIGNED-PAYLOAD");
    let over_body = sign(&parts, &scope(), SECRET, STAMP, &body_hash(b"body"));
    for (header, accepted) in [(header, true), (over_body, false)] {
        let mut headers = headers.clone();
        headers.push(("authorization", &header));
        let signature = parse(Parts { headers: &headers, ..parts }).unwrap().unwrap();
        let result = signature.verify(SECRET, NOW, &body_hash(b"any body"));
        assert_eq!(result.is_ok(), accepted);
    }
}

proptest! {
    #[test]
    fn what_is_signed_verifies(
        path in "/[ -~]{0,40}",
        query in "[ -~]{0,40}",
        value in "[ -~]{0,20}",
        body in any::<Vec<u8>>(),
    ) {
        prop_assume!(!query.contains("X-Amz-"));
        let mut headers: Headers = vec![("Host", "x"), ("X-Amz-Date", STAMP), ("X-More", &value)];
        let hash = body_hash(&body);
        let parts = Parts { method: "POST", path: &path, query: &query, headers: &headers };
        let header = sign(&parts, &scope(), SECRET, STAMP, &hash);
        headers.push(("authorization", &header));
        let parts = Parts { method: "POST", path: &path, query: &query, headers: &headers };
        let signature = parse(parts).unwrap().unwrap();
        prop_assert!(signature.verify(SECRET, NOW, &hash).is_ok());
        prop_assert!(signature.verify(SECRET, NOW, &body_hash(b"!")).is_err() || body == b"!");
    }

    #[test]
    fn any_header_is_answered(header in ".{0,200}", query in ".{0,200}") {
        for header in [header.clone(), format!("AWS4-HMAC-SHA256 {header}")] {
            let headers = [("host", "x"), ("x-amz-date", &header), ("authorization", &header)];
            let query = format!("X-Amz-Algorithm=AWS4-HMAC-SHA256&{query}");
            let parts = Parts { method: "GET", path: "/", query: &query, headers: &headers };
            let _ = parse(parts);
            let _ = parse(Parts { headers: &[], ..parts });
        }
    }
}
