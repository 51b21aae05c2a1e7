//! Where a resource lives: account and region.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Account and region of a resource or of a caller.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// 12 digits.
    pub account: Arc<str>,
    /// `us-east-1` and the like. IAM records use `aws-global`.
    pub region: Arc<str>,
}

impl Scope {
    /// A scope from plain text.
    pub fn new(account: &str, region: &str) -> Self {
        Self { account: Arc::from(account), region: Arc::from(region) }
    }

    /// The availability zones of the region: `us-east-1a`, `…b`, `…c`.
    ///
    /// Three zones, since templates select the first three of `Fn::GetAZs`.
    pub fn zones(&self) -> [String; 3] {
        ["a", "b", "c"].map(|letter| format!("{}{letter}", self.region))
    }
}
