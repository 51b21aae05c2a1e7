//! Which of a listener's certificates a client gets.

use std::sync::Arc;

use model::Timestamp;
use model::certificate::Certificate;

use crate::map::Map;
use crate::tables::TlsTable;

/// Certificates by the names that they are for: places in the listener's list.
#[derive(Debug, Default)]
pub struct Names {
    exact: Map<String, Vec<usize>>,
    /// By what follows the `*.`.
    wild: Map<String, Vec<usize>>,
}

impl Names {
    /// The names of certificates. Each list has the best certificate first.
    ///
    /// AWS: ECDSA before RSA, then the stronger hash, then the longer key, then validity.
    pub fn new(certificates: &[Arc<Certificate>]) -> Self {
        let mut order: Vec<usize> = (0..certificates.len()).collect();
        order.sort_by_key(|at| std::cmp::Reverse(rank(&certificates[*at])));
        let mut names = Self::default();
        for at in order {
            for name in &certificates[at].facts.names {
                let (map, key) = match name.strip_prefix("*.") {
                    Some(parent) => (&mut names.wild, parent),
                    None => (&mut names.exact, name.as_str()),
                };
                let places = map.entry(key.to_ascii_lowercase()).or_default();
                // A certificate may stand in the list twice, or say a name twice.
                if !places.contains(&at) {
                    places.push(at);
                }
            }
        }
        names
    }
}

/// Hash, bits and end of a certificate; the greatest is the best. An elliptic curve of 256 bits
/// comes before RSA of any size.
fn rank(certificate: &Certificate) -> (bool, u32, u32, Timestamp) {
    let facts = &certificate.facts;
    let ecdsa = facts.key_algorithm.starts_with("EC_");
    let digits = |text: &str| -> u32 {
        let digits: String = text
            .chars()
            .skip_while(|c| !c.is_ascii_digit())
            .take_while(char::is_ascii_digit)
            .collect();
        digits.parse().unwrap_or(0)
    };
    let hash = digits(&facts.signature_algorithm);
    (ecdsa, if hash == 1 { 0 } else { hash }, digits(&facts.key_algorithm), facts.not_after)
}

/// The place of the certificate for a client that asks for `server_name` and can use those that
/// `usable` says.
///
/// AWS: the best of those that are for the name, an exact name before a wildcard. The default
/// certificate is for all other names, and for clients that name none.
pub fn choose(
    table: &TlsTable,
    server_name: Option<&str>,
    usable: impl Fn(usize) -> bool,
) -> usize {
    let Some(name) = server_name else { return 0 };
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let exact = table.names.exact.get(&name);
    let wild = || {
        let (label, parent) = name.split_once('.')?;
        table.names.wild.get(parent).filter(|_| !label.is_empty())
    };
    let lists = [exact, wild()];
    let fits = |list: &Vec<usize>| list.iter().copied().find(|at| usable(*at));
    lists.into_iter().flatten().find_map(fits).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::certificate;
    use crate::tables::Clients;

    fn table(rows: &[(&str, &str, &str)]) -> TlsTable {
        let certificates: Vec<_> =
            rows.iter().map(|(names, key, hash)| Arc::new(certificate(names, key, hash))).collect();
        TlsTable {
            versions: (true, true),
            ciphers: Vec::new(),
            post_quantum: false,
            http2: true,
            names: Names::new(&certificates),
            certificates,
            clients: Clients::Anyone,
        }
    }

    #[test]
    fn the_best_certificate_for_a_name_is_chosen() {
        let table = table(&[
            ("default.io", "RSA_2048", "SHA256WITHRSA"),
            ("a.io www.a.io", "RSA_2048", "SHA256WITHRSA"),
            ("*.a.io", "EC_prime256v1", "SHA256WITHECDSA"),
            ("b.io", "RSA_4096", "SHA256WITHRSA"),
            ("b.io", "RSA_2048", "SHA512WITHRSA"),
            ("c.io", "RSA_4096", "SHA256WITHRSA"),
            ("c.io", "EC_secp384r1", "SHA256WITHECDSA"),
            ("c.io", "EC_prime256v1", "SHA256WITHECDSA"),
            ("d.io", "RSA_2048", "SHA1WITHRSA"),
            ("d.io", "RSA_2048", "SHA256WITHRSA"),
        ]);
        let check = |name: Option<&str>, ecdsa: bool, expect: usize| {
            let usable =
                |at: usize| ecdsa || !table.certificates[at].facts.key_algorithm.starts_with("EC_");
            assert_eq!(choose(&table, name, usable), expect, "{name:?} {ecdsa}");
        };
        check(None, true, 0);
        check(Some("else.io"), true, 0);
        check(Some("default.io"), true, 0);
        check(Some("a.io"), true, 1);
        check(Some("WWW.A.io."), true, 1);
        check(Some("x.a.io"), true, 2);
        check(Some("x.a.io"), false, 0);
        check(Some("y.x.a.io"), true, 0);
        check(Some(".a.io"), true, 0);
        check(Some("b.io"), true, 4);
        check(Some("c.io"), true, 6);
        check(Some("c.io"), false, 5);
        check(Some("d.io"), true, 9);
    }
}
