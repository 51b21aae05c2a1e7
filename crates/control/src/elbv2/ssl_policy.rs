//! DescribeSSLPolicies: the predefined security policies, with their protocols and ciphers.
//!
//! DEVIATION: the FIPS policies (`…-FIPS-…`) are not listed and not accepted.

use model::Snapshot;
use shapes::elbv2::{Cipher, DescribeSSLPoliciesInput, DescribeSSLPoliciesOutput, SslPolicy};
use wire::Fault;

use super::{fault, find};
use crate::Ctx;
use crate::page::page;

/// The policy of a listener that names none. AWS: the API's default, not the console's.
pub const DEFAULT: &str = "ELBSecurityPolicy-2016-08";

/// Families of ciphers. A policy has whole families.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    /// TLS 1.3.
    Tls13,
    /// ECDHE with AES-GCM.
    Gcm,
    /// ECDHE with AES-CBC and SHA-2.
    Cbc,
    /// ECDHE with AES-CBC and SHA-1.
    Sha,
    /// RSA key exchange with SHA-2 or GCM.
    Rsa2,
    /// RSA key exchange with SHA-1.
    Rsa1,
    /// Triple DES.
    Des,
}

use Family::{Cbc, Des, Gcm, Rsa1, Rsa2, Sha, Tls13};

/// Every cipher in the order of preference, which is the same in all policies.
const CIPHERS: [(&str, Family); 22] = [
    ("TLS_AES_128_GCM_SHA256", Tls13),
    ("TLS_AES_256_GCM_SHA384", Tls13),
    ("TLS_CHACHA20_POLY1305_SHA256", Tls13),
    ("ECDHE-ECDSA-AES128-GCM-SHA256", Gcm),
    ("ECDHE-RSA-AES128-GCM-SHA256", Gcm),
    ("ECDHE-ECDSA-AES128-SHA256", Cbc),
    ("ECDHE-RSA-AES128-SHA256", Cbc),
    ("ECDHE-ECDSA-AES128-SHA", Sha),
    ("ECDHE-RSA-AES128-SHA", Sha),
    ("ECDHE-ECDSA-AES256-GCM-SHA384", Gcm),
    ("ECDHE-RSA-AES256-GCM-SHA384", Gcm),
    ("ECDHE-ECDSA-AES256-SHA384", Cbc),
    ("ECDHE-RSA-AES256-SHA384", Cbc),
    ("ECDHE-ECDSA-AES256-SHA", Sha),
    ("ECDHE-RSA-AES256-SHA", Sha),
    ("AES128-GCM-SHA256", Rsa2),
    ("AES128-SHA256", Rsa2),
    ("AES128-SHA", Rsa1),
    ("AES256-GCM-SHA384", Rsa2),
    ("AES256-SHA256", Rsa2),
    ("AES256-SHA", Rsa1),
    ("DES-CBC3-SHA", Des),
];

const V3: &[&str] = &["TLSv1.3"];
const V2_3: &[&str] = &["TLSv1.3", "TLSv1.2"];
const V1_3: &[&str] = &["TLSv1.3", "TLSv1.2", "TLSv1.1"];
const V0_3: &[&str] = &["TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1"];
const V2: &[&str] = &["TLSv1.2"];
const V1_2: &[&str] = &["TLSv1.2", "TLSv1.1"];
const V0_2: &[&str] = &["TLSv1.2", "TLSv1.1", "TLSv1"];

const A: &[Family] = &[Tls13];
const AG: &[Family] = &[Tls13, Gcm];
const AGC: &[Family] = &[Tls13, Gcm, Cbc];
const AGC2: &[Family] = &[Tls13, Gcm, Cbc, Rsa2];
const AGCS21: &[Family] = &[Tls13, Gcm, Cbc, Sha, Rsa2, Rsa1];
const G: &[Family] = &[Gcm];
const GC: &[Family] = &[Gcm, Cbc];
const GCS: &[Family] = &[Gcm, Cbc, Sha];
const GC2: &[Family] = &[Gcm, Cbc, Rsa2];
const GCS21: &[Family] = &[Gcm, Cbc, Sha, Rsa2, Rsa1];
const GCS21D: &[Family] = &[Gcm, Cbc, Sha, Rsa2, Rsa1, Des];

