//! The error type of every control operation. How it looks on the wire is a protocol's affair.

use std::borrow::Cow;
use std::fmt;

/// An AWS error: what went wrong, in the words that AWS clients match on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The code on the wire, such as `TargetGroupNotFound` or `BadRequestException`.
    pub code: Cow<'static, str>,
    /// The sentence for a person.
    pub message: String,
    /// The HTTP status; 500 and above blame the service, all others the caller.
    pub status: u16,
    /// Further members of a JSON error body, such as `resourceType`. XML protocols drop them.
    pub fields: Vec<(&'static str, String)>,
}

impl Fault {
    /// A fault with a status, a code and a message.
    pub fn new(
        status: u16,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Fault {
        Fault { code: code.into(), message: message.into(), status, fields: Vec::new() }
    }

    /// `ValidationError`, 400: what the query services say about a bad parameter.
    pub fn validation(message: impl Into<String>) -> Fault {
        Fault::new(400, "ValidationError", message)
    }

    /// `BadRequestException`, 400: what API Gateway says about a bad parameter.
    pub fn bad_request(message: impl Into<String>) -> Fault {
        Fault::new(400, "BadRequestException", message)
    }

    /// `NotFoundException`, 404, of the JSON services.
    pub fn not_found(message: impl Into<String>) -> Fault {
        Fault::new(404, "NotFoundException", message)
    }

    /// `ConflictException`, 409, of the JSON services.
    pub fn conflict(message: impl Into<String>) -> Fault {
        Fault::new(409, "ConflictException", message)
    }

    /// `InternalFailure`, 500: our side is at fault.
    pub fn internal(message: impl Into<String>) -> Fault {
        Fault::new(500, "InternalFailure", message)
    }

    /// The same fault with one more member in its JSON body.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Fault {
        self.fields.push((name, value.into()));
        self
    }

    /// Whether the caller is to blame (`Sender`), as opposed to the service (`Receiver`).
    pub fn is_sender(&self) -> bool {
        self.status < 500
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Fault {}
