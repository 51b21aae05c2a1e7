//! Where something stands in the template text, and what is wrong there.
//!
//! Every error of this crate is the template author's or the caller's: AWS answers all of them as
//! `ValidationError`, HTTP 400. Turning them into a response is left to the caller.

use std::fmt;

/// A place in the template text; both numbers start at 1, columns count characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// A refusal of a template or of its parameters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct TemplateError {
    /// AWS error code; `ValidationError` for all of them.
    pub code: &'static str,
    /// AWS's wording where it is known.
    pub message: String,
    /// Where the cause stands, when it stands in the template text.
    pub at: Option<Position>,
    /// Path of the cause from the root, as `/Resources/A/Properties/B`; empty when unknown.
    pub path: String,
}

impl TemplateError {
    /// An error that has no place in the template text (a missing parameter, a cycle).
    pub fn new(message: impl Into<String>) -> TemplateError {
        let message = message.into();
        TemplateError { code: "ValidationError", message, at: None, path: String::new() }
    }

    /// An error caused by the node at `at`.
    pub fn at(at: Position, message: impl Into<String>) -> TemplateError {
        TemplateError { at: Some(at), ..TemplateError::new(message) }
    }

    /// The same error with the path of its cause.
    #[must_use]
    pub fn with_path(mut self, path: impl Into<String>) -> TemplateError {
        self.path = path.into();
        self
    }
}

/// `line:column: message`, for people; the wire answers `message` alone.
impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = self.at {
            write!(f, "{}:{}: ", at.line, at.column)?;
        }
        f.write_str(&self.message)
    }
}
