//! Typed ids. An id is an immutable string that clones for the price of a counter.
//!
//! Ids are not validated here: operations mint them in AWS's shapes (`arn.rs`, control's `Ctx`),
//! and a lookup of a malformed one simply finds nothing.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The id as text, as clients see it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self(Arc::from(""))
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(Arc::from(text))
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(Arc::from(text))
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &self.0)
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                &*self.0 == other
            }
        }

        impl $crate::table::Key for $name {
            fn text(&self) -> String {
                self.0.to_string()
            }

            fn least() -> Self {
                Self::default()
            }
        }
    )+};
}

ids! {
    /// An HTTP API: 10 characters of `[a-z0-9]`; also its host label.
    ApiId,
    /// A route of an API: 7 characters of `[a-z0-9]`.
    RouteId,
    /// An integration of an API: 7 characters of `[a-z0-9]`.
    IntegrationId,
    /// A deployment of an API: 6 characters of `[a-z0-9]`.
    DeploymentId,
    /// The name of a stage, `$default` included.
    StageName,
    /// A VPC link: 6 characters of `[a-z0-9]`.
    VpcLinkId,
    /// `arn:…:loadbalancer/app/NAME/ID`.
    LoadBalancerArn,
    /// `arn:…:listener/app/NAME/LB/ID`.
    ListenerArn,
    /// `arn:…:listener-rule/app/NAME/LB/LISTENER/ID`.
    RuleArn,
    /// `arn:…:targetgroup/NAME/ID`.
    TargetGroupArn,
    /// `arn:…:certificate/UUID` (ACM) or `arn:…:server-certificate/PATH/NAME` (IAM).
    CertificateArn,
    /// `arn:…:truststore/NAME/ID`.
    TrustStoreArn,
    /// A Cloud Map namespace: `ns-` and 16 characters of `[a-z0-9]`.
    NamespaceId,
    /// A Cloud Map service: `srv-` and 16 characters of `[a-z0-9]`.
    ServiceId,
    /// An instance of a Cloud Map service, as who registered it calls it.
    RegistrationId,
    /// `Z` and 20 characters of `[A-Z0-9]`.
    HostedZoneId,
    /// `vpc-` and 17 hex digits, as all ids below have their prefix and 17 hex digits.
    VpcId,
    /// `subnet-…`
    SubnetId,
    /// `sg-…`
    SecurityGroupId,
    /// `sgr-…`
    SecurityGroupRuleId,
    /// `igw-…`
    InternetGatewayId,
    /// `nat-…`
    NatGatewayId,
    /// `rtb-…`
    RouteTableId,
    /// `eipalloc-…`
    AllocationId,
    /// `eni-…`
    NetworkInterfaceId,
    /// `acl-…`
    NetworkAclId,
    /// `i-…`
    InstanceId,
    /// The name of an IAM role, unique in the account.
    RoleName,
    /// The name of an IAM instance profile, unique in the account.
    InstanceProfileName,
    /// `AKIA…` or `ASIA…`
    AccessKeyId,
    /// `arn:…:stack/NAME/UUID`.
    StackId,
}
