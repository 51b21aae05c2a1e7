//! VPC links: whether one may carry a request to a listener.

pub mod resolve;

pub use resolve::{check_dates, resolve};
