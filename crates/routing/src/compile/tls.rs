//! How listeners speak TLS, from their records.

use std::sync::Arc;

use model::attributes::flag;
use model::balancer::{Listener, LoadBalancer, MutualAuthentication};
use model::tls_policy::{self, Family, Policy};
use model::{CertificateArn, Snapshot};

use crate::Finding;
use crate::balancer::certificate::Names;
use crate::tables::{Clients, TlsTable, Verify};

/// TLS of an HTTPS listener; none when it has no certificate that exists.
///
/// DEVIATION: Security policies are served as far as TLS 1.2 and 1.3 with ephemeral keys and
/// authenticated encryption go: TLS 1.0 and 1.1 and the ciphers without AES-GCM of older policies
/// are not offered. The FIPS policies name the same ciphers, but no validated module.
pub(super) fn compile(
    snapshot: &Snapshot,
    listener: &Listener,
    before: Option<&Arc<TlsTable>>,
    findings: &mut Vec<Finding>,
) -> Option<Arc<TlsTable>> {
    if listener.protocol != "HTTPS" {
        return None;
    }
    let mut certificates = Vec::new();
    for arn in &listener.certificates {
        match snapshot.certificates.get(&CertificateArn::from(arn.as_str())) {
            Some(record) => certificates.push(Arc::clone(record)),
            None => findings.push(Finding::new(
                &listener.arn,
                format!("its certificate {arn} does not exist"),
                "give the listener another certificate",
            )),
        }
    }
    let name = listener.ssl_policy.as_deref().unwrap_or(tls_policy::DEFAULT);
    let policy = tls_policy::find(name).or_else(|| tls_policy::find(tls_policy::DEFAULT))?;
    let clients = clients(snapshot, listener, findings)?;
    if certificates.is_empty() {
        findings.push(Finding::new(
            &listener.arn,
            "it has no certificate and answers nobody",
            "give the listener a certificate",
        ));
        return None;
    }
    let balancer = snapshot.load_balancers.get(&listener.load_balancer);
    let table = TlsTable {
        versions: versions(policy),
        ciphers: served(policy),
        post_quantum: policy.is_post_quantum(),
        http2: balancer.is_none_or(|balancer| http2(balancer)),
        names: Names::new(&certificates),
        certificates,
        clients,
    };
    match before.filter(|before| ***before == table) {
        Some(before) => Some(Arc::clone(before)),
        None => Some(Arc::new(table)),
    }
}

fn http2(balancer: &LoadBalancer) -> bool {
    flag(&balancer.attributes, "routing.http2.enabled", true)
}

/// Whether TLS 1.3 and 1.2 are spoken.
fn versions(policy: &Policy) -> (bool, bool) {
    let speaks = |version| policy.protocols.contains(&version);
    (speaks("TLSv1.3"), speaks("TLSv1.2"))
}

fn served(policy: &Policy) -> Vec<&'static str> {
    let is_served = |(_, family): &&(&str, Family)| {
        policy.families.contains(family)
            && matches!(family, Family::Tls13 | Family::ChaCha | Family::Gcm)
    };
    tls_policy::CIPHERS.iter().filter(is_served).map(|(name, _)| *name).collect()
}

/// Without its trust store a listener would let everybody in: it lets nobody in.
fn clients(
    snapshot: &Snapshot,
    listener: &Listener,
    findings: &mut Vec<Finding>,
) -> Option<Clients> {
    let verify = match &listener.mutual {
        MutualAuthentication::Off => return Some(Clients::Anyone),
        MutualAuthentication::Passthrough => return Some(Clients::Passthrough),
        MutualAuthentication::Verify(verify) => verify,
    };
    match snapshot.trust_stores.get(&verify.trust_store) {
        Some(store) => Some(Clients::Verify(Verify {
            store: Arc::clone(store),
            ignore_expiry: verify.ignore_expiry,
            advertise: verify.advertise,
        })),
        None => {
            findings.push(Finding::new(
                &listener.arn,
                format!("its trust store {} does not exist; it lets nobody in", verify.trust_store),
                "give the listener another trust store",
            ));
            None
        }
    }
}
