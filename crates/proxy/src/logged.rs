//! A request that its load balancer's access log will have a line of: what is known so far, put in
//! the journal when the request is over. Nothing of this exists while the log is off.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use model::Micros;
use routing::balancer::log::access::{End, Entry};
use routing::balancer::log::{Folder, Kind, Line};
use routing::tables::ListenerTable;
use routing::{View, trace};
use transport::{Connection, Done, Request, Timing, UpstreamError};

use crate::journal::Journal;
use crate::serve::Scene;

/// The request.
#[derive(Debug)]
pub(crate) struct Logged {
    pub(crate) entry: Entry,
    folder: Option<Arc<Folder>>,
    /// Bytes of the head that the client sent; an API sends another one on.
    client_head: u64,
    /// The status of the load balancer's response, whatever an API makes of it.
    pub(crate) status: Option<u16>,
    /// When the present attempt began, counted from the request's arrival.
    begun: Duration,
}

impl Logged {
    /// What is known when a listener sees the request, if its log is on.
    pub(crate) fn open(
        scene: &Scene<'_>,
        listener: &ListenerTable,
        request: &Request,
        view: &View,
    ) -> Option<Box<Logged>> {
        let (journal, folder) = (&scene.proxy.journal, &listener.balancer.logs.access);
        if !journal.wants(Kind::Access, folder.as_ref()) {
            return None;
        }
        journal.expect();
        let mut entry = Entry::open(listener, view, scene.now, scene.draw);
        entry.connection = connection_id(scene.connection);
        // An API that speaks TLS to the listener shakes no hands.
        if view.local.is_some() {
            secure(&mut entry, scene.connection);
        }
        let client_head = request.head().size() as u64;
        let (folder, begun) = (folder.clone(), Duration::ZERO);
        Some(Box::new(Logged { entry, folder, client_head, status: None, begun }))
    }

    /// The line of a request that could not be read.
    pub(crate) fn unreadable(
        journal: &Arc<Journal>,
        listener: &ListenerTable,
        connection: &Connection,
        status: u16,
    ) -> Option<Box<Logged>> {
        let folder = &listener.balancer.logs.access;
        if !journal.wants(Kind::Access, folder.as_ref()) {
            return None;
        }
        journal.expect();
        let (now, https) = (crate::convert::now(), connection.tls.is_some());
        let (peer, local) = (connection.peer, connection.local);
        let mut entry = Entry::unreadable(listener, peer, local, https, now);
        entry.connection = connection_id(connection);
        secure(&mut entry, connection);
        let (folder, begun, status) = (folder.clone(), Duration::ZERO, Some(status));
        Some(Box::new(Logged { entry, folder, client_head: 0, status, begun }))
    }

    /// An attempt begins, so long after the request's arrival.
    pub(crate) fn begin(&mut self, after: Duration) {
        self.begun = after;
    }

    /// A target answered.
    pub(crate) fn answered(&mut self, status: u16, timing: Timing) {
        let connect = timing.connect.unwrap_or_default();
        self.entry.target_status = Some(status);
        self.entry.request_time = Some(self.begun + connect);
        self.entry.target_time = Some(timing.head.saturating_sub(connect));
    }

    /// A target did not. AWS: times are -1 for what was not even sent.
    pub(crate) fn failed(&mut self, error: &UpstreamError) {
        let sent = error.reused || error.timing.connect.is_some();
        let connect = error.timing.connect.unwrap_or_default();
        self.entry.request_time = sent.then_some(self.begun + connect);
    }

    /// The response goes out, so long after the request's arrival.
    pub(crate) fn responding(&mut self, after: Duration) {
        let Entry { request_time, target_time, .. } = &self.entry;
        let waited = request_time.unwrap_or_default() + target_time.unwrap_or_default();
        self.entry.response_time = Some(after.saturating_sub(waited));
    }

    /// The request is over, so long after its arrival. AWS: 460 is a client that left before.
    pub(crate) fn end(
        mut self: Box<Self>,
        took: Duration,
        done: Option<Done>,
        reason: Option<&'static str>,
    ) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        self.entry.created = Micros(micros(now.saturating_sub(took)));
        let body = done.map_or(0, |done| done.received.saturating_sub(self.client_head));
        let end = End {
            time: Micros(micros(now)),
            status: self.status.unwrap_or(460),
            received: self.entry.received + body,
            sent: done.map_or(0, |done| done.sent),
            reason,
        };
        let (node, text) = (self.entry.node, self.entry.line(&end));
        Journal::put(Line { kind: Kind::Access, folder: self.folder, node, text });
    }
}

/// What the log tells of the client's TLS.
fn secure(entry: &mut Entry, connection: &Connection) {
    let Some(tls) = &connection.tls else { return };
    entry.tls = Some((tls.cipher.to_owned(), tls.version.to_owned()));
    entry.domain.clone_from(&tls.sni);
    // Certificates of the front door are no resources, so they have no ARN.
    entry.certificate = match tls.resumed {
        true => Some("session-reused".to_owned()),
        false => {
            Some(&tls.certificate).filter(|arn| arn.starts_with("arn:")).map(|a| a.to_string())
        }
    };
}

/// AWS: `TID_` and 32 hex digits, the same for all requests of a connection.
pub(crate) fn connection_id(connection: &Connection) -> String {
    let opened = connection.opened.duration_since(UNIX_EPOCH).unwrap_or_default();
    trace::connection(connection.peer, connection.local, opened.as_nanos() as u64)
}
