//! Operations of apigatewayv2.

use crate::operations::Operation;

/// The operations of this service.
pub const OPERATIONS: &[Operation] = &[];
