//! The few settings of a node that operations and decisions need. The rest is in `node`.

use std::fmt;
use std::net::SocketAddr;

use crate::Buckets;
use crate::certificate::KeyText;

/// Random bytes that a node keeps to itself; what it signs with them it alone can check.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(pub [u8; 32]);

/// Never shows the bytes.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// The certificate authority of an installation, PEM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthorityText {
    /// What clients have to trust.
    pub certificate: String,
    /// Its key.
    pub key: KeyText,
}

/// Settings that show in answers of the control API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The account of the node, 12 digits.
    pub account: String,
    /// The region of requests that are not signed.
    pub region: String,
    /// Domain of API endpoints: `localhost`, or `amazonaws.com` for AWS's form.
    pub endpoint_domain: String,
    /// Port of the HTTP front door, part of the endpoint unless the domain is AWS's.
    pub http_port: u16,
    /// Driver of new VPCs: `host` for now.
    pub network_driver: String,
    /// Address book of the `host` driver: private address and port to the real socket.
    pub address_book: Vec<(SocketAddr, SocketAddr)>,
    /// Signs the stickiness cookies of load balancers.
    pub secret: Secret,
    /// The folder of buckets; none where nothing is kept.
    pub buckets: Option<Buckets>,
    /// Issues certificates.
    pub authority: AuthorityText,
    /// Where the control API listens, for links to the node's own pages.
    pub api: Option<SocketAddr>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            account: "000000000000".into(),
            region: "us-east-1".into(),
            endpoint_domain: "localhost".into(),
            http_port: 8080,
            network_driver: "host".into(),
            address_book: Vec::new(),
            secret: Secret::default(),
            buckets: None,
            authority: AuthorityText::default(),
            api: None,
        }
    }
}

impl Settings {
    /// `apiEndpoint` of an API: `http://{id}.execute-api.{region}.localhost:8080`, or AWS's
    /// `https://{id}.execute-api.{region}.amazonaws.com`.
    pub fn api_endpoint(&self, api: &str, region: &str) -> String {
        let host = format!("{api}.execute-api.{region}.{}", self.endpoint_domain);
        match self.endpoint_domain.as_str() {
            "amazonaws.com" => format!("https://{host}"),
            _ => format!("http://{host}:{}", self.http_port),
        }
    }
}
