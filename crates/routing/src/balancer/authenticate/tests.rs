//! A log-in from redirect to session, and what a client cannot make of it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use model::Secret;
use model::authentication::Unauthenticated;
use serde_json::{Value, json};

use super::callback::{receive, welcome};
use super::login::{Check, check, refuse};
use super::state::WINDOW_MS;
use super::*;
use crate::fixture::get;
use crate::token::testing::encode;

const NOW: Timestamp = Timestamp(1_700_000_000_000);

fn login(id: u8) -> Login {
    Login {
        id: [id; 8],
        signer: "arn:lb".into(),
        issuer: "https://idp".into(),
        client_id: "client".into(),
        client_secret: Some(Hidden("s+cret".into())),
        authorization: "https://idp/authorize".into(),
        token: Endpoint::parse("https://idp/token").unwrap(),
        user_info: Endpoint::parse("https://idp/me").unwrap(),
        cookie_name: "C".into(),
        scope: "openid email".into(),
        timeout_ms: 3_600_000,
        extra_params: vec![("prompt".into(), "login".into())],
        unauthenticated: Unauthenticated::Authenticate,
    }
}

fn keyring() -> Keyring {
    Keyring::new(&Secret([7; 32]))
}

fn tokens() -> Value {
    let claims = json!({"iss": "https://idp", "aud": "client", "sub": "me", "exp": 1_700_000_100});
    let header = encode(r#"{"alg":"RS256"}"#);
    let id = format!("{header}.{}.{}", encode(claims.to_string()), encode("x"));
    json!({"access_token": "at", "refresh_token": "rt", "expires_in": 60, "id_token": id})
}

fn session() -> Session {
    let login = login(1);
    let text = tokens().to_string();
    let tokens = tokens::read_new(&login, (200, text.as_bytes()), NOW).unwrap();
    let body = br#"{"sub":"me","email":"me@a","exp":1,"iss":"x"}"#;
    tokens::read_claims(&login, tokens, None, (200, body), NOW).unwrap()
}

/// The lines of the answer's cookies, as a client sends them back.
fn cookies(answer: &Answer) -> String {
    let lines = answer.headers.iter().filter(|line| line.0 == "Set-Cookie");
    let pairs = lines.map(|(_, line)| line.split(';').next().unwrap_or_default());
    pairs.collect::<Vec<_>>().join("; ")
}

fn with_cookie<T>(target: &str, cookie: &str, seen: impl FnOnce(&View) -> T) -> T {
    let lines: [(&str, &[u8]); 1] = [("cookie", cookie.as_bytes())];
    seen(&View { headers: &lines, host: Some("app.io"), ..get(target) })
}

fn redirect(login: &Login, target: &str, cookie: &str) -> (String, String) {
    let answer = with_cookie(target, cookie, |view| {
        refuse(login, &keyring(), view, None, NOW, &[5; 24]).unwrap().unwrap()
    });
    assert_eq!(answer.status, 302);
    let location = answer.header("location").unwrap().to_owned();
    (location, cookies(&answer))
}

fn state(location: &str) -> &str {
    location.split("state=").nth(1).unwrap().split('&').next().unwrap()
}

#[test]
fn a_client_without_a_session_is_sent_to_the_provider() {
    let (location, cookie) = redirect(&login(1), "/a?b=c", "");
    let start = "https://idp/authorize?client_id=client&\
                 redirect_uri=https://app.io/oauth2/idpresponse&response_type=code&\
                 scope=openid%20email&state=0101010101010101";
    assert!(location.starts_with(start) && location.ends_with("&prompt=login"), "{location}");
    assert!(cookie.starts_with("AWSALBAuthNonce="), "{cookie}");
    assert_eq!(redirect(&login(1), "/other", &cookie).1, cookie, "side by side");
    let view = View { host: None, ..get("/") };
    let failure = refuse(&login(1), &keyring(), &view, None, NOW, &[5; 24]).unwrap_err();
    assert_eq!((failure.status, failure.reason), (401, "AuthMissingHostHeader"));
    assert!(failure.is_error());
    let deny = Login { unauthenticated: Unauthenticated::Deny, ..login(1) };
    let reason = Some("AuthInvalidCookie");
    let failure = refuse(&deny, &keyring(), &get("/"), reason, NOW, &[5; 24]).unwrap_err();
    assert_eq!((failure.status, failure.reason), (401, "AuthInvalidCookie"));
    let allow = Login { unauthenticated: Unauthenticated::Allow, ..login(1) };
    assert_eq!(refuse(&allow, &keyring(), &get("/"), None, NOW, &[5; 24]), Ok(None));
}

#[test]
fn a_return_is_taken_only_from_the_client_that_left() {
    let (location, cookie) = redirect(&login(1), "/a?b=c", "");
    let good = format!("/oauth2/idpresponse?code=x%2By&state={}", state(&location));
    let attempt = |target: &str, cookie: &str, host: &str, id: u8, after_ms: i64| {
        let logins = [login(id)];
        with_cookie(target, cookie, |view| {
            let view = View { host: Some(host), ..*view };
            let back = receive(&logins, &keyring(), &view, NOW.plus_ms(after_ms));
            back.map(|back| (back.code, back.state.target)).map_err(|f| (f.status, f.reason))
        })
    };
    let invalid = Err((401, "AuthInvalidStateParam"));
    let ok = Ok(("x+y".to_owned(), "/a?b=c".to_owned()));
    assert_eq!(attempt(&good, &cookie, "app.io", 1, 0), ok);
    assert_eq!(attempt(&good, &cookie, "app.io", 1, WINDOW_MS), ok);
    assert_eq!(attempt(&good, &cookie, "app.io", 1, WINDOW_MS + 1), invalid);
    assert_eq!(attempt(&good, &cookie, "other.io", 1, 0), invalid, "another host");
    assert_eq!(attempt(&good, &cookie, "app.io", 2, 0), invalid, "another rule");
    assert_eq!(attempt(&good, "", "app.io", 1, 0), invalid, "another browser");
    assert_eq!(attempt(&good, "AWSALBAuthNonce=AAAAAAAAAAAAAAAA", "app.io", 1, 0), invalid);
    let renamed = good.replace("state=0101010101010101", "state=0202020202020202");
    assert_eq!(attempt(&renamed, &cookie, "app.io", 2, 0), invalid, "under another rule's name");
    let (rest, last) = good.split_at(good.len() - 1);
    let tampered = format!("{rest}{}", if last == "A" { "B" } else { "A" });
    assert_eq!(attempt(&tampered, &cookie, "app.io", 1, 0), invalid);
    let check = |query: &str, expect| {
        let target = format!("/oauth2/idpresponse?{query}");
        assert_eq!(attempt(&target, &cookie, "app.io", 1, 0), Err(expect), "{query}");
    };
    check("code=x", (401, "AuthMissingStateParam"));
    check(&format!("state={}", state(&location)), (401, "AuthMissingCodeParam"));
    check("error=access_denied&state=x", (561, "AuthUnhandledException"));
}

#[test]
fn a_session_is_read_from_its_cookies_until_it_ends() {
    let (location, cookie) = redirect(&login(1), "/a?b=c", "");
    let target = format!("/oauth2/idpresponse?code=x&state={}", state(&location));
    let own = login(1);
    let answer = with_cookie(&target, &cookie, |view| {
        let back = receive([&own], &keyring(), view, NOW).unwrap();
        welcome(&back, &session(), &keyring(), view, NOW, &[6; 24]).unwrap()
    });
    assert_eq!(answer.header("location"), Some("https://app.io/a?b=c"));
    let line = answer.header("set-cookie").unwrap();
    assert!(line.ends_with("; Path=/; Secure; HttpOnly"), "{line}");
    let cookie = cookies(&answer);
    let at = |cookie: &str, login: &Login, after_ms: i64| {
        with_cookie("/", cookie, |view| check(login, &keyring(), view, NOW.plus_ms(after_ms)))
    };
    assert_eq!(at(&cookie, &login(1), 0), Check::In(session()));
    assert_eq!(at(&cookie, &login(1), 60_000), Check::Stale(session()));
    assert_eq!(at(&cookie, &login(1), 3_600_000), Check::Out(None));
    let invalid = Check::Out(Some("AuthInvalidCookie"));
    assert_eq!(at(&cookie, &login(2), 0), invalid, "another rule's");
    assert_eq!(at(&cookie[..cookie.len() - 2], &login(1), 0), invalid);
    assert_eq!(at("C-0=junk", &login(1), 0), invalid);
    assert_eq!(at("C-0=", &login(1), 0), Check::Out(None), "deleted by the application");
    assert_eq!(at("C-1=junk", &login(1), 0), Check::Out(None));
}

#[test]
fn large_sessions_are_spread_and_too_large_ones_refused() {
    let read = |bytes: usize| {
        let login = login(1);
        let text = tokens().to_string();
        let tokens = tokens::read_new(&login, (200, text.as_bytes()), NOW).unwrap();
        let body = json!({"sub": "me", "x": "y".repeat(bytes)}).to_string();
        tokens::read_claims(&login, tokens, None, (200, body.as_bytes()), NOW)
    };
    let own = login(1);
    let lines = |session: &Session, cookie: &str| {
        with_cookie("/", cookie, |view| session.cookies(&own, &keyring(), view, NOW, &[1; 24]))
    };
    let large = read(11_000).unwrap();
    let made = lines(&large, "").unwrap();
    assert_eq!(made.len(), 4);
    let cookie: Vec<_> = made.iter().map(|line| line.split(';').next().unwrap()).collect();
    let found = with_cookie("/", &cookie.join("; "), |view| check(&own, &keyring(), view, NOW));
    assert_eq!(found, Check::In(large));
    let small = lines(&session(), &cookie.join("; ")).unwrap();
    assert_eq!(small.iter().filter(|line| line.contains("1970")).count(), 3, "the rest is deleted");
    let failure = read(11_264).unwrap_err();
    assert_eq!((failure.status, failure.reason), (500, "AuthUserinfoResponseSizeExceeded"));
}

#[test]
fn providers_are_not_believed_everything() {
    let token = |status, change: &dyn Fn(&mut Value), expect: (u16, &str)| {
        let mut body = tokens();
        change(&mut body);
        let failure = tokens::read_new(&login(1), (status, body.to_string().as_bytes()), NOW);
        let failure = failure.unwrap_err();
        assert_eq!((failure.status, failure.reason), expect, "{body}");
    };
    let id = |claims: Value| {
        let text = format!("{}.{}.x", encode(r#"{"alg":"RS256"}"#), encode(claims.to_string()));
        move |body: &mut Value| body["id_token"] = json!(text)
    };
    let odd = (401, "AuthInvalidIdToken");
    let claims = json!({"iss": "https://idp", "aud": "client", "sub": "me", "exp": 1_700_000_100});
    for (name, value) in
        [("iss", json!("x")), ("aud", json!("x")), ("exp", json!(1)), ("sub", json!(1))]
    {
        let mut claims = claims.clone();
        claims[name] = value;
        token(200, &id(claims), odd);
    }
    token(200, &|body| body["id_token"] = json!("x"), odd);
    token(200, &|body| body["id_token"] = json!(null), odd);
    token(200, &|body| body["access_token"] = json!("a b"), (401, "AuthInvalidTokenResponse"));
    token(200, &|body| *body = json!([]), (401, "AuthInvalidTokenResponse"));
    let error = |code: &'static str| move |body: &mut Value| *body = json!({ "error": code });
    token(400, &error("invalid_grant"), (401, "AuthInvalidGrantError"));
    token(401, &error("invalid_client"), (500, "AuthTokenEpRequestFailed"));
    token(200, &error("x"), (500, "AuthTokenEpRequestFailed"));
    let info = |status, body: &str, expect: (u16, &str)| {
        let text = tokens().to_string();
        let tokens = tokens::read_new(&login(1), (200, text.as_bytes()), NOW).unwrap();
        let got = tokens::read_claims(&login(1), tokens, None, (status, body.as_bytes()), NOW);
        let failure = got.unwrap_err();
        assert_eq!((failure.status, failure.reason), expect, "{body}");
    };
    info(500, "{}", (500, "AuthUserinfoEpRequestFailed"));
    info(200, "x", (401, "AuthInvalidUserinfoResponse"));
    info(200, "{}", (401, "AuthInvalidUserinfoResponse"));
    info(200, r#"{"sub":"you"}"#, (401, "AuthInvalidUserinfoResponse"));
}

#[test]
fn calls_to_the_provider_are_those_of_the_standard() {
    let own = login(1);
    let call = tokens::for_code(&own, "app.io", "a&b");
    assert_eq!(call.endpoint.to_string(), "https://idp/token");
    let body = "grant_type=authorization_code&code=a%26b&\
                redirect_uri=https://app.io/oauth2/idpresponse";
    assert_eq!(call.body, body);
    // client:s%2Bcret
    assert!(call.headers.contains(&("authorization", "Basic Y2xpZW50OnMlMkJjcmV0".into())));
    let public = Login { client_secret: None, ..login(1) };
    let call = tokens::for_refresh(&public, &session());
    assert_eq!(call.body, "grant_type=refresh_token&refresh_token=rt&client_id=client");
    assert!(call.headers.iter().all(|(name, _)| *name != "authorization"));
}

#[test]
fn a_refreshed_session_keeps_its_beginning_and_its_subject() {
    let (before, later) = (session(), NOW.plus_ms(60_000));
    let body = br#"{"access_token": "at2", "expires_in": 60}"#;
    let tokens = tokens::read_again(&before, (200, body), later).unwrap();
    let info = br#"{"sub":"me","email":"new@a"}"#;
    let after = tokens::read_claims(&login(1), tokens, Some(&before), (200, info), later).unwrap();
    assert_eq!((after.begun, after.expires), (NOW, NOW.plus_ms(120_000)));
    assert_eq!((after.access_token.as_str(), after.refresh_token.as_str()), ("at2", "rt"));
    assert!(after.claims.contains("new@a"));
}

#[test]
fn targets_get_an_identity_that_they_can_verify() {
    let edits = identity::headers(&login(1), &keyring(), &session(), NOW).unwrap();
    let value = |at: usize| {
        let edit = edits.iter().nth(at).unwrap();
        assert_eq!(edit.change, crate::Change::Set);
        (edit.name.to_string(), String::from_utf8(edit.value.to_vec()).unwrap())
    };
    assert_eq!(value(0), ("x-amzn-oidc-accesstoken".into(), "at".into()));
    assert_eq!(value(1), ("x-amzn-oidc-identity".into(), "me".into()));
    let data = value(2).1;
    let parts: Vec<Vec<u8>> = data.split('.').map(|part| URL_SAFE.decode(part).unwrap()).collect();
    let header: Value = serde_json::from_slice(&parts[0]).unwrap();
    assert_eq!(header["alg"], "ES256");
    assert_eq!(header["signer"], "arn:lb");
    assert_eq!(header["client"], "client");
    assert_eq!(header["exp"], 1_700_000_120);
    let payload: Value = serde_json::from_slice(&parts[1]).unwrap();
    let expect = json!({"sub": "me", "email": "me@a", "iss": "https://idp", "exp": 1_700_000_120});
    assert_eq!(payload, expect);
    assert_eq!(parts[2].len(), 64);
    let keyring = keyring();
    let id = header["kid"].as_str().unwrap();
    let host = "public-keys.auth.elb.us-east-1.amazonaws.com";
    let target = format!("/{id}");
    assert_eq!(identity::asked_key(host, &target), Some(id));
    let target = format!("/_aws/public-keys.auth.elb/{id}?x");
    assert_eq!(identity::asked_key("localhost", &target), Some(id));
    assert_eq!(identity::asked_key("localhost", "/x"), None);
    assert!(identity::public_key(&keyring, id).unwrap().body.starts_with(b"-----BEGIN PUBLIC"));
    assert_eq!(identity::public_key(&keyring, "other"), None);
}
