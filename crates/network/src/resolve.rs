//! Names of public backends: the system's resolver behind a small cache.
//!
//! No answers of our own (those are DNS's), no negative cache: a failed look-up is tried again by
//! the next request.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::OnceCell;

/// How long an answer is used. The system's resolver does not tell the record's own TTL.
pub const NAME_TTL: Duration = Duration::from_secs(10);
/// Names kept per worker; the stalest goes first.
pub const NAMES: usize = 1024;
/// Addresses kept per name, in the resolver's order.
pub const ADDRESSES_PER_NAME: usize = 8;

type Answer = Arc<OnceCell<Arc<[IpAddr]>>>;

/// A cache of name look-ups. Requests that ask for one name at the same time share the look-up.
#[derive(Debug, Default)]
pub struct Resolver {
    names: Mutex<HashMap<Box<str>, (Instant, Answer)>>,
}

impl Resolver {
    /// The socket addresses of `host`, a name or an IP literal (IPv6 with or without brackets),
    /// in the order in which they should be tried. Never empty.
    pub async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        if let Ok(ip) = bare.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(ip, port)]);
        }
        let answer = self.entry(host, Instant::now());
        let ips = answer.get_or_try_init(|| lookup(host)).await?;
        Ok(ips.iter().map(|ip| SocketAddr::new(*ip, port)).collect())
    }

    /// The cell that holds, or will hold, the answer for a name.
    fn entry(&self, host: &str, now: Instant) -> Answer {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((asked, answer)) = names.get(host)
            && now.saturating_duration_since(*asked) < NAME_TTL
        {
            return answer.clone();
        }
        if names.len() >= NAMES && !names.contains_key(host) {
            let stalest = names.iter().min_by_key(|(_, (asked, _))| *asked);
            if let Some(name) = stalest.map(|(name, _)| name.clone()) {
                names.remove(&name);
            }
        }
        let answer = Answer::default();
        names.insert(host.into(), (now, answer.clone()));
        answer
    }
}

async fn lookup(host: &str) -> io::Result<Arc<[IpAddr]>> {
    let found = tokio::net::lookup_host((host, 0)).await?;
    let mut ips: Vec<IpAddr> = Vec::new();
    for addr in found {
        if !ips.contains(&addr.ip()) && ips.len() < ADDRESSES_PER_NAME {
            ips.push(addr.ip());
        }
    }
    match ips.is_empty() {
        true => Err(io::Error::new(io::ErrorKind::NotFound, format!("{host} has no address"))),
        false => Ok(ips.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn literals_and_names_resolve_and_nonsense_does_not() {
        let resolver = Resolver::default();
        let v4 = resolver.resolve("127.0.0.9", 80).await.unwrap();
        assert_eq!(v4, vec!["127.0.0.9:80".parse().unwrap()]);
        for literal in ["::1", "[::1]"] {
            let v6 = resolver.resolve(literal, 81).await.unwrap();
            assert_eq!(v6, vec!["[::1]:81".parse().unwrap()]);
        }
        let own = resolver.resolve("localhost", 82).await.unwrap();
        assert!(own.iter().all(|addr| addr.ip().is_loopback() && addr.port() == 82), "{own:?}");
        assert!(resolver.resolve("no such name.invalid", 80).await.is_err());
    }

    #[test]
    fn an_answer_is_shared_until_its_time_is_over() {
        let resolver = Resolver::default();
        let start = Instant::now();
        let first = resolver.entry("a", start);
        let check = |after: Duration, same: bool| {
            let again = resolver.entry("a", start + after);
            assert_eq!(Arc::ptr_eq(&first, &again), same, "{after:?}");
        };
        check(Duration::ZERO, true);
        check(NAME_TTL - Duration::from_millis(1), true);
        check(NAME_TTL, false);
    }

    #[test]
    fn the_stalest_name_makes_room() {
        let resolver = Resolver::default();
        let start = Instant::now();
        for n in 0..NAMES as u32 + 1 {
            resolver.entry(&format!("n{n}"), start + Duration::from_millis(n.into()));
        }
        let names = resolver.names.lock().unwrap();
        assert_eq!(names.len(), NAMES);
        assert!(!names.contains_key("n0") && names.contains_key("n1"));
    }
}
