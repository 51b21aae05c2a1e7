//! Certificates that listeners use are renewed.

use std::sync::Arc;

use model::Settings;
use model::certificate::{CertificateSource, KeyText};

use super::listener::https;
use super::{Aborted, Fault, World};
use crate::acm::{self, renewal};

#[test]
fn certificates_in_use_are_renewed_before_they_end() {
    const DAY: i64 = 86_400_000;
    let made = pki::Authority::make("Test", 1_700_000_000_000 - DAY).unwrap();
    let authority = model::AuthorityText { certificate: made.certificate, key: KeyText(made.key) };
    let settings = Box::leak(Box::new(Settings { authority, ..Settings::default() }));
    let world = World { settings, ..World::new() };
    let input = shapes::acm::RequestCertificateInput {
        domain_name: "web.example".to_owned(),
        key_algorithm: Some("EC_prime256v1".to_owned()),
        ..Default::default()
    };
    let request = acm::request::request_certificate;
    let arn = world.store.transact(|txn| request(&world.ctx(), txn, input.clone()));
    let arn = arn.map(|made| made.value.certificate_arn.unwrap()).map_err(drop).unwrap();
    let record = || Arc::clone(world.store.snapshot().certificates.iter().next().unwrap());
    let first = record();
    let renew = |days_before_end: i64| {
        let now = record().facts.not_after.plus_ms(-days_before_end * DAY);
        let done: Result<_, Aborted<Fault>> =
            world.store.transact(|txn| renewal::renew_due(settings, txn, now, 77));
        done.unwrap();
        record().facts.serial.clone()
    };
    assert_eq!(renew(1), first.facts.serial, "nobody uses it");
    let lb = world.load_balancer("web");
    world.ok("CreateListener", https(&lb, &arn));
    assert_eq!(renewal::due_at(&first), Some(first.facts.not_after.plus_ms(-60 * DAY)));
    assert_eq!(renew(61), first.facts.serial, "there is time");
    assert_ne!(renew(60), first.facts.serial);
    let renewed = record();
    assert!(renewed.facts.not_after > first.facts.not_after);
    assert_eq!((&renewed.arn, &renewed.facts.names), (&first.arn, &first.facts.names));
    assert!(matches!(&renewed.source, CertificateSource::Issued(own) if own.renewals == 1));
    assert!(renewal::due(&world.store.snapshot(), first.facts.not_after).next().is_none());
}
