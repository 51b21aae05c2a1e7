//! Client tokens: what a call that carried one was answered, so that the same call, sent again, is
//! answered the same and makes nothing twice.

use serde::{Deserialize, Serialize};

use crate::table::TextKey;
use crate::{Scope, Timestamp};

/// A token that was used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClientToken {
    /// Account and region.
    pub scope: Scope,
    /// The operation, such as `RunInstances`.
    pub operation: String,
    /// The token, as the client chose it.
    pub token: String,
    /// Tells one request from another.
    pub digest: String,
    /// The answer, in the spelling of those who keep it.
    pub answer: String,
    /// When it was used.
    pub used: Timestamp,
}

impl ClientToken {
    /// The key of a token.
    pub fn key_of(scope: &Scope, operation: &str, token: &str) -> TextKey {
        TextKey(format!("{}/{}/{operation}/{token}", scope.account, scope.region))
    }
}
