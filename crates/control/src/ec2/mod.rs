//! Operations of ec2.

pub mod interface_pool;

use crate::operations::Operation;

/// The operations of this service.
pub const OPERATIONS: &[Operation] = &[];
