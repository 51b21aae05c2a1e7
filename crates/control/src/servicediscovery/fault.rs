//! Faults of Cloud Map. All of them are 400.

use wire::Fault;

/// A fault with one of the service's codes.
pub fn of(code: &'static str, message: impl Into<String>) -> Fault {
    Fault::new(400, code, message)
}

/// `InvalidInput`: a parameter is not valid, or not here.
pub fn invalid(message: impl Into<String>) -> Fault {
    of("InvalidInput", message)
}

/// `ResourceLimitExceeded`
pub fn limit(what: &str, most: usize) -> Fault {
    of("ResourceLimitExceeded", format!("The limit of {most} {what} is reached."))
}

/// `NamespaceNotFound`
pub fn no_namespace(which: &str) -> Fault {
    of("NamespaceNotFound", format!("Namespace {which} does not exist."))
}

/// `ServiceNotFound`
pub fn no_service(which: &str) -> Fault {
    of("ServiceNotFound", format!("Service {which} does not exist."))
}

/// `InstanceNotFound`
pub fn no_instance(which: &str, service: &str) -> Fault {
    of("InstanceNotFound", format!("Instance {which} is not registered in service {service}."))
}
