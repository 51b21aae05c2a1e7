//! The refusals of the certificate manager in its own words.

use wire::Fault;

/// A fault with a code.
pub(super) fn of(code: &'static str, message: impl Into<String>) -> Fault {
    Fault::new(400, code, message)
}

/// `ValidationException`
pub(super) fn validation(message: impl Into<String>) -> Fault {
    of("ValidationException", message)
}

/// `ResourceNotFoundException`
pub(super) fn not_found(arn: &str) -> Fault {
    of("ResourceNotFoundException", format!("Could not find certificate {arn}."))
}

/// `InvalidStateException`
pub(super) fn state(message: impl Into<String>) -> Fault {
    of("InvalidStateException", message)
}
