//! The actions that ask clients who they are: chains, what they may hold, what is shown of them.

use model::balancer::{ActionKind, Listener};
use model::{ListenerArn, Record};
use serde_json::{Value, json};

use super::{Aborted, Fault, World, fixed, path_is, text, with};

/// A world with an HTTPS listener.
fn place() -> (World, String) {
    let world = World::new();
    let (lb, group) = (world.load_balancer("web"), world.group("app"));
    let listener = world.listener(&lb, 443, &group);
    let record = world.store.snapshot();
    let arn = ListenerArn::from(listener.as_str());
    let key = record.listeners.iter().find(|record| record.arn == arn).unwrap().key();
    let done: Result<_, Aborted<Fault>> = world.store.transact(|txn| {
        txn.update::<Listener>(&key, |listener| listener.protocol = "HTTPS".to_owned());
        Ok(())
    });
    done.unwrap();
    (world, listener)
}

fn oidc(changes: Value) -> Value {
    let config = json!({
        "Issuer": "https://idp.example.com", "ClientId": "client", "ClientSecret": "hush",
        "AuthorizationEndpoint": "https://idp.example.com/authorize",
        "TokenEndpoint": "https://idp.example.com/token",
        "UserInfoEndpoint": "https://idp.example.com/me",
    });
    let config = with(config, changes);
    json!({ "Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": config })
}

fn cognito(changes: Value) -> Value {
    let config = json!({
        "UserPoolArn": "arn:aws:cognito-idp:eu-west-1:000000000000:userpool/eu-west-1_abc",
        "UserPoolClientId": "client", "UserPoolDomain": "login",
    });
    let config = with(config, changes);
    json!({ "Type": "authenticate-cognito", "Order": 1, "AuthenticateCognitoConfig": config })
}

fn jwt(changes: Value) -> Value {
    let config = json!({ "JwksEndpoint": "https://idp.example.com/keys", "Issuer": "idp" });
    let config = with(config, changes);
    json!({ "Type": "jwt-validation", "Order": 1, "JwtValidationConfig": config })
}

fn last() -> Value {
    with(fixed("200"), json!({ "Order": 2 }))
}

fn rule(listener: &str, actions: Value) -> Value {
    json!({
        "ListenerArn": listener, "Priority": 1, "Conditions": [path_is("/in/*")],
        "Actions": actions,
    })
}

#[test]
fn actions_come_back_with_defaults_and_without_secrets() {
    let (world, listener) = place();
    let mut priority = 0;
    let mut check = |action: Value, member: &str, shown: Value| {
        priority += 1;
        let input = rule(&listener, json!([action, last()]));
        let input = with(input, json!({ "Priority": priority }));
        let made = world.ok("CreateRule", input);
        assert_eq!(made["Rules"][0]["Actions"][0][member], shown);
        assert_eq!(made["Rules"][0]["Actions"][0]["Order"], json!(1));
        assert_eq!(made["Rules"][0]["Actions"][1]["Type"], json!("fixed-response"));
    };
    let defaults = json!({
        "SessionCookieName": "AWSELBAuthSessionCookie", "Scope": "openid",
        "SessionTimeout": 604_800, "OnUnauthenticatedRequest": "authenticate",
    });
    let config = &oidc(json!({ "ClientSecret": null }))["AuthenticateOidcConfig"];
    let shown = with(config.clone(), defaults.clone());
    check(oidc(json!({})), "AuthenticateOidcConfig", shown);
    let given = json!({
        "SessionCookieName": "c", "Scope": "openid email", "SessionTimeout": 60,
        "OnUnauthenticatedRequest": "deny",
        "AuthenticationRequestExtraParams": { "prompt": "login" },
    });
    let shown = with(config.clone(), given.clone());
    check(oidc(given), "AuthenticateOidcConfig", shown);
    let config = &cognito(json!({}))["AuthenticateCognitoConfig"];
    check(cognito(json!({})), "AuthenticateCognitoConfig", with(config.clone(), defaults));
    let claims = json!([{ "Name": "scope", "Format": "space-separated-values", "Values": ["a"] }]);
    let claims = json!({ "AdditionalClaims": claims });
    let shown = jwt(claims.clone())["JwtValidationConfig"].clone();
    check(jwt(claims), "JwtValidationConfig", shown);
}

