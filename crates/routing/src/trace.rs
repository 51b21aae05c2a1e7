//! `X-Amzn-Trace-Id`: how a hop adds itself. Leaves sampling and parents to tracers.

use model::Timestamp;

use crate::draw::{Use, pair};

/// Name of the header, in AWS's spelling.
pub const HEADER: &str = "X-Amzn-Trace-Id";
/// Bytes of all headers above which a load balancer keeps only the root. AWS: 7 KB.
pub const MANY_BYTES: usize = 7 * 1024;

/// The value that the hop sends on, given the one it received.
///
/// AWS: absent, a new `Root`; with a `Root`, a `Self` of this hop comes first and the rest stays;
/// a `Self` from an earlier hop is replaced. A value without a `Root` gets one of ours.
pub fn extend(received: Option<&[u8]>, now: Timestamp, draw: u64, what: Use) -> String {
    let id = identifier(now, draw, what);
    let Some(text) = received.and_then(|value| std::str::from_utf8(value).ok()) else {
        return format!("Root={id}");
    };
    let fields = || text.split(';').map(str::trim).filter(|field| !field.is_empty());
    let is = |field: &str, key: &str| {
        field.split_once('=').is_some_and(|(name, _)| name.eq_ignore_ascii_case(key))
    };
    let kept: Vec<_> = fields().filter(|field| !is(field, "Self")).collect();
    if !kept.iter().any(|field| is(field, "Root")) {
        let kept = kept.iter().map(|field| format!(";{field}"));
        return format!("Root={id}{}", kept.collect::<String>());
    }
    format!("Self={id};{}", kept.join(";"))
}

/// The value with nothing but its root. AWS: for requests with more than 7 KB of headers.
pub fn only_root(value: &str) -> &str {
    let is_root = |field: &&str| {
        field.split_once('=').is_some_and(|(name, _)| name.eq_ignore_ascii_case("Root"))
    };
    value.split(';').map(str::trim).find(is_root).unwrap_or(value)
}

/// `1-`, eight hex digits of seconds, `-`, 24 random hex digits.
fn identifier(now: Timestamp, draw: u64, what: Use) -> String {
    let seconds = u32::try_from(now.0.div_euclid(1000)).unwrap_or(0);
    let (high, low) = pair(draw, what);
    format!("1-{seconds:08x}-{:08x}{low:016x}", high as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hop_adds_itself() {
        let check = |received: Option<&str>, expect: &str| {
            let value = extend(
                received.map(str::as_bytes),
                Timestamp(1_700_000_000_000),
                7,
                Use::BalancerTrace,
            );
            let own = identifier(Timestamp(1_700_000_000_000), 7, Use::BalancerTrace);
            assert!(own.starts_with("1-6553f100-") && own.len() == 35, "{own}");
            assert_eq!(value, expect.replace("OWN", &own), "{received:?}");
        };
        check(None, "Root=OWN");
        check(Some("Root=1-a-b"), "Self=OWN;Root=1-a-b");
        check(Some("Self=1-x-y;Root=1-a-b"), "Self=OWN;Root=1-a-b");
        check(Some("Root=1-a-b;Parent=5;Sampled=1"), "Self=OWN;Root=1-a-b;Parent=5;Sampled=1");
        check(Some("root=1-a-b"), "Self=OWN;root=1-a-b");
        check(Some("App=x"), "Root=OWN;App=x");
        check(Some(""), "Root=OWN");
    }

    #[test]
    fn a_value_can_be_cut_down_to_its_root() {
        let check = |value: &str, expect: &str| assert_eq!(only_root(value), expect);
        check("Root=1-a-b", "Root=1-a-b");
        check("Self=1-x-y;Root=1-a-b;App=x", "Root=1-a-b");
        check("Self=1-x-y; root=1-a-b", "root=1-a-b");
    }
}
