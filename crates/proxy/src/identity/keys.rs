//! Key sets of issuers: fetched once for all workers, kept, and fetched again in the background.
//! When is decided in `routing::token::fresh`; whoever verifies tokens asks here.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use model::Timestamp;
use network::{Fetch, FetchError, Fetcher};
use routing::balancer::authenticate::Failure;
use routing::token::fresh::{History, Plan, plan};
use routing::token::keys::{Broken, MAX_BYTES};
use routing::token::{Endpoint, KeySet};
use tokio::sync::watch;

use crate::convert;

/// Time for fetching a key set. AWS: 5 seconds.
pub const KEYS_TIMEOUT: Duration = Duration::from_secs(5);
/// Issuers whose keys are kept; the one fetched longest ago goes first.
pub const ISSUERS: usize = 1_024;

/// Key sets by where they come from.
#[derive(Debug, Default)]
pub(super) struct Keys(Mutex<HashMap<Endpoint, Arc<Source>>>);

/// An issuer's key set.
#[derive(Debug, Default)]
struct Source(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    history: History,
    keys: Option<Held>,
    /// Why there are no newer keys.
    failure: Option<Failure>,
    /// Ends when the fetch that is under way does.
    fetching: Option<watch::Receiver<()>>,
}

/// Never given twice, so that what was verified with other keys is not taken for verified.
static GENERATIONS: AtomicU64 = AtomicU64::new(0);

/// Keys, and a number that changes with them.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) keys: Arc<KeySet>,
    pub(super) generation: u64,
}

impl Keys {
    /// The keys for a token that names this one. Waits only while there are none that would do.
    pub(super) async fn find(
        &self,
        fetcher: &Arc<Fetcher>,
        endpoint: &Endpoint,
        key: Option<&str>,
    ) -> Result<Held, Failure> {
        let source = self.source(endpoint);
        loop {
            let now = convert::now();
            let (plan, held, fetching) = source.look(fetcher, endpoint, key, now);
            match (plan, held, fetching) {
                (Plan::Use | Plan::UseAndFetch, Some(held), _) => return Ok(held),
                (Plan::Fetch, _, Some(mut fetching)) => {
                    // An error means that the fetch is over, which is what we wait for.
                    let _over = fetching.changed().await;
                }
                _ => return Err(source.failure()),
            }
        }
    }

    fn source(&self, endpoint: &Endpoint) -> Arc<Source> {
        let mut sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = sources.get(endpoint) {
            return Arc::clone(known);
        }
        if sources.len() >= ISSUERS {
            let stalest = sources.iter().min_by_key(|(_, source)| source.tried());
            if let Some(stalest) = stalest.map(|(endpoint, _)| endpoint.clone()) {
                sources.remove(&stalest);
            }
        }
        Arc::clone(sources.entry(endpoint.clone()).or_default())
    }
}

type Look = (Plan, Option<Held>, Option<watch::Receiver<()>>);

impl Source {
    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tried(&self) -> Timestamp {
        self.lock().history.tried.unwrap_or_default()
    }

    /// What to do, the keys that are there, and the fetch that is under way (begun here if it is
    /// time for one).
    fn look(
        self: &Arc<Self>,
        fetcher: &Arc<Fetcher>,
        endpoint: &Endpoint,
        key: Option<&str>,
        now: Timestamp,
    ) -> Look {
        let mut kept = self.lock();
        let known = kept.keys.as_ref().is_some_and(|held| held.keys.knows(key));
        let mut plan = plan(kept.history, known, now);
        if kept.fetching.as_ref().is_some_and(|fetching| fetching.has_changed().is_ok()) {
            // Somebody is at it: whoever has keys goes on with them.
            plan = match known {
                true if plan != Plan::Fetch => Plan::Use,
                _ => Plan::Fetch,
            };
        } else if matches!(plan, Plan::Fetch | Plan::UseAndFetch) {
            let (sender, receiver) = watch::channel(());
            kept.history.tried = Some(now);
            kept.fetching = Some(receiver);
            let (source, fetcher) = (Arc::clone(self), Arc::clone(fetcher));
            let endpoint = endpoint.clone();
            tokio::task::spawn_local(async move {
                let fetched = fetch(&fetcher, &endpoint).await;
                source.take(fetched, convert::now());
                drop(sender);
            });
        }
        (plan, kept.keys.clone(), kept.fetching.clone())
    }

    fn take(&self, fetched: Result<KeySet, Failure>, now: Timestamp) {
        let mut kept = self.lock();
        match fetched {
            Ok(keys) => {
                let generation = GENERATIONS.fetch_add(1, Relaxed);
                kept.keys = Some(Held { keys: Arc::new(keys), generation });
                kept.history.fetched = Some(now);
                kept.failure = None;
            }
            Err(failure) => {
                tracing::warn!(why = %failure.detail, "a key set could not be fetched");
                kept.failure = Some(failure);
            }
        }
    }

    fn failure(&self) -> Failure {
        let known = self.lock().failure.clone();
        known.unwrap_or_else(|| failed("JWKSRequestFailed", "the key set could not be fetched"))
    }
}

/// AWS: without keys nothing is forwarded, and the client gets 500.
fn failed(reason: &'static str, detail: impl Into<String>) -> Failure {
    Failure::new(500, reason, detail)
}

async fn fetch(fetcher: &Fetcher, endpoint: &Endpoint) -> Result<KeySet, Failure> {
    let headers = [("host", endpoint.authority.as_str()), ("accept", "application/json")];
    let call = Fetch {
        https: endpoint.https,
        host: &endpoint.host,
        port: endpoint.port,
        method: "GET",
        target: &endpoint.target,
        headers: &headers,
        body: Bytes::new(),
        max_body: MAX_BYTES,
        timeout: KEYS_TIMEOUT,
    };
    let answer = fetcher.fetch(&call).await.map_err(|error| {
        let reason = match error {
            FetchError::Timeout => "JWKSRequestTimeout",
            FetchError::TooLarge => "JWKSResponseSizeExceeded",
            FetchError::Failed(_) => "JWKSRequestFailed",
        };
        failed(reason, format!("{endpoint}: {error}"))
    })?;
    if answer.status != 200 {
        return Err(failed("JWKSRequestFailed", format!("{endpoint} answers {}", answer.status)));
    }
    KeySet::read(&answer.body).map_err(|broken| match broken {
        Broken::TooLarge => {
            failed("JWKSResponseSizeExceeded", format!("{endpoint}: too many keys"))
        }
        Broken::Malformed => failed("JWKSResponseInvalid", format!("{endpoint}: no key set")),
    })
}
