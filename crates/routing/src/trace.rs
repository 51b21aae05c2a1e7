//! `X-Amzn-Trace-Id`: how a hop adds itself. Leaves sampling and parents to tracers.

use std::net::{IpAddr, SocketAddr};

use model::Timestamp;

use crate::draw::{Use, derive, pair};
use crate::spell;

/// Name of the header, in AWS's spelling.
pub const HEADER: &str = "X-Amzn-Trace-Id";
/// Bytes of all headers above which a load balancer keeps only the root. AWS: 7 KB.
pub const MANY_BYTES: usize = 7 * 1024;

/// Appends the value that the hop sends on, given the one it received.
///
/// AWS: absent, a new `Root`; with a `Root`, a `Self` of this hop comes first and the rest stays;
/// a `Self` from an earlier hop is replaced. A value without a `Root` gets one of ours.
pub fn extend(out: &mut Vec<u8>, received: Option<&[u8]>, now: Timestamp, draw: u64, what: Use) {
    let text = received.filter(|value| std::str::from_utf8(value).is_ok()).unwrap_or(b"");
    let (start, mut has_root) = (out.len(), false);
    out.extend_from_slice(b"Root=");
    identify(out, now, draw, what);
    for field in fields(text).filter(|field| !field.is_empty() && !is(field, b"Self")) {
        has_root |= is(field, b"Root");
        out.push(b';');
        out.extend_from_slice(field);
    }
    if has_root {
        out[start..start + "Self".len()].copy_from_slice(b"Self");
    }
}

/// The value with nothing but its root. AWS: for requests with more than 7 KB of headers.
pub fn only_root(value: &[u8]) -> &[u8] {
    fields(value).find(|field| is(field, b"Root")).unwrap_or(value)
}

fn fields(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii)
}

/// Whether a field has this key, in any case.
fn is(field: &[u8], key: &[u8]) -> bool {
    field.get(key.len()) == Some(&b'=') && field[..key.len()].eq_ignore_ascii_case(key)
}

/// The id of a client's connection in logs of load balancers: the same for the same connection.
pub fn connection(peer: SocketAddr, local: SocketAddr, opened_ns: u64) -> String {
    let mut seed = opened_ns;
    for (ip, port) in [(peer.ip(), peer.port()), (local.ip(), local.port())] {
        let ip = match ip {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        let (high, low) = ((ip.to_bits() >> 64) as u64, ip.to_bits() as u64);
        for part in [high, low, u64::from(port)] {
            seed = derive(seed ^ part, Use::Connection);
        }
    }
    let (high, low) = pair(seed, Use::Connection);
    format!("TID_{high:016x}{low:016x}")
}

/// `1-`, eight hex digits of seconds, `-`, 24 random hex digits.
fn identify(out: &mut Vec<u8>, now: Timestamp, draw: u64, what: Use) {
    let seconds = u32::try_from(now.0.div_euclid(1000)).unwrap_or(0);
    let (high, low) = pair(draw, what);
    let mut id = *b"1-........-........................";
    spell::hex(&mut id[2..10], seconds.into());
    spell::hex(&mut id[11..19], high);
    spell::hex(&mut id[19..], low);
    out.extend_from_slice(&id);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hop_adds_itself() {
        let check = |received: Option<&str>, expect: &str| {
            let (mut value, mut own) = (Vec::new(), Vec::new());
            let (now, what) = (Timestamp(1_700_000_000_000), Use::BalancerTrace);
            extend(&mut value, received.map(str::as_bytes), now, 7, what);
            let value = String::from_utf8(value).unwrap();
            identify(&mut own, now, 7, what);
            let own = String::from_utf8(own).unwrap();
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
        let check = |value: &str, expect: &str| {
            assert_eq!(only_root(value.as_bytes()), expect.as_bytes());
        };
        check("Root=1-a-b", "Root=1-a-b");
        check("Self=1-x-y;Root=1-a-b;App=x", "Root=1-a-b");
        check("Self=1-x-y; root=1-a-b", "root=1-a-b");
    }

    #[test]
    fn connections_have_ids_of_their_own() {
        let id =
            |peer: &str, ns| connection(peer.parse().unwrap(), "10.0.0.1:80".parse().unwrap(), ns);
        let one = id("192.0.2.1:4000", 1);
        assert_eq!((one.len(), &one), (36, &id("192.0.2.1:4000", 1)));
        assert!(one.starts_with("TID_") && one[4..].bytes().all(|b| b.is_ascii_hexdigit()));
        for other in [id("192.0.2.1:4001", 1), id("192.0.2.1:4000", 2), id("[::1]:4000", 1)] {
            assert_ne!(one, other);
        }
    }
}
