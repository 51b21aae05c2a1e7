//! Resource types of the certificate manager.

pub mod certificate;
