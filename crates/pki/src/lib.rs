//! X.509: what certificates, keys and revocation lists say, whether they fit together, and a
//! certificate authority that issues them. Bytes in, facts out: no files, no sockets, no clock.
//!
//! Not here: TLS itself (`transport`), which certificate a client gets (`routing`), and AWS's words
//! for what is wrong (`control`).

mod authority;
mod crl;
mod der;
mod facts;
mod key;
mod name;
mod pem;

pub use authority::{Authority, Issued, NewKey};
pub use crl::{RevocationList, revocation_list};
pub use facts::{Facts, KeyKind, verify_issued};
pub use key::PrivateKey;
pub use pem::{Der, certificates, certificates_pem};

/// Why certificates or keys cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is not PEM, or not what the PEM says it is.
    #[error("it is not valid PEM: {0}")]
    Malformed(String),
    /// The kind of key is not supported.
    #[error("the kind of key is not supported: {0}")]
    Key(String),
    /// The key is not the certificate's.
    #[error("the private key is not the certificate's")]
    Mismatch,
    /// A certificate was not issued by the next one.
    #[error("a certificate of the chain was not issued by the next one")]
    Chain,
    /// The library refuses.
    #[error("it cannot be issued: {0}")]
    Issue(String),
}
