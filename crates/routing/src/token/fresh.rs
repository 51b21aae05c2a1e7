//! When a key set is fetched: on first use, again when it grows old, and when a token names a key
//! that is not in it. Requests wait only when there is nothing to go on with.

use model::Timestamp;

/// Age from which a key set is fetched again behind the scenes, in milliseconds.
pub const STALE_MS: i64 = 5 * 60 * 1000;
/// Age from which a key set is not used any more, in milliseconds.
pub const EXPIRED_MS: i64 = 2 * 60 * 60 * 1000;
/// Between fetches while there are keys to use, in milliseconds: tokens that name unknown keys
/// cost the issuer no more than this.
pub const COOLDOWN_MS: i64 = 10 * 1000;
/// Between fetches while there are none, in milliseconds.
pub const RETRY_MS: i64 = 1000;

/// What is known of an issuer's key set.
#[derive(Clone, Copy, Debug, Default)]
pub struct History {
    /// When the keys that are there were fetched.
    pub fetched: Option<Timestamp>,
    /// When fetching was last begun.
    pub tried: Option<Timestamp>,
}

/// What to do for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Use the keys.
    Use,
    /// Use the keys, and fetch new ones meanwhile.
    UseAndFetch,
    /// Fetch keys and wait for them.
    Fetch,
    /// There are no keys, and it is too early to try again.
    Fail,
}

/// What to do for a token, given whether the key that it names is known.
pub fn plan(history: History, known: bool, now: Timestamp) -> Plan {
    let since = |time: Option<Timestamp>| time.map_or(i64::MAX, |time| now.0 - time.0);
    let (age, pause) = (since(history.fetched), since(history.tried));
    // A clock that was set back does not keep old keys alive.
    if !(0..EXPIRED_MS).contains(&age) {
        return if (0..RETRY_MS).contains(&pause) { Plan::Fail } else { Plan::Fetch };
    }
    match (known, pause >= COOLDOWN_MS) {
        (false, true) => Plan::Fetch,
        (true, true) if age >= STALE_MS => Plan::UseAndFetch,
        _ => Plan::Use,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_wait_only_for_keys_that_are_missing() {
        let check = |fetched: Option<i64>, tried: Option<i64>, known: bool, expect: Plan| {
            let now = Timestamp(1_000_000_000);
            let ago = |age: i64| Timestamp(now.0 - age);
            let history = History { fetched: fetched.map(ago), tried: tried.map(ago) };
            assert_eq!(plan(history, known, now), expect, "{history:?} {known}");
        };
        check(None, None, false, Plan::Fetch);
        check(None, Some(RETRY_MS - 1), false, Plan::Fail);
        check(None, Some(RETRY_MS), false, Plan::Fetch);
        check(Some(0), Some(0), true, Plan::Use);
        check(Some(0), Some(0), false, Plan::Use);
        check(Some(COOLDOWN_MS), Some(COOLDOWN_MS), false, Plan::Fetch);
        check(Some(COOLDOWN_MS), Some(COOLDOWN_MS), true, Plan::Use);
        check(Some(STALE_MS), Some(STALE_MS), true, Plan::UseAndFetch);
        check(Some(STALE_MS), Some(COOLDOWN_MS - 1), true, Plan::Use);
        check(Some(EXPIRED_MS - 1), Some(COOLDOWN_MS), true, Plan::UseAndFetch);
        check(Some(EXPIRED_MS), Some(COOLDOWN_MS), true, Plan::Fetch);
        check(Some(EXPIRED_MS), Some(1), true, Plan::Fail);
        check(Some(-1), Some(-1), true, Plan::Fetch);
    }
}
