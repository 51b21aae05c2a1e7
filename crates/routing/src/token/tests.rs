//! Key sets and tokens, good and forged.

use hmac::{Hmac, Mac};
use model::Timestamp;
use model::authentication::{ClaimFormat, RequiredClaim};
use serde_json::{Value, json};
use sha2::Sha256;

use super::keys::{Broken, MAX_BYTES};
use super::testing::{Issuer, encode};
use super::{Algorithm, Claims, KeySet, Token, Unverified, Wrong};

fn verdict(text: &str, keys: &KeySet) -> Result<(), Unverified> {
    Token::read(text)?.verify(keys, Algorithm::Rs256).map(drop)
}

#[test]
fn only_what_the_issuer_signed_is_verified() {
    let (own, other) = (Issuer::new("one"), Issuer::new("one"));
    let keys = KeySet::read(&own.jwks()).unwrap();
    let claims = json!({"sub": "me"});
    let check = |text: &str, expect| assert_eq!(verdict(text, &keys), expect, "{text}");
    check(&own.token(&claims), Ok(()));
    check(&own.signed(&json!({"alg": "RS256"}), &claims), Ok(()));
    check(&other.token(&claims), Err(Unverified::Signature));
    check(&own.signed(&json!({"alg": "RS256", "kid": "two"}), &claims), Err(Unverified::Signature));
    for alg in ["none", "None", "NONE", "HS256", "RS384", "rs256", "PS256", ""] {
        let text = own.signed(&json!({"alg": alg, "kid": "one"}), &claims);
        check(&text, Err(Unverified::Algorithm));
    }
    let unsigned = format!("{}.{}.", encode(r#"{"alg":"none"}"#), encode(claims.to_string()));
    check(&unsigned, Err(Unverified::Algorithm));
    check(
        &own.signed(&json!({"alg": "RS256", "crit": ["x"]}), &claims),
        Err(Unverified::Malformed),
    );
    check(&own.signed(&json!({"kid": "one"}), &claims), Err(Unverified::Malformed));
    let good = own.token(&claims);
    let (head, tail) = good.rsplit_once('.').unwrap();
    check(&format!("{head}."), Err(Unverified::Signature));
    check(&format!("{head}.{}", &tail[4..]), Err(Unverified::Signature));
    check(&format!("{head}.*"), Err(Unverified::Malformed));
    let other_claims = encode(json!({"sub": "you"}).to_string());
    let parts: Vec<&str> = good.split('.').collect();
    check(&format!("{}.{other_claims}.{}", parts[0], parts[2]), Err(Unverified::Signature));
    for junk in ["", "a", "a.b", "a.b.c", "a.b.c.d", "..", &format!("{good}.x")] {
        check(junk, Err(Unverified::Malformed));
    }
}

#[test]
fn a_public_key_is_no_secret_to_sign_with() {
    let own = Issuer::new("one");
    let keys = KeySet::read(&own.jwks()).unwrap();
    let header = encode(r#"{"alg":"HS256","kid":"one"}"#);
    let text = format!("{header}.{}", encode(r#"{"sub":"me"}"#));
    let mut mac = Hmac::<Sha256>::new_from_slice(&own.public()).unwrap();
    mac.update(text.as_bytes());
    let forged = format!("{text}.{}", encode(mac.finalize().into_bytes()));
    assert_eq!(verdict(&forged, &keys), Err(Unverified::Algorithm));
}

#[test]
fn key_sets_have_limits_and_odd_keys_spoil_nothing() {
    let own = Issuer::new("one");
    let set = |keys: Value| json!({ "keys": keys }).to_string().into_bytes();
    let read = |bytes: &[u8]| KeySet::read(bytes).map(|keys| keys.knows(Some("one")));
    let with = |name: &str, value: &str| {
        let mut key = own.jwk();
        key[name] = json!(value);
        key
    };
    assert_eq!(read(&own.jwks()), Ok(true));
    assert_eq!(read(&set(json!([{"kty": "EC", "kid": "x"}, 1, {}, own.jwk()]))), Ok(true));
    assert_eq!(read(&set(json!([with("use", "enc")]))), Ok(false));
    assert_eq!(read(&set(json!([with("kty", "oct")]))), Ok(false));
    assert_eq!(read(&set(json!([with("n", "")]))), Ok(false));
    assert_eq!(read(&set(json!([]))), Ok(false));
    assert_eq!(read(&set(json!(vec![own.jwk(); 10]))), Ok(true));
    assert_eq!(read(&set(json!(vec![own.jwk(); 11]))), Err(Broken::TooLarge));
    let mut padded = own.jwks();
    padded.resize(MAX_BYTES, b' ');
    assert_eq!(read(&padded), Ok(true));
    padded.push(b' ');
    assert_eq!(read(&padded), Err(Broken::TooLarge));
    for junk in ["", "{}", "[]", r#"{"keys": {}}"#, "null"] {
        assert_eq!(read(junk.as_bytes()), Err(Broken::Malformed), "{junk}");
    }
    let other = set(json!([with("alg", "RS512")]));
    let keys = KeySet::read(&other).unwrap();
    assert_eq!(verdict(&own.token(&json!({})), &keys), Err(Unverified::Signature));
}

fn claims(value: Value) -> Claims {
    match value {
        Value::Object(members) => Claims(members),
        other => panic!("{other}"),
    }
}

#[test]
fn times_are_checked_without_leeway() {
    let check = |value: Value, expect: Result<i64, Wrong>| {
        let got = claims(value.clone()).check_times(Timestamp(1_000_000));
        assert_eq!(got.map(|until| until.0), expect, "{value}");
    };
    let value = |name: &str| Err(Wrong::Value(name.to_owned()));
    let format = |name: &str| Err(Wrong::Format(name.to_owned()));
    check(json!({"exp": 1001}), Ok(1_001_000));
    check(json!({"exp": 1000.5}), Ok(1_000_500));
    check(json!({"exp": 1000}), value("exp"));
    check(json!({}), Err(Wrong::Missing("exp".into())));
    check(json!({"exp": "1001"}), format("exp"));
    check(json!({"exp": null}), format("exp"));
    check(json!({"exp": 1e300}), Ok(i64::MAX));
    check(json!({"exp": -1e300}), value("exp"));
    check(json!({"exp": 1001, "nbf": 1000, "iat": 1000}), Ok(1_001_000));
    check(json!({"exp": 1001, "nbf": 1001}), value("nbf"));
    check(json!({"exp": 1001, "iat": 1001}), value("iat"));
    check(json!({"exp": 1001, "nbf": true}), format("nbf"));
}

#[test]
fn issuer_and_audience_are_compared_byte_for_byte() {
    let issuer = |value: Value| claims(json!({ "iss": value })).check_issuer("https://a");
    assert_eq!(issuer(json!("https://a")), Ok(()));
    for other in [json!("https://a/"), json!("https://A"), json!("")] {
        assert_eq!(issuer(other), Err(Wrong::Value("iss".into())));
    }
    assert_eq!(issuer(json!(["https://a"])), Err(Wrong::Format("iss".into())));
    let audience = |value: Value| claims(json!({ "aud": value })).check_audience("me");
    assert_eq!(audience(json!("me")), Ok(()));
    assert_eq!(audience(json!(["you", "me"])), Ok(()));
    assert_eq!(audience(json!(["you"])), Err(Wrong::Value("aud".into())));
    assert_eq!(audience(json!(1)), Err(Wrong::Format("aud".into())));
}

#[test]
fn additional_claims_have_one_of_their_values() {
    use ClaimFormat::{SingleString, SpaceSeparated, StringArray};
    let check = |format, value: Value, expect: Result<(), Wrong>| {
        let required =
            RequiredClaim { name: "c".into(), format, values: vec!["a".into(), "b".into()] };
        let got = claims(value.clone()).check_required(&required);
        assert_eq!(got, expect, "{format:?} {value}");
    };
    let (format, value) = (|| Err(Wrong::Format("c".into())), || Err(Wrong::Value("c".into())));
    check(SingleString, json!({"c": "a"}), Ok(()));
    check(SingleString, json!({"c": "a b"}), value());
    check(SingleString, json!({"c": ["a"]}), format());
    check(SingleString, json!({}), Err(Wrong::Missing("c".into())));
    check(StringArray, json!({"c": ["x", "b"]}), Ok(()));
    check(StringArray, json!({"c": ["x"]}), value());
    check(StringArray, json!({"c": []}), value());
    check(StringArray, json!({"c": ["a", 1]}), format());
    check(StringArray, json!({"c": "a"}), format());
    check(SpaceSeparated, json!({"c": "x b"}), Ok(()));
    check(SpaceSeparated, json!({"c": "xb"}), value());
    check(SpaceSeparated, json!({"c": 1}), format());
}
