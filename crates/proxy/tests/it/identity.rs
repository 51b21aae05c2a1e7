//! Rules that ask who a client is: log-ins at a provider, tokens, and what targets get to know.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::authentication::{Hidden, JwtValidation, Oidc, Session, Unauthenticated};
use model::balancer::ActionKind;

use crate::client::Got;
use crate::origin::{Gate, Origin, Seen, reply};
use crate::rig::{Rig, logged};
use crate::world::{World, balancer_arn, forward};

const FAR: u64 = 4_000_000_000;

fn oidc(provider: &str, unauthenticated: Unauthenticated) -> ActionKind {
    ActionKind::AuthenticateOidc(Box::new(Oidc {
        issuer: provider.into(),
        authorization_endpoint: format!("{provider}/authorize"),
        token_endpoint: format!("{provider}/token"),
        user_info_endpoint: format!("{provider}/me"),
        client_id: "client".into(),
        client_secret: Hidden("secret".into()),
        session: Session {
            cookie_name: "C".into(),
            scope: "openid".into(),
            timeout_seconds: 3600,
            extra_params: Default::default(),
            unauthenticated,
        },
    }))
}

/// A provider whose access tokens live for so many seconds; renewed ones for an hour.
fn provider(ip: &'static str, seconds: u32) -> Origin {
    Origin::start(ip, move |seen, out| {
        let json = [("content-type", "application/json")];
        if seen.line.starts_with("GET /me ") {
            return reply(out, "200 OK", &json, br#"{"sub":"me","email":"me@a.io"}"#);
        }
        if !seen.line.starts_with("POST /token ") {
            return reply(out, "404 Not Found", &[], b"");
        }
        assert_eq!(seen.values("authorization"), ["Basic Y2xpZW50OnNlY3JldA=="]);
        let encode = |text: String| URL_SAFE_NO_PAD.encode(text);
        let issuer = format!("http://{}", seen.values("host")[0]);
        let claims = format!(r#"{{"iss":"{issuer}","aud":"client","sub":"me","exp":{FAR}}}"#);
        let id = format!("{}.{}.x", encode(r#"{"alg":"RS256"}"#.into()), encode(claims));
        // A code's form is longer than that of a refresh token.
        let seconds = if seen.body > 60 { seconds } else { 3600 };
        let body = format!(
            r#"{{"access_token":"at{seconds}","refresh_token":"rt","expires_in":{seconds},
                "id_token":"{id}"}}"#
        );
        reply(out, "200 OK", &json, body.as_bytes())
    })
}

struct Site {
    rig: Rig,
    target: Origin,
}

/// A load balancer whose rule for `/in/*` has a guard.
fn site(ip: &str, guard: ActionKind) -> Site {
    let target = Origin::text(ip, "in");
    let mut world = World::new();
    let group = world.group("in");
    world.target(&group, target.addr);
    world.path_rule(1, "/in/*", forward(&[(&group, 1)]));
    world.guard(1, guard);
    world.open_listener();
    world.private_route("$default");
    Site { rig: Rig::start(&world), target }
}

impl Site {
    fn get(&self, path: &str, more: &str) -> Got {
        self.rig.inside().request("GET", path, "app.io", more)
    }

    /// Logs in; answers the `Cookie` line of the session.
    fn log_in(&self) -> String {
        let sent = self.get("/in/x?y=z", "");
        assert_eq!(sent.status, 302);
        let location = sent.header("location").unwrap();
        let state = location.split("state=").nth(1).unwrap().split('&').next().unwrap();
        let path = format!("/oauth2/idpresponse?code=abcdefghijklmnopqrst&state={state}");
        let back = self.get(&path, &cookies(&sent));
        assert_eq!((back.status, back.header("location")), (302, Some("https://app.io/in/x?y=z")));
        cookies(&back)
    }
}

fn cookies(got: &Got) -> String {
    let lines = got.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    let pairs: Vec<_> = lines.map(|(_, line)| line.split(';').next().unwrap()).collect();
    format!("Cookie: {}\r\n", pairs.join("; "))
}

fn identity(seen: &Seen) -> Vec<&str> {
    seen.values("x-amzn-oidc-identity")
}

const SPOOFED: &str = "X-Amzn-Oidc-Identity: root\r\nx_amzn_oidc_data: root\r\n\
                       x-amzn-oidc-accesstoken: root\r\nx-amzn-oidc-more: root\r\n";

#[test]
fn a_client_logs_in_and_the_target_knows_it() {
    let provider = provider("127.0.0.1", 3600);
    let url = format!("http://{}", provider.addr);
    let site = site("127.10.20.1", oidc(&url, Unauthenticated::Authenticate));
    let cookie = site.log_in();
    let got = site.get("/in/x", &format!("{cookie}{SPOOFED}"));
    assert_eq!((got.status, got.text().as_str(), got.header("set-cookie")), (200, "in", None));
    let seen = site.target.wait(1);
    assert_eq!(identity(&seen[0]), ["me"]);
    assert_eq!(seen[0].values("x-amzn-oidc-accesstoken"), ["at3600"]);
    assert_eq!(seen[0].values("x-amzn-oidc-data").len(), 1);
    assert!(seen[0].names().iter().all(|name| name != "x-amzn-oidc-more"));
    assert!(seen[0].names().iter().all(|name| name != "x_amzn_oidc_data"));
    let live = site.rig.tables().balancers[&balancer_arn()].live.get().clone();
    assert_eq!(live.authentication.successes.get(), 1);
    let forged = site.get("/in/x", "Cookie: C-0=forged\r\n");
    assert_eq!(forged.status, 302);
}

#[test]
fn an_expired_token_is_renewed_once_for_all_requests_with_the_session() {
    let provider = provider("127.0.0.1", 0);
    let url = format!("http://{}", provider.addr);
    let site = site("127.10.20.2", oidc(&url, Unauthenticated::Authenticate));
    let cookie = site.log_in();
    for _ in 0..3 {
        let got = site.get("/in/x", &cookie);
        assert_eq!(got.status, 200);
        assert!(cookies(&got).starts_with("Cookie: C-0="), "{got:?}");
        assert_ne!(cookies(&got), cookie);
    }
    let seen = site.target.wait(3);
    assert!(seen.iter().all(|seen| seen.values("x-amzn-oidc-accesstoken") == ["at3600"]));
    let calls = provider.seen();
    let calls = calls.iter().filter(|seen| seen.line.starts_with("POST /token")).count();
    assert_eq!(calls, 2, "one for the code, one for the refresh token");
}

#[test]
fn anonymous_clients_are_denied_or_stay_anonymous() {
    let allow = site("127.10.20.3", oidc("http://127.0.0.1:1", Unauthenticated::Allow));
    assert_eq!(allow.get("/in/x", SPOOFED).status, 200);
    assert!(allow.target.wait(1)[0].names().iter().all(|name| !name.contains("oidc")));
    let deny = site("127.10.20.4", oidc("http://127.0.0.1:1", Unauthenticated::Deny));
    let got = deny.get("/in/x", SPOOFED);
    assert_eq!(got.status, 401);
    assert!(got.text().contains("<h1>401 Authorization Required</h1>"));
    let got = deny.get("/oauth2/idpresponse?code=x&state=y", "");
    assert_eq!(got.status, 401);
    assert!(logged("GET /oauth2/idpresponse?code=x&state=y ").contains("AuthInvalidStateParam"));
    assert_eq!(deny.get("/oauth2/idpresponse?error=access_denied", "").status, 561);
    assert_eq!(deny.rig.get("/in/through-the-gateway").status, 401);
    assert!(deny.target.seen().is_empty());
}

#[test]
fn a_provider_that_cannot_be_asked_is_500() {
    let url = "http://127.0.0.1:1";
    let site = site("127.10.20.5", oidc(url, Unauthenticated::Authenticate));
    let sent = site.get("/in/x", "");
    let location = sent.header("location").unwrap();
    let state = location.split("state=").nth(1).unwrap();
    let path = format!("/oauth2/idpresponse?code=down&state={state}");
    assert_eq!(site.get(&path, &cookies(&sent)).status, 500);
    assert!(logged("idpresponse?code=down").contains("AuthTokenEpRequestFailed"));
}

fn jwt(provider: &Origin, path: &str) -> ActionKind {
    ActionKind::JwtValidation(JwtValidation {
        jwks_endpoint: format!("http://{}{path}", provider.addr),
        issuer: "idp".into(),
        claims: Vec::new(),
    })
}

/// A token that looks like one.
fn token() -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","kid":"x"}"#);
    format!("Authorization: Bearer {header}.e30.eA\r\n")
}

#[test]
fn without_keys_nothing_is_forwarded() {
    let large = Origin::start("127.0.0.1", |_, out| {
        let body = format!(r#"{{"keys":[],"x":"{}"}}"#, "y".repeat(150_000));
        reply(out, "200 OK", &[], body.as_bytes())
    });
    let broken = Origin::start("127.0.0.1", |_, out| reply(out, "200 OK", &[], b"<html>"));
    let denied = Origin::start("127.0.0.1", |_, out| reply(out, "403 Forbidden", &[], b""));
    let check = |ip: &str, provider: &Origin, reason: &str| {
        let site = site(ip, jwt(provider, "/keys"));
        assert_eq!(site.get("/in/none", "").status, 401);
        let path = format!("/in/{reason}");
        assert_eq!(site.get(&path, &token()).status, 500, "{reason}");
        assert!(logged(&path).contains(&format!("reason={reason}")), "{reason}");
        assert!(site.target.seen().is_empty());
    };
    check("127.10.20.6", &large, "JWKSResponseSizeExceeded");
    check("127.10.20.7", &broken, "JWKSResponseInvalid");
    check("127.10.20.8", &denied, "JWKSRequestFailed");
}

#[test]
fn one_slow_fetch_serves_all_and_blocks_nobody_else() {
    let held = Gate::default();
    let wait = held.clone();
    let slow = Origin::start("127.0.0.1", move |_, out| {
        wait.wait();
        reply(out, "200 OK", &[], br#"{"keys":[]}"#)
    });
    let site = site("127.10.20.9", jwt(&slow, "/keys"));
    std::thread::scope(|scope| {
        let waiting: Vec<_> =
            (0..8).map(|_| scope.spawn(|| site.get("/in/x", &token()).status)).collect();
        slow.wait(1);
        for _ in 0..8 {
            assert_eq!(site.get("/out", "").status, 404, "others go on");
            assert_eq!(site.get("/in/x", "").status, 401);
        }
        held.open();
        for waiting in waiting {
            assert_eq!(waiting.join().unwrap(), 401, "no key has signed it");
        }
    });
    assert_eq!(slow.seen().len(), 1, "one fetch");
}
