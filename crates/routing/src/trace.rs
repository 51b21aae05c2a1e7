//! `X-Amzn-Trace-Id`: how a hop adds itself. Leaves sampling and parents to tracers.

use model::Timestamp;

use crate::draw::{Use, pair};

/// Name of the header, in AWS's spelling.
pub const HEADER: &str = "X-Amzn-Trace-Id";
/// Bytes of header above which only the root is kept. AWS: 7 KB.
const LONGEST: usize = 7 * 1024;

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
    let Some(root) = kept.iter().find(|field| is(field, "Root")) else {
        let kept = kept.iter().map(|field| format!(";{field}"));
        return format!("Root={id}{}", kept.collect::<String>());
    };
    match text.len() > LONGEST {
        true => format!("Self={id};{}", &root[..root.len().min(LONGEST)]),
        false => format!("Self={id};{}", kept.join(";")),
    }
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
    fn a_long_value_keeps_only_its_root() {
        let long = format!("Root=1-a-b;X={}", "y".repeat(8000));
        let value = extend(Some(long.as_bytes()), Timestamp(0), 1, Use::GatewayTrace);
        assert!(value.ends_with(";Root=1-a-b") && value.starts_with("Self=1-00000000-"), "{value}");
    }
}
