//! Tests of the operations through their table: JSON in, JSON out, with real certificates.

use std::cell::Cell;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::certificate::KeyText;
use model::{AuthorityText, Scope, Settings, Timestamp};
use pki::{Authority, NewKey};
use serde_json::{Value, json};
use store::{Aborted, Store};
use wire::{Fault, Node};

use crate::operations::{Run, find};
use crate::{Ctx, Principal};

const NOW: i64 = 1_790_000_000_000;
const DAY: i64 = 86_400_000;

static AUTHORITY: LazyLock<AuthorityText> = LazyLock::new(|| {
    let made = Authority::make("Test authority", NOW - DAY).unwrap();
    AuthorityText { certificate: made.certificate, key: KeyText(made.key) }
});
static SETTINGS: LazyLock<Settings> =
    LazyLock::new(|| Settings { authority: AUTHORITY.clone(), ..Settings::default() });

struct World {
    store: Store,
    calls: Cell<u64>,
}

impl World {
    fn new() -> Self {
        Self { store: Store::ephemeral(), calls: Cell::new(0) }
    }

    fn call(&self, name: &str, input: Value) -> Result<Value, Fault> {
        self.calls.set(self.calls.get() + 1);
        let principal = Principal { arn: String::new(), user_id: String::new() };
        let scope = Scope::new("000000000000", "us-east-1");
        let now = Timestamp(NOW);
        let ctx = Ctx::new(&SETTINGS, scope, principal, now, String::new(), self.calls.get());
        let node = wire::protocol::json11::read(input.to_string().as_bytes()).unwrap();
        let operation = find("acm", name).unwrap_or_else(|| panic!("no operation {name}"));
        let output: Result<Node, Fault> = match operation.run {
            Run::Read(run) => run(&ctx, &self.store.snapshot(), &node),
            Run::Write(run) => {
                let committed = self.store.transact(|txn| run(&ctx, txn, &node));
                committed.map(|committed| committed.value).map_err(|aborted| match aborted {
                    Aborted::Operation(fault) => fault,
                    Aborted::Store(error) => panic!("{name}: {error}"),
                })
            }
        };
        let reply = wire::protocol::json11::answer(&output?, "");
        Ok(serde_json::from_slice(&reply.body).unwrap())
    }

    #[track_caller]
    fn ok(&self, name: &str, input: Value) -> Value {
        self.call(name, input).unwrap_or_else(|fault| panic!("{name}: {fault}"))
    }

    #[track_caller]
    fn refuses(&self, name: &str, input: Value, code: &str, part: &str) {
        let fault = self.call(name, input).unwrap_err();
        assert_eq!((fault.code.as_ref(), fault.status), (code, 400), "{fault}");
        assert!(fault.message.contains(part), "{fault}");
    }
}

fn authority() -> Authority {
    Authority::read(&AUTHORITY.certificate, &AUTHORITY.key.0).unwrap()
}

fn blob(text: &str) -> Value {
    Value::String(STANDARD.encode(text))
}

/// The members of an import of a new certificate for a name.
fn import(name: &str, key: NewKey) -> Value {
    let issued = authority().issue(&[name.into()], key, NOW - DAY, 90, [7; 16]).unwrap();
    json!({
        "Certificate": blob(&issued.certificate), "PrivateKey": blob(&issued.key),
        "CertificateChain": blob(&AUTHORITY.certificate),
    })
}

fn with(mut base: Value, changes: Value) -> Value {
    let (Value::Object(members), Value::Object(changes)) = (&mut base, changes) else { panic!() };
    members.extend(changes);
    base
}

