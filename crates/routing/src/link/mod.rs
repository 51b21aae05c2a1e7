//! x
pub mod resolve;
