//! Parameter mapping.
/// x
#[derive(Debug)]
pub struct RequestMapping;
/// x
#[derive(Debug)]
pub struct ResponseMapping;