#[test]
fn imported_certificates_are_told_of() {
    let world = World::new();
    let tags = json!([{ "Key": "a", "Value": "1" }]);
    let made =
        world.ok("ImportCertificate", with(import("a.io", NewKey::P256), json!({ "Tags": tags })));
    let arn = made["CertificateArn"].as_str().unwrap().to_owned();
    assert!(arn.starts_with("arn:aws:acm:us-east-1:000000000000:certificate/"), "{arn}");
    let by_arn = json!({ "CertificateArn": arn });
    let detail = world.ok("DescribeCertificate", by_arn.clone())["Certificate"].clone();
    let check = |member: &str, expect: Value| assert_eq!(detail[member], expect, "{member}");
    check("DomainName", json!("a.io"));
    check("SubjectAlternativeNames", json!(["a.io"]));
    check("Status", json!("ISSUED"));
    check("Type", json!("IMPORTED"));
    check("KeyAlgorithm", json!("EC_prime256v1"));
    check("SignatureAlgorithm", json!("SHA256WITHECDSA"));
    check("Subject", json!("CN=a.io"));
    check("Issuer", json!("Test authority"));
    check("InUseBy", json!([]));
    check("RenewalEligibility", json!("INELIGIBLE"));
    check("KeyUsages", json!([{ "Name": "DIGITAL_SIGNATURE" }, { "Name": "KEY_ENCIPHERMENT" }]));
    assert!(detail["Serial"].as_str().unwrap().starts_with("47:07:07"));
    assert!(!detail.to_string().contains("PRIVATE"));
    let got = world.ok("GetCertificate", by_arn.clone());
    assert!(got["Certificate"].as_str().unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    assert_eq!(
        got["CertificateChain"].as_str().unwrap().trim(),
        AUTHORITY.certificate.trim().replace("\r\n", "\n")
    );
    assert_eq!(world.ok("ListTagsForCertificate", by_arn.clone())["Tags"], tags);
    let more = json!([{ "Key": "b" }]);
    world.ok("AddTagsToCertificate", with(by_arn.clone(), json!({ "Tags": more })));
    let gone = json!([{ "Key": "a", "Value": "other" }, { "Key": "b" }]);
    world.ok("RemoveTagsFromCertificate", with(by_arn.clone(), json!({ "Tags": gone })));
    assert_eq!(world.ok("ListTagsForCertificate", by_arn.clone())["Tags"], tags);
    world.ok("DeleteCertificate", by_arn.clone());
    world.refuses("DescribeCertificate", by_arn, "ResourceNotFoundException", "Could not find");
    let odd = json!({ "CertificateArn": "arn:aws:acm:us-east-1:0:other/x" });
    world.refuses("DescribeCertificate", odd, "InvalidArnException", "other/x");
}

#[test]
fn imports_are_held_to_what_load_balancers_take() {
    let world = World::new();
    let good = import("a.io", NewKey::P256);
    let check = |changes: Value, part: &str| {
        let input = with(good.clone(), changes);
        world.refuses("ImportCertificate", input, "ValidationException", part);
    };
    let other = import("b.io", NewKey::P256);
    let both = {
        let text = |value: &Value| {
            String::from_utf8(STANDARD.decode(value.as_str().unwrap()).unwrap()).unwrap()
        };
        blob(&format!("{}{}", text(&good["Certificate"]), text(&other["Certificate"])))
    };
    check(json!({ "Certificate": blob("x") }), "The certificate is not PEM-encoded");
    check(json!({ "Certificate": both }), "more than one certificate");
    check(json!({ "PrivateKey": blob("x") }), "The private key is not PEM-encoded");
    check(json!({ "PrivateKey": other["PrivateKey"] }), "does not match the certificate");
    check(json!({ "CertificateChain": blob("x") }), "The certificate chain is not PEM-encoded");
    check(
        json!({ "CertificateChain": other["Certificate"] }),
        "Could not validate the certificate",
    );
    let at = |now: i64| {
        let issued = authority().issue(&["a".into()], NewKey::P256, now, 1, [1; 16]).unwrap();
        json!({ "Certificate": blob(&issued.certificate), "PrivateKey": blob(&issued.key) })
    };
    check(at(NOW - 2 * DAY), "has expired");
    check(at(NOW + 2 * DAY), "not in effect yet");
    for key in [NewKey::P384, NewKey::P521] {
        world.ok("ImportCertificate", import("a.io", key));
    }
}

#[test]
fn a_certificate_is_imported_again_under_its_arn() {
    let world = World::new();
    let made = world.ok("ImportCertificate", import("a.io", NewKey::P256));
    let newer = with(import("b.io", NewKey::P384), made.clone());
    assert_eq!(world.ok("ImportCertificate", newer.clone()), made);
    let detail = world.ok("DescribeCertificate", made.clone());
    assert_eq!(detail["Certificate"]["DomainName"], "b.io");
    let tagged = with(newer, json!({ "Tags": [{ "Key": "a" }] }));
    world.refuses("ImportCertificate", tagged, "ValidationException", "not permitted on re-import");
    let gone = with(
        import("b.io", NewKey::P256),
        json!({ "CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/x" }),
    );
    world.refuses("ImportCertificate", gone, "ResourceNotFoundException", "certificate/x");
}

#[test]
fn requested_certificates_are_issued_at_once() {
    let world = World::new();
    let input = json!({
        "DomainName": "*.Shop.example", "SubjectAlternativeNames": ["shop.example"],
        "ValidationMethod": "DNS", "IdempotencyToken": "t1", "KeyAlgorithm": "EC_prime256v1",
    });
    let made = world.ok("RequestCertificate", input.clone());
    assert_eq!(world.ok("RequestCertificate", input.clone()), made, "the same again");
    let other = with(input, json!({ "IdempotencyToken": "t2" }));
    assert_ne!(world.ok("RequestCertificate", other), made);
    let shown = || world.ok("DescribeCertificate", made.clone())["Certificate"].clone();
    let detail = shown();
    assert_eq!(detail["DomainName"], "*.shop.example");
    assert_eq!(detail["SubjectAlternativeNames"], json!(["*.shop.example", "shop.example"]));
    assert_eq!((&detail["Type"], &detail["Status"]), (&json!("AMAZON_ISSUED"), &json!("ISSUED")));
    let option = &detail["DomainValidationOptions"][0];
    assert_eq!(option["ValidationStatus"], "SUCCESS");
    assert!(option["ResourceRecord"]["Name"].as_str().unwrap().ends_with(".shop.example."));
    world.ok("RenewCertificate", made.clone());
    let renewed = shown();
    assert_ne!(renewed["Serial"], detail["Serial"]);
    assert_eq!(renewed["RenewalSummary"]["RenewalStatus"], "SUCCESS");
    let again = with(import("a.io", NewKey::P256), made.clone());
    world.refuses("ImportCertificate", again, "ValidationException", "Only imported certificates");
    let odd = json!({ "DomainName": "a..b" });
    world.refuses("RequestCertificate", odd, "ValidationException", "");
    let types = json!({ "Includes": { "keyTypes": ["EC_prime256v1"] } });
    let list = |input: Value| {
        world.ok("ListCertificates", input)["CertificateSummaryList"].as_array().unwrap().len()
    };
    assert_eq!((list(types), list(json!({}))), (2, 0), "RSA with 2,048 bits only by default");
}
