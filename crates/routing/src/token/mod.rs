//! Tokens of identity providers: where their keys are, which keys are good, whether a token is.
//!
//! One mechanism for whoever has to verify a token. Fetching and keeping key sets is I/O and not
//! here; when to do it is decided in `fresh.rs`.

pub mod claims;
pub mod endpoint;
pub mod fresh;
pub mod keys;
pub mod verify;

pub use claims::{Claims, Wrong};
pub use endpoint::Endpoint;
pub use keys::KeySet;
pub use verify::{Algorithm, Token, Unverified};

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
