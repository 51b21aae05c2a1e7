//! What targets are told of a client's certificate. What clients say of themselves is dropped in
//! `headers`.

use std::fmt::Write as _;

use edits::Edits;
use model::Timestamp;

use crate::View;
use crate::tables::{Clients, ListenerTable};
use crate::view::Client;

/// The headers about the client's certificate.
///
/// AWS: in passthrough mode the whole chain; in verify mode what the certificate says, and itself.
pub fn edits(listener: &ListenerTable, view: &View, edits: &mut Edits) {
    let client = view.tls.and_then(|tls| tls.client);
    let (Some(tls), Some(client)) = (&listener.tls, client) else { return };
    let names = &listener.tls_names;
    let mut set = |name: &str, value: String| {
        edits.set(name.to_owned(), value);
    };
    match &tls.clients {
        Clients::Anyone => {}
        Clients::Passthrough => set(&names.chain, encode(client.chain)),
        Clients::Verify(_) => {
            let Client { subject, issuer, leaf, .. } = client;
            set(&names.serial, serial(&client));
            set(&names.issuer, issuer.to_owned());
            set(&names.subject, subject.to_owned());
            set(&names.validity, validity(&client));
            set(&names.leaf, encode(leaf));
        }
    }
}

/// The serial number in hex.
pub(super) fn serial(client: &Client) -> String {
    client.serial.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02X}");
        hex
    })
}

/// From when until when it is good.
pub(super) fn validity(client: &Client) -> String {
    let (from, to) = (seconds(client.not_before), seconds(client.not_after));
    format!("NotBefore={from};NotAfter={to}")
}

/// ISO 8601 without a fraction: `2023-09-21T01:50:17Z`.
fn seconds(time: Timestamp) -> String {
    let text = time.to_string();
    text.split_once('.').map_or(text.clone(), |(seconds, _)| format!("{seconds}Z"))
}

/// AWS: URL-encoded, with `+`, `=` and `/` left as they are.
fn encode(pem: &str) -> String {
    let mut text = String::with_capacity(pem.len() + pem.len() / 16);
    for byte in pem.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => text.push(char::from(byte)),
            b'-' | b'_' | b'.' | b'~' | b'+' | b'=' | b'/' => text.push(char::from(byte)),
            byte => {
                // Writing to a string does not fail.
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_is_encoded_as_awss() {
        let pem = "-----BEGIN CERTIFICATE-----\nab+/c==\n-----END CERTIFICATE-----\n";
        let expect = "-----BEGIN%20CERTIFICATE-----%0Aab+/c==%0A-----END%20CERTIFICATE-----%0A";
        assert_eq!(encode(pem), expect);
        assert_eq!(seconds(Timestamp(1_695_261_017_000)), "2023-09-21T01:50:17Z");
    }
}
