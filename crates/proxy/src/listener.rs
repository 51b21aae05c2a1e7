//! A load balancer's own socket: who may connect, how long connections live, who answers.

use std::net::IpAddr;
use std::sync::Arc;

use model::ListenerArn;
use routing::network::accept_permit;
use transport::{
    Connection, Handler, HandshakeError, ListenOptions, Refusal, Request, Response, TlsServer,
};

use crate::{Proxy, greeted, serve};

/// Serves one listener of a load balancer, by the newest tables.
#[derive(Clone, Debug)]
pub struct ListenerDoor {
    proxy: Arc<Proxy>,
    listener: ListenerArn,
}

impl ListenerDoor {
    /// The door of a listener.
    pub fn new(proxy: Arc<Proxy>, listener: ListenerArn) -> ListenerDoor {
        ListenerDoor { proxy, listener }
    }

    /// How its socket serves connections: time-outs of the load balancer, the accept filter of its
    /// security groups, and TLS. The filter reads the newest tables; what else was changed needs
    /// `Workers::update` with new options.
    pub fn options(&self, tls: Option<TlsServer>) -> ListenOptions {
        let mut options = ListenOptions { tls, ..ListenOptions::default() };
        if let Some(listener) = self.proxy.tables.load().listeners.get(&self.listener) {
            options.idle = listener.balancer.idle_timeout;
            options.max_age = listener.balancer.client_keep_alive;
            options.open = Some(Arc::clone(&listener.balancer.live.get().connections));
            // AWS: HTTP/2 is spoken with TLS only.
            options.http2 = listener.tls.as_ref().is_some_and(|tls| tls.http2);
        }
        let door = self.clone();
        options.accept = Some(Arc::new(move |peer, _local| door.admits(peer.ip())));
        let door = self.clone();
        options.greeted = Some(Arc::new(move |connection, ended| door.greeted(connection, ended)));
        options
    }

    /// Counts and logs a connection that was let in.
    fn greeted(&self, connection: &Connection, ended: Result<(), &HandshakeError>) {
        let tables = self.proxy.tables.load();
        let Some(listener) = tables.listeners.get(&self.listener) else { return };
        if ended.is_err() {
            listener.balancer.live.get().client_tls_errors.add(1);
        }
        greeted::log(&self.proxy.journal, listener, connection, ended);
    }

    /// AWS: connections that no security group lets in are not accepted.
    fn admits(&self, peer: IpAddr) -> bool {
        let tables = self.proxy.tables.load();
        let Some(listener) = tables.listeners.get(&self.listener) else { return false };
        let live = listener.balancer.live.get();
        match accept_permit(&tables.network, listener, peer) {
            Ok(()) => {
                live.new_connections.add(1);
                true
            }
            Err(refusal) => {
                live.rejected_connections.add(1);
                tracing::debug!(%peer, listener = %self.listener, why = %refusal, "not let in");
                false
            }
        }
    }
}

impl Handler for ListenerDoor {
    fn handle(&self, request: Request, connection: &Connection) -> impl Future<Output = Response> {
        serve::listener(&self.proxy, &self.listener, request, connection)
    }

    fn refuse(&self, refusal: Refusal, connection: &Connection) -> Response {
        serve::unreadable(&self.proxy, &self.listener, refusal, connection)
    }
}
