//! IAM's refusals in its own words.

use wire::Fault;

/// `NoSuchEntity`
pub(crate) fn no_such(message: impl Into<String>) -> Fault {
    Fault::new(404, "NoSuchEntity", message)
}

/// `EntityAlreadyExists`
pub(crate) fn exists(message: impl Into<String>) -> Fault {
    Fault::new(409, "EntityAlreadyExists", message)
}

/// `DeleteConflict`: `must` is what has to be done before.
pub(crate) fn conflict(must: &str) -> Fault {
    Fault::new(409, "DeleteConflict", format!("Cannot delete entity, must {must} first."))
}

/// `LimitExceeded` of a quota.
pub(crate) fn quota(name: &str, limit: usize) -> Fault {
    Fault::new(409, "LimitExceeded", format!("Cannot exceed quota for {name}: {limit}"))
}

/// `InvalidInput`
pub(crate) fn invalid_input(message: impl Into<String>) -> Fault {
    Fault::new(400, "InvalidInput", message)
}

/// `MalformedPolicyDocument`
pub(crate) fn malformed_policy(message: impl Into<String>) -> Fault {
    Fault::new(400, "MalformedPolicyDocument", message)
}
