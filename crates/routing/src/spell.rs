//! Numbers and addresses as text, appended to a buffer: a request needs a dozen of them, and the
//! formatting machinery would cost more than all else that is decided about it. And tokens.

use std::io::Write as _;
use std::net::IpAddr;

/// Whether a byte may stand in a token (RFC 9110, 5.6.2). It is asked for each byte of each name.
pub(crate) fn is_token(byte: u8) -> bool {
    TOKEN[usize::from(byte)]
}

static TOKEN: [bool; 256] = {
    let (mut table, others) = ([false; 256], *b"!#$%&'*+-.^_`|~");
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    table
};

/// Appends a number in decimal digits.
pub(crate) fn decimal(out: &mut Vec<u8>, number: u16) {
    let mut digits = [0; 5];
    let (mut at, mut rest) = (digits.len(), number);
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends the lowest `DIGITS` hexadecimal digits of a number.
pub(crate) fn hex<const DIGITS: usize>(out: &mut Vec<u8>, number: u64) {
    let mut text = [0; DIGITS];
    for (at, digit) in text.iter_mut().rev().enumerate() {
        *digit = b"0123456789abcdef"[(number >> (4 * at)) as usize & 15];
    }
    out.extend_from_slice(&text);
}

/// Appends an address in its canonical spelling, without brackets.
pub(crate) fn address(out: &mut Vec<u8>, ip: IpAddr) {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            out.reserve("255.255.255.255".len());
            decimal(out, a.into());
            for octet in [b, c, d] {
                out.push(b'.');
                decimal(out, octet.into());
            }
        }
        IpAddr::V6(ip) => {
            // Writing to a buffer does not fail.
            let _ = write!(out, "{ip}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = b"=".to_vec();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_and_addresses_are_spelled() {
        for number in [0, 1, 9, 10, 80, 443, 999, 1000, 65_535] {
            assert_eq!(text(|out| decimal(out, number)), format!("={number}"));
        }
        for number in [0, 1, 0xff, 0x6553_f100, u64::MAX] {
            assert_eq!(text(|out| hex::<16>(out, number)), format!("={number:016x}"));
            assert_eq!(text(|out| hex::<8>(out, number)), format!("={:08x}", number as u32));
        }
        for ip in ["0.0.0.0", "127.0.0.1", "192.0.2.70", "255.255.255.255", "::1", "2001:db8::a"] {
            assert_eq!(text(|out| address(out, ip.parse().unwrap())), format!("={ip}"));
        }
    }
}
