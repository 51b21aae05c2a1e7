//! Resource types of IAM: kept and told again, not enforced.

pub mod instance_profile;
pub mod policy;
pub mod role;

const IAM: &str = "iam";
