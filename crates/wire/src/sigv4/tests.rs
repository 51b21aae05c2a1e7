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

#[test]
fn published_suite() {
    const VANILLA: &str = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
    let unreserved = "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let get_unreserved = format!("GET {unreserved}");
    let rows: &[(&str, &str, &[(&str, &str)], &str, &str)] = &[
        ("get-vanilla", "GET /", &[], "", VANILLA),
        ("get-vanilla-query", "GET /", &[], "", VANILLA),
        ("normalize-path/get-slash", "GET //", &[], "", VANILLA),
        ("normalize-path/get-slash-dot-slash", "GET /./", &[], "", VANILLA),
        ("normalize-path/get-relative", "GET /example/..", &[], "", VANILLA),
        ("normalize-path/get-relative-relative", "GET /a/b/../..", &[], "", VANILLA),
        (
            "get-vanilla-query-order-key-case",
            "GET /?Param2=value2&Param1=value1",
            &[],
            "",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "get-vanilla-utf8-query",
            "GET /?ሴ=bar",
            &[],
            "",
            "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
        ),
        (
            "get-unreserved",
            &get_unreserved,
            &[],
            "",
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        ),
        (
            "get-utf8",
            "GET /ሴ",
            &[],
            "",
            "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
        ),
        (
            "get-header-key-duplicate",
            "GET /",
            &[("My-Header1", "value2"), ("My-Header1", "value2"), ("My-Header1", "value1")],
            "",
            "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        ),
        (
            "get-header-value-order",
            "GET /",
            &[
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
            &[("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")],
            "",
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        (
            "post-vanilla",
            "POST /",
            &[],
            "",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            "post-header-key-sort",
            "POST /",
            &[("My-Header1", "value1")],
            "",
            "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
        ),
        (
            "post-x-www-form-urlencoded",
            "POST /",
            &[("Content-Type", "application/x-www-form-urlencoded")],
            "Param1=value1",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ];
    for (name, request, more, body, expect) in rows {
        check_suite(name, request, more, body, expect);
    }
}
