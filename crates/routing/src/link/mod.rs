//! VPC links: whether one may carry a request to a listener, and what it is that they lead to.

pub mod resolve;
pub mod service;

pub use resolve::{check_dates, resolve};