#[test]
fn a_secret_is_kept_when_it_is_asked_for() {
    let (world, listener) = place();
    let secrets = || {
        let state = world.store.snapshot();
        let kinds = state.rules.iter().flat_map(|rule| &rule.actions).map(|action| &action.kind);
        let secret = |kind: &ActionKind| match kind {
            ActionKind::AuthenticateOidc(oidc) => Some(oidc.client_secret.0.clone()),
            _ => None,
        };
        kinds.filter_map(secret).collect::<Vec<_>>()
    };
    let bad = "InvalidLoadBalancerAction";
    let existing = json!({ "ClientSecret": null, "UseExistingClientSecret": true, "Scope": "x" });
    let first = rule(&listener, json!([oidc(existing.clone()), last()]));
    world.refuses("CreateRule", first, bad, "needs an action that has a client secret");
    let made = world.ok("CreateRule", rule(&listener, json!([oidc(json!({})), last()])));
    let arn = text(&made["Rules"][0]["RuleArn"]);
    let change = |action: Value| json!({ "RuleArn": arn, "Actions": [action, last()] });
    let changed = world.ok("ModifyRule", change(oidc(existing)));
    let shown = &changed["Rules"][0]["Actions"][0]["AuthenticateOidcConfig"];
    assert_eq!((&shown["Scope"], &shown["ClientSecret"]), (&json!("x"), &Value::Null));
    assert_eq!(secrets(), ["hush"]);
    let none = change(oidc(json!({ "ClientSecret": null })));
    world.refuses("ModifyRule", none, bad, "A 'ClientSecret' must be specified");
    let both = change(oidc(json!({ "UseExistingClientSecret": true })));
    world.refuses("ModifyRule", both, bad, "Either 'ClientSecret' or");
    world.ok("ModifyRule", change(oidc(json!({ "ClientSecret": "new" }))));
    assert_eq!(secrets(), ["new"]);
}

#[test]
fn chains_end_with_one_action_that_answers() {
    let (world, listener) = place();
    let (bad, mut group_at) = ("InvalidLoadBalancerAction", 100);
    let check = |actions: Value, code: &str, part: &str| {
        world.refuses("CreateRule", rule(&listener, actions), code, part);
    };
    let order = |action: Value, order: Value| with(action, json!({ "Order": order }));
    check(json!([oidc(json!({}))]), bad, "Exactly one action of type");
    check(json!([oidc(json!({})), last(), last()]), bad, "Exactly one action of type");
    let unordered = order(oidc(json!({})), Value::Null);
    check(json!([unordered, last()]), bad, "An order must be specified");
    check(json!([order(oidc(json!({})), json!(2)), last()]), bad, "must be different");
    check(json!([order(oidc(json!({})), json!(3)), last()]), bad, "must have the highest order");
    let many: Vec<Value> = (1..=6).map(|n| order(jwt(json!({})), json!(n))).collect();
    check(json!(many), "TooManyActions", "at most '5'");
    check(json!([{ "Type": "jwt-validation", "Order": 1 }, last()]), bad, "'JwtValidationConfig'");
    let stray = with(jwt(json!({})), json!({ "Type": "authenticate-cognito" }));
    check(json!([stray, last()]), bad, "'JwtValidationConfig' cannot be specified");
    let chain = json!([order(last(), json!(50)), order(jwt(json!({})), json!(7)), oidc(json!({}))]);
    world.ok("CreateRule", rule(&listener, chain));
    for version in ["HTTP2", "GRPC"] {
        let made = json!({
            "Name": version, "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-main",
            "ProtocolVersion": version,
        });
        let made = world.ok("CreateTargetGroup", made);
        let group = &made["TargetGroups"][0]["TargetGroupArn"];
        let to = json!({ "Type": "forward", "TargetGroupArn": group, "Order": 2 });
        let part = format!(
            "Only actions of type 'forward' are supported with a target group \
                            with the protocol-version '{version}'"
        );
        for guard in [oidc(json!({})), cognito(json!({})), jwt(json!({}))] {
            check(json!([guard, to]), "InvalidConfigurationRequest", &part);
        }
        let actions = json!([with(to, json!({ "Order": null }))]);
        world.ok("CreateRule", with(rule(&listener, actions), json!({ "Priority": group_at })));
        group_at += 1;
    }
    let plain = world.listener(&world.load_balancer("other"), 80, &world.group("others"));
    let input = rule(&plain, json!([oidc(json!({})), last()]));
    world.refuses("CreateRule", input, bad, "supported only on HTTPS listeners");
    let down = json!({ "ListenerArn": listener, "Protocol": "HTTP" });
    world.refuses("ModifyListener", down, bad, "supported only on HTTPS listeners");
}

