//! Trust stores, their revocation lists, and the listeners that hold clients to them.

use std::path::Path;

use model::certificate::{Revocation, TrustStore};
use model::limits::{
    AUTHORITIES_PER_TRUST_STORE, REVOCATION_LISTS_PER_TRUST_STORE, REVOCATIONS_PER_TRUST_STORE,
    TRUST_STORES_PER_ACCOUNT,
};
use model::{Buckets, Settings, TrustStoreArn};
use rcgen::{
    CertificateParams, CertificateRevocationListParams, Issuer, KeyIdMethod, KeyPair,
    RevokedCertParams, SerialNumber, date_time_ymd,
};
use serde_json::{Value, json};

use super::listener::{certificate, https, own};
use super::{Aborted, Fault, World, column, text, with};

/// A world whose bucket `pki` has an authority (`one.pem`), two (`two.pem`), a list of two revoked
/// certificates (`list.crl`, `list.der`), and what is neither (`odd`).
fn place() -> (World, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let bucket = dir.path().join("pki");
    std::fs::create_dir(&bucket).unwrap();
    let put = |name: &str, bytes: &[u8]| std::fs::write(bucket.join(name), bytes).unwrap();
    let authority = |name: &str| pki::Authority::make(name, 0).unwrap().certificate;
    put("one.pem", authority("one").as_bytes());
    put("two.pem", (authority("two") + &authority("three")).as_bytes());
    put("many.pem", authority("four").repeat(AUTHORITIES_PER_TRUST_STORE + 1).as_bytes());
    put("odd", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let list = list();
    put("list.crl", list.pem().unwrap().as_bytes());
    put("list.der", list.der());
    (World::with_buckets(dir.path()), dir)
}

fn list() -> rcgen::CertificateRevocationList {
    let revoked = |number: u64| RevokedCertParams {
        serial_number: SerialNumber::from(number),
        revocation_time: date_time_ymd(2024, 1, 1),
        reason_code: None,
        invalidity_date: None,
    };
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(2024, 1, 1),
        next_update: date_time_ymd(2040, 1, 1),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: vec![revoked(7), revoked(8)],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let issuer = Issuer::new(CertificateParams::default(), KeyPair::generate().unwrap());
    params.signed_by(&issuer).unwrap()
}

fn bundle(name: &str, key: &str) -> Value {
    json!({
        "Name": name, "CaCertificatesBundleS3Bucket": "pki", "CaCertificatesBundleS3Key": key,
    })
}

fn make(world: &World, name: &str) -> String {
    let made = world.ok("CreateTrustStore", bundle(name, "one.pem"));
    text(&made["TrustStores"][0]["TrustStoreArn"])
}

#[test]
fn bundles_are_read_replaced_and_refused() {
    let (world, _dir) = place();
    let arn = make(&world, "web");
    assert!(arn.contains(":truststore/web/"), "{arn}");
    assert_eq!(make(&world, "web"), arn, "the same again");
    let shown = |input: Value| world.ok("DescribeTrustStores", input)["TrustStores"].clone();
    let expect = json!([{
        "Name": "web", "TrustStoreArn": arn, "Status": "ACTIVE", "NumberOfCaCertificates": 1,
        "TotalRevokedEntries": 0,
    }]);
    assert_eq!(shown(json!({})), expect);
    assert_eq!(shown(json!({ "Names": ["web"] })), expect);
    let two = with(bundle("web", "two.pem"), json!({ "Name": null, "TrustStoreArn": arn }));
    world.ok("ModifyTrustStore", two);
    assert_eq!(shown(json!({ "TrustStoreArns": [arn] }))[0]["NumberOfCaCertificates"], 2);
    let check = |input: Value, code: &str, part: &str| {
        world.refuses("CreateTrustStore", input, code, part);
    };
    let missing = "CaCertificatesBundleNotFound";
    check(bundle("web", "one.pem"), "DuplicateTrustStoreName", "exists, but with different");
    check(bundle("a", "none.pem"), missing, "none.pem");
    check(bundle("a", "../pki/one.pem"), missing, "");
    check(bundle("a", "odd"), "InvalidCaCertificatesBundle", "cannot be read");
    check(bundle("a", "many.pem"), "InvalidCaCertificatesBundle", "at most");
    for name in ["-a", "a-", "a--b", "a_b", &"a".repeat(33)] {
        check(bundle(name, "one.pem"), "ValidationError", "failed to satisfy constraint");
    }
    let both = json!({ "Names": ["web"], "TrustStoreArns": [arn] });
    world.refuses("DescribeTrustStores", both, "ValidationError", "at the same time");
    let gone = "TrustStoreNotFound";
    world.refuses("DescribeTrustStores", json!({ "Names": ["no"] }), gone, "");
    let other = json!({ "TrustStoreArn": arn.replace("web", "no") });
    for call in ["DeleteTrustStore", "DescribeTrustStoreAssociations"] {
        world.refuses(call, other.clone(), gone, "");
    }
    let location = world.ok("GetTrustStoreCaCertificatesBundle", json!({ "TrustStoreArn": arn }));
    assert!(text(&location["Location"]).ends_with("/bundle.pem"));
    world.ok("DeleteTrustStore", json!({ "TrustStoreArn": arn }));
    assert_eq!(shown(json!({})), json!([]));
}

#[test]
fn an_account_has_so_many() {
    let (world, _dir) = place();
    for n in 0..TRUST_STORES_PER_ACCOUNT {
        make(&world, &format!("n{n}"));
    }
    world.refuses("CreateTrustStore", bundle("more", "one.pem"), "TooManyTrustStores", "maximum");
    let first = world.ok("DescribeTrustStores", json!({ "PageSize": 60 }));
    let rest = world.ok("DescribeTrustStores", json!({ "Marker": first["NextMarker"] }));
    let count = |page: &Value| column(&page["TrustStores"], "Name").len();
    assert_eq!((count(&first), count(&rest)), (60, TRUST_STORES_PER_ACCOUNT - 60));
    assert_eq!(rest["NextMarker"], Value::Null);
}

#[test]
fn revocation_lists_come_and_go() {
    let (world, _dir) = place();
    let arn = make(&world, "web");
    let add = |keys: &[&str]| {
        let content =
            |key: &&str| json!({ "S3Bucket": "pki", "S3Key": key, "RevocationType": "CRL" });
        let contents: Vec<Value> = keys.iter().map(content).collect();
        json!({ "TrustStoreArn": arn, "RevocationContents": contents })
    };
    let made = world.ok("AddTrustStoreRevocations", add(&["list.crl", "list.der"]));
    let one = |id| {
        json!({
            "TrustStoreArn": arn, "RevocationId": id, "RevocationType": "CRL",
            "NumberOfRevokedEntries": 2,
        })
    };
    assert_eq!(made["TrustStoreRevocations"], json!([one(1), one(2)]));
    let of = |ids: &[i64]| json!({ "TrustStoreArn": arn, "RevocationIds": ids });
    let lists =
        |input| world.ok("DescribeTrustStoreRevocations", input)["TrustStoreRevocations"].clone();
    assert_eq!(lists(of(&[2])), json!([one(2)]));
    assert_eq!(lists(of(&[])), json!([one(1), one(2)]));
    let total = || world.ok("DescribeTrustStores", json!({}))["TrustStores"][0].clone();
    assert_eq!(total()["TotalRevokedEntries"], 4);
    let check = |input: Value, code: &str, part: &str| {
        world.refuses("AddTrustStoreRevocations", input, code, part);
    };
    check(add(&["list.crl", "none"]), "RevocationContentNotFound", "none");
    check(add(&["one.pem"]), "InvalidRevocationContent", "no revocation list");
    let many = vec!["list.crl"; REVOCATION_LISTS_PER_TRUST_STORE - 1];
    check(add(&many), "TooManyTrustStoreRevocationEntries", "maximum");
    let unknown = "RevocationIdNotFound";
    world.refuses("DescribeTrustStoreRevocations", of(&[3]), unknown, "'3'");
    world.refuses("RemoveTrustStoreRevocations", of(&[1, 3]), unknown, "'3'");
    let content = |id| json!({ "TrustStoreArn": arn, "RevocationId": id });
    world.refuses("GetTrustStoreRevocationContent", content(3), unknown, "'3'");
    let found = world.ok("GetTrustStoreRevocationContent", content(2));
    assert!(text(&found["Location"]).ends_with("/revocations/2.crl"));
    world.ok("RemoveTrustStoreRevocations", of(&[1]));
    assert_eq!(lists(of(&[])), json!([one(2)]));
    let again = world.ok("AddTrustStoreRevocations", add(&["list.crl"]));
    assert_eq!(again["TrustStoreRevocations"], json!([one(3)]), "ids are not used again");
    let full: Result<_, Aborted<Fault>> = world.store.transact(|txn| {
        txn.update::<TrustStore>(&TrustStoreArn::from(arn.as_str()), |store| {
            let entries = REVOCATIONS_PER_TRUST_STORE - 1;
            store.revocations = vec![Revocation { id: 1, list: String::new(), entries }];
        });
        Ok(())
    });
    full.unwrap();
    check(add(&["list.crl"]), "TooManyTrustStoreRevocationEntries", "maximum");
}

#[test]
fn listeners_hold_clients_to_them() {
    let (world, _dir) = place();
    let arn = make(&world, "web");
    let (lb, cert) = (world.load_balancer("web"), certificate(&world, "one", own()));
    let verify = |changes: Value| {
        let verify = json!({ "Mode": "verify", "TrustStoreArn": arn });
        json!({ "MutualAuthentication": with(verify, changes) })
    };
    let input =
        |port: u16, mutual: Value| with(with(https(&lb, &cert), json!({ "Port": port })), mutual);
    let check = |mutual: Value, code: &str, part: &str| {
        world.refuses("CreateListener", input(443, mutual), code, part);
    };
    let invalid = "ValidationError";
    check(verify(json!({ "TrustStoreArn": null })), invalid, "must be specified for mode 'verify'");
    check(verify(json!({ "TrustStoreArn": arn.replace("web", "no") })), "TrustStoreNotFound", "");
    check(verify(json!({ "Mode": "passthrough" })), invalid, "for mode 'passthrough'");
    check(verify(json!({ "Mode": "some" })), invalid, "'some'");
    let made = |port| {
        let made = world.ok("CreateListener", input(port, verify(json!({}))));
        made["Listeners"][0].clone()
    };
    let first = made(443);
    let expect = json!({
        "Mode": "verify", "TrustStoreArn": arn, "IgnoreClientCertificateExpiry": false,
        "TrustStoreAssociationStatus": "active", "AdvertiseTrustStoreCaNames": "off",
    });
    assert_eq!(first["MutualAuthentication"], expect);
    made(444);
    // AWS: two listeners of a load balancer verify clients.
    let part = "At most '2' listeners";
    let third = input(445, verify(json!({})));
    world.refuses("CreateListener", third, "InvalidConfigurationRequest", part);
    world.ok("CreateListener", input(445, json!({ "MutualAuthentication": { "Mode": "off" } })));
    let associations = world.ok("DescribeTrustStoreAssociations", json!({ "TrustStoreArn": arn }));
    assert_eq!(associations["TrustStoreAssociations"].as_array().unwrap().len(), 2);
    let delete = json!({ "TrustStoreArn": arn });
    world.refuses("DeleteTrustStore", delete.clone(), "TrustStoreInUse", "in use by a listener");
    world.ok("DeleteLoadBalancer", json!({ "LoadBalancerArn": lb }));
    world.ok("DeleteTrustStore", delete);
}

impl World {
    /// A world whose node has a folder of buckets.
    fn with_buckets(folder: &Path) -> World {
        let buckets = Some(Buckets(folder.to_owned()));
        let settings = Box::leak(Box::new(Settings { buckets, ..Settings::default() }));
        World { settings, ..World::new() }
    }
}
