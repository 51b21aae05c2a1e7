//! GetResourcePolicy: who else may use a trust store.
//!
//! DEVIATION: trust stores cannot be shared with other accounts, so GetResourcePolicy finds none.

use model::Snapshot;
use shapes::elbv2::{GetResourcePolicyInput, GetResourcePolicyOutput};
use wire::Fault;

use super::{fault, find};
use crate::Ctx;

/// The policy of a trust store: there is never one.
pub fn get_resource_policy(
    _ctx: &Ctx<'_>,
    _state: &Snapshot,
    input: GetResourcePolicyInput,
) -> Result<GetResourcePolicyOutput, Fault> {
    find::check_arn(&input.resource_arn, "truststore", "trust store")?;
    let message = format!("A resource policy of '{}' does not exist", input.resource_arn);
    Err(fault::of("ResourceNotFound", message))
}
