//! The control port: the node's own pages under `/_breezeway/`, AWS operations everywhere else.

use api::Api;
use transport::{Connection, Handler, Request, Response};

use crate::admin::Admin;

/// Serves the control port.
pub struct ControlPort {
    /// AWS operations.
    pub api: Api,
    /// The node's own pages.
    pub admin: Admin,
}

impl Handler for ControlPort {
    async fn handle(&self, request: Request, connection: &Connection) -> Response {
        if request.head().path().starts_with("/_breezeway/") {
            return self.admin.serve(request, connection.peer.ip()).await;
        }
        api::serve(&self.api, request).await
    }
}
