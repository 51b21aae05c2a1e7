//! The connection log's line of a client's connection.
//!
//! DEVIATION: Lines of failed TLS handshakes in connection logs have no protocol, cipher and key
//! exchange; AWS names what was agreed before the handshake failed. Connections to the front door
//! have no line, even if a load balancer's name or an HTTP API leads on to a load balancer: they
//! are made to the node.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use model::Micros;

use super::{node, quote};
use crate::balancer::client_certificate;
use crate::tables::ListenerTable;
use crate::view::Client;

/// A connection.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// When it was there, or had failed.
    pub time: Micros,
    /// The client.
    pub client: SocketAddr,
    /// The address that it connected to.
    pub local: SocketAddr,
    /// What was agreed.
    pub session: Option<Session<'a>>,
    /// The client's certificate.
    pub certificate: Option<Client<'a>>,
    /// How it went.
    pub verdict: Verdict,
    /// The id of the connection.
    pub id: String,
}

/// A TLS session.
#[derive(Clone, Copy, Debug)]
pub struct Session<'a> {
    /// `TLSv1.2`, `TLSv1.3`
    pub version: &'a str,
    /// OpenSSL's name of the cipher suite.
    pub cipher: &'a str,
    /// OpenSSL's name of the key exchange's group.
    pub group: &'a str,
    /// How long the handshake took.
    pub handshake: Duration,
}

/// How a connection began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Without TLS, as it should.
    Clear,
    /// With TLS.
    Success,
    /// Not at all, in AWS's words.
    Failed(&'static str),
}

impl Entry<'_> {
    /// The node that took it.
    pub fn node(&self, listener: &ListenerTable) -> IpAddr {
        node(listener, Some(self.local))
    }

    /// The line, without a line end.
    ///
    /// AWS: time, client's address and port, listener's port, protocol, cipher, seconds of the
    /// handshake, subject, validity and serial number of the client's certificate, how it went, id
    /// of the connection, key exchange, load balancer, node.
    pub fn line(&self, listener: &ListenerTable) -> String {
        let Entry { time, client, session, certificate, verdict, id, local: _ } = self;
        let (ip, port, own) = (client.ip(), client.port(), listener.port);
        let mut line = format!("{time} {ip} {port} {own} ");
        let group = match session {
            Some(Session { version, cipher, group, handshake }) => {
                let seconds = handshake.as_secs_f64();
                line += &format!("{version} {cipher} {seconds:.3} ");
                group
            }
            None => {
                line += "- - - ";
                "-"
            }
        };
        quote(&mut line, certificate.as_ref().map_or("-", |client| client.subject).as_bytes());
        let validity = certificate.as_ref().map(client_certificate::validity);
        let serial = certificate.as_ref().map(client_certificate::serial);
        for field in [validity, serial] {
            line.push(' ');
            line += field.as_deref().unwrap_or("-");
        }
        line += &match verdict {
            Verdict::Clear => " -".to_owned(),
            Verdict::Success => " Success".to_owned(),
            Verdict::Failed(code) => format!(" Failed:{code}"),
        };
        let (balancer, node) = (listener.balancer.arn.short(), self.node(listener));
        line + &format!(" {id} {group} {balancer} {node}")
    }
}

#[cfg(test)]
mod tests {
    use model::Timestamp;

    use super::*;
    use crate::fixture::{World, listener_arn};

    #[test]
    fn every_kind_of_connection_has_a_line() {
        let tables = World::main_road().healthy();
        let listener = &tables.listeners[&listener_arn("web", 80)];
        let session = Session {
            version: "TLSv1.3",
            cipher: "TLS_AES_128_GCM_SHA256",
            group: "X25519MLKEM768",
            handshake: Duration::from_micros(4_036),
        };
        let ann = Client {
            subject: "CN=ann,O=\"Suite\"",
            issuer: "CN=ca",
            serial: &[0xFE, 0x01],
            not_before: Timestamp(1_695_261_017_000),
            not_after: Timestamp(1_695_261_018_000),
            leaf: "",
            chain: "",
        };
        let check = |session, certificate, verdict, expect: &str| {
            let entry = Entry {
                time: Micros(1_700_000_000_000_001),
                client: ([192, 0, 2, 7], 4000).into(),
                local: ([10, 0, 2, 5], 80).into(),
                session,
                certificate,
                verdict,
                id: "TID_1".to_owned(),
            };
            let line = entry.line(listener);
            let start = "2023-11-14T22:13:20.000001Z 192.0.2.7 4000 80";
            assert_eq!(line, format!("{start} {expect} app/web/1 10.0.2.5"));
        };
        let agreed = "TLSv1.3 TLS_AES_128_GCM_SHA256 0.004";
        let dates = "NotBefore=2023-09-21T01:50:17Z;NotAfter=2023-09-21T01:50:18Z";
        let told = format!("\"CN=ann,O=\\x22Suite\\x22\" {dates} FE01");
        let nobody = "\"-\" - -";
        let untrusted = Verdict::Failed("ClientCertUntrusted");
        check(None, None, Verdict::Clear, &format!("- - - {nobody} - TID_1 -"));
        let expect = format!("{agreed} {nobody} Success TID_1 X25519MLKEM768");
        check(Some(session), None, Verdict::Success, &expect);
        let expect = format!("{agreed} {told} Success TID_1 X25519MLKEM768");
        check(Some(session), Some(ann), Verdict::Success, &expect);
        let expect = format!("- - - {told} Failed:ClientCertUntrusted TID_1 -");
        check(None, Some(ann), untrusted, &expect);
    }
}
