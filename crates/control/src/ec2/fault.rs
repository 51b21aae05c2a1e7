//! EC2's refusals in its own words, the ones that several resources share.

use wire::Fault;

/// A refusal of the caller, 400.
pub(crate) fn refuse(code: &'static str, message: impl Into<String>) -> Fault {
    Fault::new(400, code, message)
}

/// `InvalidParameterValue`
pub(crate) fn invalid(message: impl Into<String>) -> Fault {
    refuse("InvalidParameterValue", message)
}

/// `InvalidParameterCombination`
pub(crate) fn combination(message: impl Into<String>) -> Fault {
    refuse("InvalidParameterCombination", message)
}

/// `MissingParameter`, with a sentence of its own.
pub(crate) fn missing(message: impl Into<String>) -> Fault {
    refuse("MissingParameter", message)
}

/// `MissingParameter` for one parameter.
pub(crate) fn missing_parameter(name: &str) -> Fault {
    missing(format!("The request must contain the parameter {name}"))
}

/// `DependencyViolation`: something still uses the resource. `noun` is AWS's, such as `vpc`.
pub(crate) fn in_use(noun: &str, id: impl std::fmt::Display) -> Fault {
    let message = format!("The {noun} '{id}' has dependencies and cannot be deleted.");
    refuse("DependencyViolation", message)
}

/// `UnsupportedOperation`: AWS has it, Breezeway does not.
pub(crate) fn unsupported(what: &str) -> Fault {
    refuse("UnsupportedOperation", format!("Breezeway does not support {what}"))
}

/// `InvalidGroup.NotFound` for resources of two VPCs, in AWS's words.
pub(crate) fn two_networks() -> Fault {
    let message = "You have specified two resources that belong to different networks.";
    refuse("InvalidGroup.NotFound", message)
}

/// `…LimitExceeded` when there are `count` of something already. `what` is its plural.
pub(crate) fn check_limit(
    code: &'static str,
    what: &str,
    count: usize,
    limit: usize,
) -> Result<(), Fault> {
    if count < limit {
        return Ok(());
    }
    Err(refuse(code, format!("The maximum number of {what} has been reached.")))
}
