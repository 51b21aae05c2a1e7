//! TLS towards upstreams: verified for public URLs, not for targets.

use std::net::SocketAddr;
use std::sync::Arc;

use model::balancer::TargetGroup;
use rcgen::generate_simple_self_signed;
use transport::{
    Connection, Edits, Handler, Limits, ListenOptions, Request, Response, TlsServer, Workers, bind,
};

use crate::rig::{Rig, logged};
use crate::world::{World, forward};

struct Hello;

impl Handler for Hello {
    async fn handle(&self, _request: Request, connection: &Connection) -> Response {
        let sni = connection.tls.as_ref().and_then(|tls| tls.sni.clone()).unwrap_or_default();
        Response::full(200, &Edits::new(), format!("hello {sni}"))
    }
}

/// An HTTPS server with a certificate that nobody trusts.
fn secure(ip: &str) -> (Workers, SocketAddr) {
    let own = generate_simple_self_signed(vec!["localhost".to_string()]).unwrap();
    let tls =
        TlsServer::from_pem(own.cert.pem().as_bytes(), own.signing_key.serialize_pem().as_bytes());
    let workers = Workers::start(1, Limits::default()).unwrap();
    let sockets = bind(SocketAddr::new(ip.parse().unwrap(), 0), 1).unwrap();
    let addr = sockets[0].local_addr().unwrap();
    let options = ListenOptions { tls: Some(tls.unwrap()), ..ListenOptions::default() };
    workers.listen("tls".into(), sockets, options, Arc::new(Hello)).unwrap();
    (workers, addr)
}

#[test]
fn a_public_backend_needs_a_good_certificate() {
    let (_workers, addr) = secure("127.0.0.1");
    let mut world = World::new();
    world.public_route("GET /untrusted", &format!("https://localhost:{}/", addr.port()));
    let rig = Rig::start(&world);
    let got = rig.get("/untrusted");
    assert_eq!((got.status, got.text().as_str()), (500, r#"{"message":"Internal Server Error"}"#));
    assert!(logged("GET /untrusted ").contains("reason=tls_failed"));
}

#[test]
fn a_targets_certificate_is_not_verified() {
    let (_workers, addr) = secure("127.10.8.1");
    let mut world = World::new();
    let group = world.group("tls");
    let record = (**world.snapshot.target_groups.get(&group).unwrap()).clone();
    world.put(TargetGroup { protocol: Some("HTTPS".into()), ..record });
    world.target(&group, addr);
    world.default_action(forward(&[(&group, 1)]));
    world.private_route("$default");
    let got = Rig::start(&world).get("/trusted");
    assert_eq!((got.status, got.text().as_str()), (200, "hello "), "and no name is sent");
}
