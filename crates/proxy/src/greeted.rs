//! A client's connection as the connection log of its load balancer tells of it, once TLS is agreed
//! or has failed.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use model::Micros;
use routing::balancer::log::connection::{Entry, Session, Verdict};
use routing::balancer::log::{Kind, Line};
use routing::tables::ListenerTable;
use transport::{Connection, HandshakeError, HandshakeFailure};

use crate::convert;
use crate::journal::Journal;
use crate::logged::connection_id;

/// Puts the line of a connection in the journal, if its log is on.
pub(crate) fn log(
    journal: &Arc<Journal>,
    listener: &ListenerTable,
    connection: &Connection,
    ended: Result<(), &HandshakeError>,
) {
    let folder = &listener.balancer.logs.connections;
    if !journal.wants(Kind::Connection, folder.as_ref()) {
        return;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let tls = connection.tls.as_ref();
    let shown = tls.and_then(|tls| tls.client.as_deref());
    let refused = ended.err().and_then(|error| error.client.as_deref());
    let entry = Entry {
        time: Micros(i64::try_from(now.as_micros()).unwrap_or(i64::MAX)),
        client: connection.peer,
        local: connection.local,
        session: tls.map(|tls| Session {
            version: tls.version,
            cipher: tls.cipher,
            group: tls.group,
            handshake: tls.handshake,
        }),
        certificate: shown.or(refused).map(convert::client),
        verdict: match ended {
            Err(error) => Verdict::Failed(code(error.failure)),
            Ok(()) if connection.misdirected => Verdict::Failed(UNMAPPED),
            Ok(()) if tls.is_some() => Verdict::Success,
            Ok(()) => Verdict::Clear,
        },
        id: connection_id(connection),
    };
    journal.expect();
    let (node, text) = (entry.node(listener), entry.line(listener));
    Journal::put(Line { kind: Kind::Connection, folder: folder.clone(), node, text });
}

/// AWS's word for everything that has none of its own.
const UNMAPPED: &str = "UnmappedConnectionError";

/// AWS's word for a failure.
fn code(failure: HandshakeFailure) -> &'static str {
    use HandshakeFailure as F;
    match failure {
        F::Timeout | F::Closed | F::Incompatible | F::Alert | F::NoCertificate => UNMAPPED,
        F::ChainTooLong => "ClientCertMaxChainDepthExceeded",
        F::Revoked => "ClientCertCrlHit",
        F::Untrusted => "ClientCertUntrusted",
        F::NotYetValid => "ClientCertNotYetValid",
        F::Expired => "ClientCertExpired",
        F::Purpose => "ClientCertPurposeInvalid",
        F::Unsupported => "ClientCertTypeUnsupported",
        F::Invalid => "ClientCertInvalid",
    }
}
