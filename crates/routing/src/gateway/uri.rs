//! URIs.
/// x
#[derive(Debug)]
pub struct Uri;
