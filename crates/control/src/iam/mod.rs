//! Operations of iam: roles, instance profiles, access keys, server certificates. DEVIATION: roles
//! and their policies are kept and shown but never evaluated; who may sign may do everything.

pub mod access_key;
mod fault;
pub mod instance_profile;
pub mod instance_profile_tags;
mod list;
mod policy_document;
pub mod role;
pub mod role_boundary;
pub mod role_policy;
pub mod role_tags;
pub mod server_certificate;
pub mod service_linked_role;
mod tags;
pub mod user;

#[cfg(test)]
mod tests;

use crate::operations::{Operation, operations};

/// The operations of this service.
pub const OPERATIONS: &[Operation] = operations!("iam", shapes::decode::Style::Query;
    write AddRoleToInstanceProfile => instance_profile::add_role_to_instance_profile,
    write AttachRolePolicy => role_policy::attach_role_policy,
    write CreateAccessKey => access_key::create_access_key,
    write CreateInstanceProfile => instance_profile::create_instance_profile,
    write CreateRole => role::create_role,
    write CreateServiceLinkedRole => service_linked_role::create_service_linked_role,
    write DeleteAccessKey => access_key::delete_access_key,
    write DeleteInstanceProfile => instance_profile::delete_instance_profile,
    write DeleteRole => role::delete_role,
    write DeleteRolePermissionsBoundary => role_boundary::delete_role_permissions_boundary,
    write DeleteRolePolicy => role_policy::delete_role_policy,
    write DeleteServerCertificate => server_certificate::delete_server_certificate,
    write DetachRolePolicy => role_policy::detach_role_policy,
    read GetInstanceProfile => instance_profile::get_instance_profile,
    read GetRole => role::get_role,
    read GetRolePolicy => role_policy::get_role_policy,
    read GetServerCertificate => server_certificate::get_server_certificate,
    read GetUser => user::get_user,
    read ListAccessKeys => access_key::list_access_keys,
    read ListAttachedRolePolicies => role_policy::list_attached_role_policies,
    read ListInstanceProfileTags => instance_profile_tags::list_instance_profile_tags,
    read ListInstanceProfiles => instance_profile::list_instance_profiles,
    read ListInstanceProfilesForRole => instance_profile::list_instance_profiles_for_role,
    read ListRolePolicies => role_policy::list_role_policies,
    read ListRoles => role::list_roles,
    read ListRoleTags => role_tags::list_role_tags,
    read ListServerCertificates => server_certificate::list_server_certificates,
    write PutRolePermissionsBoundary => role_boundary::put_role_permissions_boundary,
    write PutRolePolicy => role_policy::put_role_policy,
    write RemoveRoleFromInstanceProfile => instance_profile::remove_role_from_instance_profile,
    write TagInstanceProfile => instance_profile_tags::tag_instance_profile,
    write TagRole => role_tags::tag_role,
    write UntagInstanceProfile => instance_profile_tags::untag_instance_profile,
    write UntagRole => role_tags::untag_role,
    write UploadServerCertificate => server_certificate::upload_server_certificate,
    write UpdateAssumeRolePolicy => role::update_assume_role_policy,
    write UpdateRole => role::update_role,
    write UpdateRoleDescription => role::update_role_description,
);
