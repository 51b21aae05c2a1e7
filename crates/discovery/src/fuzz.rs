//! Fuzz target: whatever bytes come as a question, an answer is a whole message that fits.

use std::sync::{Arc, OnceLock};

use model::discovery::{
    Attributes, CNAME, CustomHealth, DnsConfig, DnsRecord, HealthSource, IPV4, IPV6, Namespace,
    NamespaceKind, PORT, RecordKind, Registration, RoutingPolicy, Service, ServiceName, Zone,
};
use model::table::TextKey;
use model::{Scope, Settings, Snapshot, Timestamp};
use routing::Tables;

use crate::query::{self, HEADER};
use crate::respond::{Outcome, Way, respond};

/// Questions of any kind for a few names, and bytes that are no questions.
pub fn questions(data: &[u8]) {
    for way in [Way::Datagram, Way::Stream] {
        let mut reply = Vec::new();
        let draw = data.len() as u64;
        let outcome = respond(tables(), data, way, (Timestamp(0), draw), &mut reply);
        if outcome == Outcome::Silence {
            continue;
        }
        assert_eq!(reply[..2], data[..2], "the same id");
        assert!(reply[2] & 0x80 != 0, "an answer");
        assert_eq!(end(&reply), Some(reply.len()), "whole: {reply:?}");
        let Ok(asked) = query::read(data) else { continue };
        assert_eq!(&reply[HEADER..HEADER + asked.question.len()], asked.question);
        let most = if way == Way::Datagram { asked.udp_bytes() } else { u16::MAX };
        assert!(reply.len() <= usize::from(most));
    }
}

/// Where a message ends, as its counts say.
fn end(message: &[u8]) -> Option<usize> {
    let count = |at: usize| usize::from(u16::from_be_bytes([message[at], message[at + 1]]));
    let mut at = HEADER;
    for _ in 0..count(4) {
        at = after_name(message, at)? + 4;
    }
    for _ in 0..count(6) + count(8) + count(10) {
        at = after_name(message, at)?;
        let length: &[u8; 2] = message.get(at + 8..)?.first_chunk()?;
        at += 10 + usize::from(u16::from_be_bytes(*length));
    }
    Some(at)
}

/// Pointers lead back.
fn after_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match usize::from(*message.get(at)?) {
            0 => return Some(at + 1),
            high @ 192.. => {
                let to = (high - 192) * 256 + usize::from(*message.get(at + 1)?);
                return (to < at).then_some(at + 2);
            }
            size => at += size + 1,
        }
    }
}

/// Zone `corp` with services of every kind; `many` has more instances than fit.
pub(crate) fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        let mut state = Snapshot::default();
        let kind = NamespaceKind::Public(Zone { id: "Z1".into(), soa_ttl: 15 });
        state.namespaces.insert(Arc::new(Namespace {
            scope: scope(),
            id: "ns-1".into(),
            name: "corp".into(),
            http_name: "corp".into(),
            kind,
            description: None,
            creator_request_id: None,
            creation: String::new(),
            tags: Default::default(),
            created: Timestamp(0),
        }));
        use RecordKind::{A, Aaaa, Cname, Srv};
        service(&mut state, "a", &[A, Aaaa], 2);
        service(&mut state, "_web._tcp", &[Srv], 3);
        service(&mut state, "alias", &[Cname], 1);
        service(&mut state, "many", &[Srv], 100);
        service(&mut state, "none", &[A], 0);
        service(&mut state, ".", &[Srv], 1);
        routing::compile(&state, &Settings::default()).0
    })
}

fn scope() -> Scope {
    Scope::new("000000000000", "us-east-1")
}

fn service(state: &mut Snapshot, name: &str, kinds: &[RecordKind], instances: usize) {
    let records = kinds.iter().map(|kind| DnsRecord { kind: *kind, ttl: 60 }).collect();
    state.services.insert(Arc::new(Service {
        scope: scope(),
        id: name.into(),
        namespace: "ns-1".into(),
        name: name.into(),
        description: None,
        dns: Some(DnsConfig { routing: RoutingPolicy::Multivalue, records }),
        health: HealthSource::Nobody,
        attributes: Attributes::default(),
        revision: 0,
        creator_request_id: None,
        tags: Default::default(),
        created: Timestamp(0),
    }));
    state.service_names.insert(Arc::new(ServiceName {
        namespace: "ns-1".into(),
        name: TextKey(name.into()),
        service: name.into(),
    }));
    for number in 0..instances {
        let pairs = [
            (IPV4, format!("10.0.0.{number}")),
            (IPV6, format!("fd00::{number}")),
            (PORT, "8080".into()),
            (CNAME, "_web._tcp.corp".into()),
        ];
        state.registrations.insert(Arc::new(Registration {
            service: name.into(),
            id: format!("{}-instance.{number}", "x".repeat(number % 48)).into(),
            attributes: pairs.map(|(key, value)| (key.to_owned(), value)).into(),
            health: CustomHealth::new(true),
            creator_request_id: None,
        }));
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn questions() {
        replay::run("questions", super::questions);
    }
}