#[test]
fn what_an_action_holds_is_checked() {
    let (world, listener) = place();
    let (bad, invalid) = ("InvalidLoadBalancerAction", "ValidationError");
    let check = |action: Value, code: &str, part: &str| {
        world.refuses("CreateRule", rule(&listener, json!([action, last()])), code, part);
    };
    for name in ["Issuer", "AuthorizationEndpoint", "TokenEndpoint", "UserInfoEndpoint"] {
        let part = format!("The '{name}' 'http://a.b' must be a valid HTTPS URL");
        check(oidc(json!({ name: "http://a.b" })), bad, &part);
    }
    check(oidc(json!({ "SessionTimeout": 0 })), invalid, "'1-604800'");
    check(oidc(json!({ "SessionTimeout": 604_801 })), invalid, "'1-604800'");
    check(oidc(json!({ "SessionCookieName": "a b" })), bad, "cookie name 'a b' is not valid");
    check(oidc(json!({ "ClientId": "" })), bad, "'ClientId'");
    check(oidc(json!({ "OnUnauthenticatedRequest": "x" })), invalid, "enum value set");
    let params: Value = (0..11).map(|n| (format!("p{n}"), json!("v"))).collect();
    let params = json!({ "AuthenticationRequestExtraParams": params });
    check(oidc(params), bad, "At most '10'");
    let own = json!({ "AuthenticationRequestExtraParams": { "state": "x" } });
    check(oidc(own), bad, "'state' cannot be");
    check(cognito(json!({ "UserPoolArn": "arn:x" })), invalid, "not a valid user pool ARN");
    check(cognito(json!({ "UserPoolDomain": "a/b" })), bad, "'UserPoolDomain' 'a/b'");
    let long = format!("https://{}", "a".repeat(249));
    check(jwt(json!({ "JwksEndpoint": long })), invalid, "the limit is '256'");
    check(jwt(json!({ "JwksEndpoint": "http://a.b" })), bad, "must be a valid HTTPS URL");
    check(jwt(json!({ "Issuer": "a".repeat(257) })), invalid, "the limit is '256'");
    let claim = |changes: Value| {
        let claim = json!({ "Name": "n", "Format": "single-string", "Values": ["v"] });
        jwt(json!({ "AdditionalClaims": [with(claim, changes)] }))
    };
    for name in ["exp", "iss", "nbf", "iat"] {
        check(claim(json!({ "Name": name })), bad, "it is always validated");
    }
    check(claim(json!({ "Format": "x" })), invalid, "enum value set");
    check(claim(json!({ "Values": [] })), bad, "1 to 10 values");
    check(claim(json!({ "Values": vec!["v"; 11] })), bad, "1 to 10 values");
    check(claim(json!({ "Values": ["v".repeat(257)] })), invalid, "the limit is '256'");
    let spaced = json!({ "Format": "space-separated-values", "Values": ["a b"] });
    check(claim(spaced), bad, "cannot contain spaces");
    let claims = vec![json!({ "Name": "n", "Format": "single-string", "Values": ["v"] }); 11];
    check(jwt(json!({ "AdditionalClaims": claims })), bad, "At most '10' additional claims");
}
