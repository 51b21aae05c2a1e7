//! Calls through the whole endpoint, without sockets: dispatch, identity, refusals.

use std::sync::Arc;

use model::identity::AccessKey;
use model::{Scope, Settings, Timestamp};
use store::Store;
use tokio::sync::watch;
use wire::sigv4;

use crate::{Api, Call};

/// An endpoint on a new store, and the channels that it listens to.
fn endpoint(signatures_required: bool) -> Api {
    let (_, applied) = watch::channel(u64::MAX);
    let (_, health) = watch::channel(Default::default());
    Api {
        store: Arc::new(Store::ephemeral()),
        settings: Arc::new(Settings::default()),
        predecessor: applied.clone(),
        applied,
        health,
        signatures_required,
    }
}

fn form(body: &str) -> Call {
    let headers =
        [("host", "127.0.0.1:4566"), ("content-type", "application/x-www-form-urlencoded")];
    Call {
        method: "POST".into(),
        path: "/".into(),
        headers: headers.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec(),
        body: body.as_bytes().to_vec(),
        ..Call::default()
    }
}

fn answer(api: &Api, call: Call) -> (u16, String) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let reply = runtime.block_on(api.call(call));
    (reply.status, String::from_utf8(reply.body).unwrap())
}

#[test]
fn a_request_finds_its_service_and_operation() {
    let api = endpoint(false);
    let check = |call: Call, status: u16, part: &str| {
        let (got, body) = answer(&api, call);
        assert!(got == status && body.contains(part), "{got} {body}");
    };
    let identity = "Action=GetCallerIdentity&Version=2011-06-15";
    check(form(identity), 200, "arn:aws:iam::000000000000:root");
    check(Call { method: "GET".into(), query: identity.into(), ..form("") }, 200, "000000000000");
    check(form("Action=Fly&Version=2015-12-01"), 400, "<Code>InvalidAction</Code>");
    check(
        form("Action=DeleteSharedTrustStoreAssociation&Version=2015-12-01"),
        400,
        "does not have it yet",
    );
    check(form("Action=DescribeLoadBalancers&Version=2012-06-01"), 400, "Version=2012-06-01");
    check(form("Version=2015-12-01"), 400, "<Code>MissingAction</Code>");
    check(form("Action=Fly"), 403, "MissingAuthenticationToken");
    let mut unknown = form("{}");
    unknown.headers.push(("x-amz-target".into(), "DynamoDB_20120810.ListTables".into()));
    check(unknown, 400, "DynamoDB_20120810 is not part of Breezeway");
    let rest =
        |method: &str, path: &str| Call { method: method.into(), path: path.into(), ..form("") };
    check(rest("GET", "/v2/apis"), 200, "items");
    check(rest("GET", "/v2/apis/nothere"), 404, "Invalid API identifier specified");
    check(rest("PUT", "/v2/nonsense"), 404, "docs/compatibility.md");
}

#[test]
fn web_pages_are_refused() {
    let api = endpoint(false);
    let mut call = form("Action=GetCallerIdentity&Version=2011-06-15");
    call.headers.push(("origin".into(), "https://example.com".into()));
    assert_eq!(answer(&api, call).0, 403);
}

fn signed(key: &str, secret: &str, region: &str) -> Call {
    let mut call = form("Action=GetCallerIdentity&Version=2011-06-15");
    let stamp = wire_stamp(crate::run::now());
    call.headers.push(("x-amz-date".into(), stamp.clone()));
    let headers: Vec<(&str, &str)> =
        call.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let parts = sigv4::Parts { method: "POST", path: "/", query: "", headers: &headers };
    let scope = sigv4::Scope {
        access_key: key.into(),
        date: stamp[..8].into(),
        region: region.into(),
        service: "sts".into(),
    };
    let value = sigv4::sign(&parts, &scope, secret, &stamp, &sigv4::body_hash(&call.body));
    call.headers.push(("authorization".into(), value));
    call
}

/// `2015-08-30T12:36:00.000Z` as `20150830T123600Z`.
fn wire_stamp(now: Timestamp) -> String {
    let iso = now.to_string();
    let seconds = iso.split('.').next().unwrap();
    format!("{}Z", seconds.replace(['-', ':'], ""))
}

fn issue(api: &Api) {
    let key = AccessKey {
        scope: Scope::new("000000000000", "aws-global"),
        id: "AKIDEXAMPLE".into(),
        secret: "secret".into(),
        session_token: None,
        principal_arn: "arn:aws:iam::000000000000:user/deployer".into(),
        user_id: "AIDA1".into(),
        expires: None,
        created: Timestamp(0),
    };
    api.store
        .transact(|txn| {
            txn.put(key);
            Ok::<(), ()>(())
        })
        .unwrap();
}

#[test]
fn signatures_are_checked_where_they_count() {
    let check = |required: bool, call: Call, status: u16, part: &str| {
        let api = endpoint(required);
        issue(&api);
        let (got, body) = answer(&api, call);
        assert!(got == status && body.contains(part), "{got} {body}");
    };
    let good = || signed("AKIDEXAMPLE", "secret", "eu-west-1");
    check(true, good(), 200, "user/deployer");
    check(false, good(), 200, "user/deployer");
    let wrong = || signed("AKIDEXAMPLE", "other", "eu-west-1");
    check(true, wrong(), 403, "SignatureDoesNotMatch");
    check(false, wrong(), 403, "SignatureDoesNotMatch");
    let unknown = || signed("AKIAUNKNOWN", "x", "eu-west-1");
    check(true, unknown(), 403, "InvalidClientTokenId");
    check(false, unknown(), 200, ":root");
    let unsigned = || form("Action=GetCallerIdentity&Version=2011-06-15");
    check(true, unsigned(), 403, "MissingAuthenticationToken");
    check(false, unsigned(), 200, ":root");
}
