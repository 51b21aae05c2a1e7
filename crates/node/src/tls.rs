//! Certificates of the HTTPS front door: made when a client asks for a name, by the installation's
//! own authority, and kept while the node runs.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use arc_swap::ArcSwap;
use model::Settings;
use pki::{Authority, NewKey};
use routing::Tables;
use transport::{Hello, Identity, TlsOptions, TlsServer};

/// Certificates that are kept at once; when there are more, all are made anew as they are asked
/// for.
pub const MAX_CERTIFICATES: usize = 1_024;
/// Life of a certificate, in days.
const DAYS: i64 = 90;
/// When it is made anew, in milliseconds.
const RENEW_AFTER: i64 = 60 * 86_400_000;

/// What clients of the front door are presented with.
struct Desk {
    authority: Authority,
    tables: Arc<ArcSwap<Tables>>,
    /// For clients that name nobody we know.
    usual: Vec<String>,
    /// By the first name in them.
    made: ArcSwap<HashMap<String, Made>>,
}

#[derive(Clone)]
struct Made {
    identity: Arc<Identity>,
    at: i64,
}

/// The front door's TLS.
pub fn front_door(settings: &Settings, tables: Arc<ArcSwap<Tables>>) -> Result<TlsServer> {
    let own = &settings.authority;
    let authority = Authority::read(&own.certificate, &own.key.0)?;
    let (region, domain) = (&settings.region, &settings.endpoint_domain);
    let usual = ["localhost", &format!("*.execute-api.{region}.{domain}"), "127.0.0.1", "::1"];
    let desk = Desk {
        authority,
        tables,
        usual: usual.map(str::to_owned).to_vec(),
        made: ArcSwap::default(),
    };
    desk.identity(desk.usual.clone(), api::now().0)
        .context("the certificate of the HTTPS front door cannot be made")?;
    let choose = move |hello: &Hello<'_>| {
        let names = desk.names(hello.server_name());
        let made = desk.identity(names, api::now().0);
        made.inspect_err(|error| tracing::error!(%error, "no certificate")).ok()
    };
    TlsServer::new(&TlsOptions::default(), Arc::new(choose))
        .context("the HTTPS front door cannot speak TLS")
}

impl Desk {
    /// What a certificate for a client that asks for this name has in it. Only names that lead
    /// somewhere get one of their own.
    fn names(&self, server_name: Option<&str>) -> Vec<String> {
        let Some(name) = server_name.map(str::to_ascii_lowercase) else {
            return self.usual.clone();
        };
        if let Some((_id, rest)) = name.split_once('.').filter(|(_, r)| is_execute_api(r)) {
            return vec![format!("*.{rest}")];
        }
        let local = name.strip_suffix(".localhost").is_some_and(|label| !label.contains('.'));
        match local || self.tables.load().names.contains_key(&name) {
            true => vec![name],
            false => self.usual.clone(),
        }
    }

    fn identity(&self, names: Vec<String>, now: i64) -> Result<Arc<Identity>> {
        let first = names.first().cloned().unwrap_or_default();
        if let Some(made) = self.made.load().get(&first).filter(|m| now - m.at < RENEW_AFTER) {
            return Ok(Arc::clone(&made.identity));
        }
        let mut serial = [0; 16];
        getrandom::fill(&mut serial).map_err(|error| anyhow::anyhow!("no entropy: {error}"))?;
        let issued = self.authority.issue(&names, NewKey::P256, now, DAYS, serial)?;
        let (certificate, key) = (issued.certificate.as_bytes(), issued.key.as_bytes());
        let identity = Arc::new(Identity::from_pem(&first, certificate, key)?);
        let made = Made { identity: Arc::clone(&identity), at: now };
        // Two workers may both make one; either is good.
        self.made.rcu(|known| {
            let mut known = match known.len() < MAX_CERTIFICATES {
                true => HashMap::clone(known),
                false => HashMap::new(),
            };
            known.insert(first.clone(), made.clone());
            known
        });
        Ok(identity)
    }
}

/// `execute-api.REGION.DOMAIN`
fn is_execute_api(rest: &str) -> bool {
    let labels = rest.strip_prefix("execute-api.");
    labels.is_some_and(|labels| labels.split('.').all(|label| !label.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desk() -> Desk {
        let made = Authority::make("Test", 0).unwrap();
        Desk {
            authority: Authority::read(&made.certificate, &made.key).unwrap(),
            tables: Arc::default(),
            usual: vec!["localhost".into()],
            made: ArcSwap::default(),
        }
    }

    #[test]
    fn only_names_that_lead_somewhere_have_their_own() {
        let desk = desk();
        let check = |name: Option<&str>, expect: &str| {
            assert_eq!(desk.names(name), [expect.to_owned()], "{name:?}");
        };
        check(None, "localhost");
        check(Some("localhost"), "localhost");
        check(Some("web.localhost"), "web.localhost");
        check(Some("a.web.localhost"), "localhost");
        check(Some("example.com"), "localhost");
        check(Some("ABC.execute-api.us-east-1.localhost"), "*.execute-api.us-east-1.localhost");
        check(
            Some("abc.execute-api.eu-west-1.amazonaws.com"),
            "*.execute-api.eu-west-1.amazonaws.com",
        );
        check(Some("abc.execute-api."), "localhost");
    }

    #[test]
    fn certificates_are_kept_renewed_and_bounded() {
        let desk = desk();
        let one = desk.identity(vec!["a.localhost".into()], 0).unwrap();
        let same = desk.identity(vec!["a.localhost".into()], RENEW_AFTER - 1).unwrap();
        assert!(Arc::ptr_eq(&one, &same));
        let newer = desk.identity(vec!["a.localhost".into()], RENEW_AFTER).unwrap();
        assert!(!Arc::ptr_eq(&one, &newer));
        for n in 0..MAX_CERTIFICATES {
            desk.identity(vec![format!("n{n}.localhost")], 0).unwrap();
        }
        assert!(desk.made.load().len() <= MAX_CERTIFICATES);
    }
}
