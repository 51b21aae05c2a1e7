//! HTTP/1.1 as bytes: heads, framing, chunks, and how messages are written. No sockets, no clocks:
//! every function is a function of its input, and the result does not depend on how the input was
//! cut into pieces. httparse is the tokenizer; what it tolerates is refused here.
//!
//! Where a message could be read in two ways it is refused rather than repaired.

pub(crate) mod body;
pub(crate) mod chunk;
pub(crate) mod framing;
pub(crate) mod head;
pub(crate) mod lines;
pub(crate) mod target;
pub(crate) mod write;

#[cfg(test)]
mod tests;

/// A refusal of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The status that fits best: 400, 405, 408, 414, 431, 501 or 505.
    pub status: u16,
    /// Why, for logs.
    pub why: &'static str,
}

/// A refusal with 400.
pub(crate) const fn bad(why: &'static str) -> Refusal {
    Refusal { status: 400, why }
}
