//! Numbers and addresses as text, appended to a buffer: a request needs a dozen of them, and the
//! formatting machinery would cost more than all else that is decided about it.

use std::io::Write as _;
use std::net::IpAddr;

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

/// Fills the text with the lowest hexadecimal digits of a number.
pub(crate) fn hex(text: &mut [u8], mut number: u64) {
    for digit in text.iter_mut().rev() {
        *digit = b"0123456789abcdef"[number as usize & 15];
        number >>= 4;
    }
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
            let (mut long, mut short) = ([0; 16], [0; 8]);
            hex(&mut long, number);
            hex(&mut short, number);
            assert_eq!(str::from_utf8(&long), Ok(&*format!("{number:016x}")));
            assert_eq!(str::from_utf8(&short), Ok(&*format!("{:08x}", number as u32)));
        }
        for ip in ["0.0.0.0", "127.0.0.1", "192.0.2.70", "255.255.255.255", "::1", "2001:db8::a"] {
            assert_eq!(text(|out| address(out, ip.parse().unwrap())), format!("={ip}"));
        }
    }
}
