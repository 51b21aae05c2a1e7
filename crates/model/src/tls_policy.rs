//! The predefined security policies of HTTPS listeners: names, protocols, ciphers.
//!
//! What of a policy can be served is the data half's affair.

/// Families of ciphers. A policy has whole families.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// TLS 1.3 with AES.
    Tls13,
    /// TLS 1.3 with ChaCha20, which FIPS leaves out.
    ChaCha,
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

use Family::{Cbc, ChaCha, Des, Gcm, Rsa1, Rsa2, Sha, Tls13};

/// Every cipher by its OpenSSL name in the order of preference, which is the same in all policies.
pub const CIPHERS: [(&str, Family); 22] = [
    ("TLS_AES_128_GCM_SHA256", Tls13),
    ("TLS_AES_256_GCM_SHA384", Tls13),
    ("TLS_CHACHA20_POLY1305_SHA256", ChaCha),
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

const A: &[Family] = &[Tls13, ChaCha];
const AG: &[Family] = &[Tls13, ChaCha, Gcm];
const AGC: &[Family] = &[Tls13, ChaCha, Gcm, Cbc];
const AGC2: &[Family] = &[Tls13, ChaCha, Gcm, Cbc, Rsa2];
const AGCS21: &[Family] = &[Tls13, ChaCha, Gcm, Cbc, Sha, Rsa2, Rsa1];
const G: &[Family] = &[Gcm];
const GC: &[Family] = &[Gcm, Cbc];
const GCS: &[Family] = &[Gcm, Cbc, Sha];
const GC2: &[Family] = &[Gcm, Cbc, Rsa2];
const GCS21: &[Family] = &[Gcm, Cbc, Sha, Rsa2, Rsa1];
const GCS21D: &[Family] = &[Gcm, Cbc, Sha, Rsa2, Rsa1, Des];

const F: &[Family] = &[Tls13];
const FG: &[Family] = &[Tls13, Gcm];
const FGC: &[Family] = &[Tls13, Gcm, Cbc];
const FGCS: &[Family] = &[Tls13, Gcm, Cbc, Sha];
const FGC2: &[Family] = &[Tls13, Gcm, Cbc, Rsa2];
const FGCS21: &[Family] = &[Tls13, Gcm, Cbc, Sha, Rsa2, Rsa1];

/// A security policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The name without `ELBSecurityPolicy-`.
    short: &'static str,
    /// `TLSv1.3`, `TLSv1.2` and so on, newest first.
    pub protocols: &'static [&'static str],
    /// Its families of ciphers.
    pub families: &'static [Family],
}

impl Policy {
    /// The whole name.
    pub fn name(&self) -> String {
        format!("{PREFIX}{}", self.short)
    }

    /// Its ciphers, the preferred first.
    pub fn ciphers(&self) -> impl Iterator<Item = &'static str> + use<> {
        let families = self.families;
        let has = move |(_, family): &&(&'static str, Family)| families.contains(family);
        CIPHERS.iter().filter(has).map(|(name, _)| *name)
    }

    /// Whether it has hybrid key exchanges with ML-KEM.
    pub fn is_post_quantum(&self) -> bool {
        self.short.contains("-PQ-")
    }
}

const PREFIX: &str = "ELBSecurityPolicy-";

/// The policy of a listener that names none. AWS: the API's default, not the console's.
pub const DEFAULT: &str = "ELBSecurityPolicy-2016-08";

/// The policy with this name.
pub fn find(name: &str) -> Option<&'static Policy> {
    let short = name.strip_prefix(PREFIX)?;
    POLICIES.iter().find(|policy| policy.short == short)
}

const fn policy(
    short: &'static str,
    protocols: &'static [&'static str],
    families: &'static [Family],
) -> Policy {
    Policy { short, protocols, families }
}

/// All policies, by name.
pub static POLICIES: [Policy; 39] = [
    policy("2015-05", V0_2, GCS21),
    policy("2016-08", V0_2, GCS21),
    policy("FS-1-1-2019-08", V1_2, GCS),
    policy("FS-1-2-2019-08", V2, GCS),
    policy("FS-1-2-Res-2019-08", V2, GC),
    policy("FS-1-2-Res-2020-10", V2, G),
    policy("FS-2018-06", V0_2, GCS),
    policy("TLS-1-0-2015-04", V0_2, GCS21D),
    policy("TLS-1-1-2017-01", V1_2, GCS21),
    policy("TLS-1-2-2017-01", V2, GC2),
    policy("TLS-1-2-Ext-2018-06", V2, GCS21),
    policy("TLS13-1-0-2021-06", V0_3, AGCS21),
    policy("TLS13-1-0-FIPS-2023-04", V0_3, FGCS21),
    policy("TLS13-1-0-FIPS-PQ-2025-09", V0_3, FGCS21),
    policy("TLS13-1-0-PQ-2025-09", V0_3, AGCS21),
    policy("TLS13-1-1-2021-06", V1_3, AGCS21),
    policy("TLS13-1-1-FIPS-2023-04", V1_3, FGCS21),
    policy("TLS13-1-2-2021-06", V2_3, AGC),
    policy("TLS13-1-2-Ext0-FIPS-2023-04", V2_3, FGCS),
    policy("TLS13-1-2-Ext0-FIPS-PQ-2025-09", V2_3, FGCS),
    policy("TLS13-1-2-Ext1-2021-06", V2_3, AGC2),
    policy("TLS13-1-2-Ext1-FIPS-2023-04", V2_3, FGC2),
    policy("TLS13-1-2-Ext1-FIPS-PQ-2025-09", V2_3, FGC2),
    policy("TLS13-1-2-Ext1-PQ-2025-09", V2_3, AGC2),
    policy("TLS13-1-2-Ext2-2021-06", V2_3, AGCS21),
    policy("TLS13-1-2-Ext2-FIPS-2023-04", V2_3, FGCS21),
    policy("TLS13-1-2-Ext2-FIPS-PQ-2025-09", V2_3, FGCS21),
    policy("TLS13-1-2-Ext2-PQ-2025-09", V2_3, AGCS21),
    policy("TLS13-1-2-FIPS-2023-04", V2_3, FGC),
    policy("TLS13-1-2-FIPS-PQ-2025-09", V2_3, FGC),
    policy("TLS13-1-2-PQ-2025-09", V2_3, AGC),
    policy("TLS13-1-2-Res-2021-06", V2_3, AG),
    policy("TLS13-1-2-Res-FIPS-2023-04", V2_3, FG),
    policy("TLS13-1-2-Res-FIPS-PQ-2025-09", V2_3, FG),
    policy("TLS13-1-2-Res-PQ-2025-09", V2_3, AG),
    policy("TLS13-1-3-2021-06", V3, A),
    policy("TLS13-1-3-FIPS-2023-04", V3, F),
    policy("TLS13-1-3-FIPS-PQ-2025-09", V3, F),
    policy("TLS13-1-3-PQ-2025-09", V3, A),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_found_by_their_whole_names() {
        for policy in &POLICIES {
            assert_eq!(find(&policy.name()), Some(policy));
            assert_ne!(policy.ciphers().count(), 0);
        }
        assert!(find(DEFAULT).is_some());
        assert_eq!(find("2016-08"), None);
        assert!(POLICIES.is_sorted_by_key(|policy| policy.short));
    }
}
