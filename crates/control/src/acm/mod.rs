//! Operations of the certificate manager: certificates that were imported, and those that the
//! installation's own authority issued.
//!
//! Leaves out private authorities, exporting keys, and checks that a requester owns a domain.

pub mod certificate;
mod fault;
pub(crate) mod find;
pub mod import;
pub mod list;
pub mod material;
pub mod renewal;
pub mod request;
mod show;
pub mod tags;

#[cfg(test)]
mod tests;

use shapes::decode::Style;

use crate::operations::{Operation, operations};

/// The operations of this service.
pub const OPERATIONS: &[Operation] = operations!("acm", Style::Json11;
    write ImportCertificate => import::import_certificate,
    write RequestCertificate => request::request_certificate,
    write RenewCertificate => request::renew_certificate,
    write ResendValidationEmail => request::resend_validation_email,
    write UpdateCertificateOptions => request::update_certificate_options,
    read DescribeCertificate => certificate::describe_certificate,
    read GetCertificate => certificate::get_certificate,
    read ListCertificates => list::list_certificates,
    write DeleteCertificate => certificate::delete_certificate,
    write AddTagsToCertificate => tags::add_tags_to_certificate,
    write RemoveTagsFromCertificate => tags::remove_tags_from_certificate,
    read ListTagsForCertificate => tags::list_tags_for_certificate,
);