type Row = (&'static str, &'static [&'static str], &'static [Family]);

/// Policies without the prefix `ELBSecurityPolicy-`.
const POLICIES: [Row; 24] = [
    ("2015-05", V0_2, GCS21),
    ("2016-08", V0_2, GCS21),
    ("FS-1-1-2019-08", V1_2, GCS),
    ("FS-1-2-2019-08", V2, GCS),
    ("FS-1-2-Res-2019-08", V2, GC),
    ("FS-1-2-Res-2020-10", V2, G),
    ("FS-2018-06", V0_2, GCS),
    ("TLS-1-0-2015-04", V0_2, GCS21D),
    ("TLS-1-1-2017-01", V1_2, GCS21),
    ("TLS-1-2-2017-01", V2, GC2),
    ("TLS-1-2-Ext-2018-06", V2, GCS21),
    ("TLS13-1-0-2021-06", V0_3, AGCS21),
    ("TLS13-1-0-PQ-2025-09", V0_3, AGCS21),
    ("TLS13-1-1-2021-06", V1_3, AGCS21),
    ("TLS13-1-2-2021-06", V2_3, AGC),
    ("TLS13-1-2-Ext1-2021-06", V2_3, AGC2),
    ("TLS13-1-2-Ext1-PQ-2025-09", V2_3, AGC2),
    ("TLS13-1-2-Ext2-2021-06", V2_3, AGCS21),
    ("TLS13-1-2-Ext2-PQ-2025-09", V2_3, AGCS21),
    ("TLS13-1-2-PQ-2025-09", V2_3, AGC),
    ("TLS13-1-2-Res-2021-06", V2_3, AG),
    ("TLS13-1-2-Res-PQ-2025-09", V2_3, AG),
    ("TLS13-1-3-2021-06", V3, A),
    ("TLS13-1-3-PQ-2025-09", V3, A),
];

fn full_name(row: &Row) -> String {
    format!("ELBSecurityPolicy-{}", row.0)
}

/// Refuses a policy that does not exist.
pub fn check(name: &str) -> Result<(), Fault> {
    if POLICIES.iter().any(|row| full_name(row) == name) {
        return Ok(());
    }
    Err(fault::of("SSLPolicyNotFound", format!("SSL policy '{name}' not found")))
}

/// The policies asked for, or all.
pub fn describe_ssl_policies(
    _ctx: &Ctx<'_>,
    _state: &Snapshot,
    input: DescribeSSLPoliciesInput,
) -> Result<DescribeSSLPoliciesOutput, Fault> {
    let names = input.names.unwrap_or_default();
    for name in &names {
        check(name)?;
    }
    // AWS: gateway load balancers have no policies; the two other types have all of them.
    let fits = input.load_balancer_type.as_deref() != Some("gateway");
    let is_asked = |row: &&Row| fits && (names.is_empty() || names.contains(&full_name(row)));
    let size = find::page_size(input.page_size);
    let rows = POLICIES.iter().filter(is_asked);
    let page = page(rows, |row| full_name(row), input.marker.as_deref(), size, fault::marker)?;
    Ok(DescribeSSLPoliciesOutput {
        ssl_policies: Some(page.items.into_iter().map(show).collect()),
        next_marker: page.next,
    })
}

fn show(row: &Row) -> SslPolicy {
    let (_, protocols, families) = row;
    let ciphers = CIPHERS.iter().filter(|(_, family)| families.contains(family));
    let cipher = |(priority, (name, _)): (i64, &(&str, Family))| Cipher {
        name: Some((*name).to_owned()),
        priority: Some(priority),
    };
    SslPolicy {
        ssl_protocols: Some(protocols.iter().map(|name| (*name).to_owned()).collect()),
        ciphers: Some((1..).zip(ciphers).map(cipher).collect()),
        name: Some(full_name(row)),
        supported_load_balancer_types: Some(vec!["application".to_owned(), "network".to_owned()]),
    }
}
