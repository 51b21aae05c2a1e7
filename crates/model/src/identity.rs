//! Records of identities: roles and instance profiles (kept, not enforced), access keys.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{AccessKeyId, InstanceProfileName, RoleName, Scope, Tags, Timestamp};

/// An IAM role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Role {
    /// Account; the region is `aws-global`.
    pub scope: Scope,
    /// The name.
    pub name: RoleName,
    /// `AROA…`
    pub id: String,
    /// Starts and ends with `/`.
    pub path: String,
    /// JSON text as given.
    pub assume_role_policy: String,
    /// Free text.
    pub description: Option<String>,
    /// 3,600–43,200.
    pub max_session_seconds: i64,
    /// Inline policies by name: JSON text.
    pub policies: BTreeMap<String, String>,
    /// ARNs of attached managed policies.
    pub attached: Vec<String>,
    /// ARN of the permissions boundary; kept, not enforced.
    #[serde(default)]
    pub permissions_boundary: Option<String>,
    /// Tags.
    pub tags: Tags,
    /// When it was made.
    pub created: Timestamp,
}

/// An IAM instance profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstanceProfile {
    /// Account; the region is `aws-global`.
    pub scope: Scope,
    /// The name.
    pub name: InstanceProfileName,
    /// `AIPA…`
    pub id: String,
    /// Starts and ends with `/`.
    pub path: String,
    /// At most one.
    pub roles: Vec<RoleName>,
    /// Tags.
    pub tags: Tags,
    /// When it was made.
    pub created: Timestamp,
}

/// A key that requests are signed with.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct AccessKey {
    /// Account; the region is `aws-global`.
    pub scope: Scope,
    /// `AKIA…` (long-lived) or `ASIA…` (from AssumeRole).
    pub id: AccessKeyId,
    /// The secret.
    pub secret: String,
    /// `X-Amz-Security-Token` that must come along, for `ASIA…` keys.
    pub session_token: Option<String>,
    /// ARN of the caller that the key stands for.
    pub principal_arn: String,
    /// `UserId` of GetCallerIdentity.
    pub user_id: String,
    /// When it stops working.
    pub expires: Option<Timestamp>,
    /// When it was made.
    pub created: Timestamp,
}

/// Never prints the secret.
impl std::fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessKey").field("id", &self.id).finish_non_exhaustive()
    }
}
