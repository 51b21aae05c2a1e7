//! x
/// x
#[derive(Debug)]
pub struct Act;
