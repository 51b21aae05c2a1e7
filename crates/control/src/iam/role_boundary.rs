//! Permissions boundaries of roles: kept and shown. That nothing evaluates them is said in
//! `mod.rs`.

use model::identity::Role;
use shapes::iam::{
    DeleteRolePermissionsBoundaryInput, DeleteRolePermissionsBoundaryOutput,
    PutRolePermissionsBoundaryInput, PutRolePermissionsBoundaryOutput,
};
use store::Txn;
use wire::Fault;

use super::fault;
use super::role::find_own;
use crate::Ctx;

/// `PutRolePermissionsBoundary`
pub fn put_role_permissions_boundary(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: PutRolePermissionsBoundaryInput,
) -> Result<PutRolePermissionsBoundaryOutput, Fault> {
    let role = find_own(ctx, txn, &input.role_name)?;
    txn.update::<Role>(&role.name, |role| {
        role.permissions_boundary = Some(input.permissions_boundary);
    });
    Ok(PutRolePermissionsBoundaryOutput {})
}

/// `DeleteRolePermissionsBoundary`
pub fn delete_role_permissions_boundary(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteRolePermissionsBoundaryInput,
) -> Result<DeleteRolePermissionsBoundaryOutput, Fault> {
    let role = find_own(ctx, txn, &input.role_name)?;
    if role.permissions_boundary.is_none() {
        let message = format!("Role {} does not have a permissions boundary", role.name);
        return Err(fault::no_such(message));
    }
    txn.update::<Role>(&role.name, |role| role.permissions_boundary = None);
    Ok(DeleteRolePermissionsBoundaryOutput {})
}
