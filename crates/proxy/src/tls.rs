//! How a listener speaks TLS: its table in `transport`'s words.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use routing::balancer::certificate;
use routing::tables::{Clients, TlsTable, Verify};
use transport::{
    ClientAuth, ClientTrust, Hello, Identity, TlsError, TlsOptions, TlsServer, TlsVersion,
};

/// The TLS server of a listener. It has ticket keys of its own: make it anew only when the table
/// has changed, so that sessions can go on.
pub fn tls_server(table: &Arc<TlsTable>) -> Result<TlsServer, TlsError> {
    let identities: Vec<Arc<Identity>> = table
        .certificates
        .iter()
        .map(|record| {
            let chain = format!("{}{}", record.body, record.chain);
            let key = record.key.0.as_bytes();
            Identity::from_pem(record.arn.as_str(), chain.as_bytes(), key).map(Arc::new)
        })
        .collect::<Result<_, _>>()?;
    let (v13, v12) = table.versions;
    let versions = [v13.then_some(TlsVersion::V13), v12.then_some(TlsVersion::V12)];
    let options = TlsOptions {
        versions: versions.into_iter().flatten().collect(),
        suites: table.ciphers.clone(),
        post_quantum: table.post_quantum,
        client_auth: client_auth(&table.clients),
    };
    let table = Arc::clone(table);
    let choose = move |hello: &Hello<'_>| {
        let usable = |at: usize| identities.get(at).is_some_and(|own| hello.accepts(own));
        let at = certificate::choose(&table, hello.server_name(), usable);
        identities.get(at).cloned()
    };
    TlsServer::new(&options, Arc::new(choose))
}

fn client_auth(clients: &Clients) -> ClientAuth {
    let Verify { store, ignore_expiry, advertise } = match clients {
        Clients::Anyone => return ClientAuth::Off,
        Clients::Passthrough => return ClientAuth::Ask,
        Clients::Verify(verify) => verify,
    };
    let lists = store.revocations.iter().filter_map(|list| STANDARD.decode(&list.list).ok());
    ClientAuth::Require(ClientTrust {
        // They were read when they were stored.
        authorities: pki::certificates(store.bundle.as_bytes()).unwrap_or_default(),
        revocations: lists.collect(),
        ignore_expiry: *ignore_expiry,
        advertise: *advertise,
    })
}
