//! x
/// x
#[derive(Debug)]
pub struct Test;
