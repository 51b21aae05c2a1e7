//! Which service and which operation a request is meant for, and its input as a tree.
//!
//! The service follows from the credential scope, else `X-Amz-Target`, `Version`, the path. The
//! host decides nothing: clients prefix and replace it.

use shapes::{Protocol, Service};
use wire::protocol::form::{Dialect, Form};
use wire::protocol::{json11, rest_json};
use wire::{Fault, Node};

use crate::Call;

/// An operation and its input.
#[derive(Clone, Debug)]
pub struct Meant {
    /// The operation.
    pub operation: &'static shapes::Operation,
    /// Its input.
    pub input: Node,
}

/// The service a request is meant for. `signing_name` comes from the credential scope.
pub fn service(call: &Call, signing_name: Option<&str>) -> Result<&'static Service, Fault> {
    if let Some(name) = signing_name {
        let found = shapes::SERVICES.iter().find(|service| service.signing_name == name);
        return found.ok_or_else(|| missing_service(name));
    }
    if let Some(target) = call.header("x-amz-target") {
        let prefix = json11::target(target).map_or(target, |(prefix, _)| prefix);
        let found = shapes::SERVICES.iter().find(|service| service.target_prefix == prefix);
        return found.ok_or_else(|| missing_service(prefix));
    }
    if call.path.starts_with("/v2/") {
        return shapes::service("apigatewayv2").ok_or_else(|| missing_service("apigatewayv2"));
    }
    let form = form(call)?;
    let Some(version) = form.get("Version") else {
        let message = "The request says neither by its signature nor by Version, X-Amz-Target or \
                       path which service it is meant for.";
        return Err(Fault::new(403, "MissingAuthenticationToken", message));
    };
    let found = shapes::SERVICES.iter().find(|service| {
        service.api_version == version
            && matches!(service.protocol, Protocol::Query | Protocol::Ec2)
    });
    found.ok_or_else(|| missing_service(&format!("with Version={version}")))
}

/// The operation of `service` that a request names, with its input.
pub fn operation(service: &'static Service, call: &Call) -> Result<Meant, Fault> {
    match service.protocol {
        Protocol::RestJson => rest(service, call),
        Protocol::Json11 => {
            let target = call.header("x-amz-target").and_then(json11::target);
            let name = target.map_or("", |(_, name)| name);
            let operation = named(service, name)?;
            Ok(Meant { operation, input: json11::read(&call.body)? })
        }
        Protocol::Query => of_form(service, call, Dialect::Query),
        Protocol::Ec2 => of_form(service, call, Dialect::Ec2),
    }
}

fn rest(service: &'static Service, call: &Call) -> Result<Meant, Fault> {
    let of_service = shapes::OPERATIONS.iter().filter(|op| op.service == service.module);
    for operation in of_service.filter(|op| op.method == call.method) {
        if let Some(labels) = rest_json::capture(operation.uri, &call.path) {
            let input = rest_json::read(&labels, operation.query, &call.query, &call.body)?;
            return Ok(Meant { operation, input });
        }
    }
    let message = format!(
        "{} {} is not an operation that Breezeway has: docs/compatibility.md lists them. \
         (Version 1 of the API Gateway API, for REST APIs, is not part of it.)",
        call.method, call.path
    );
    Err(Fault::new(404, "UnknownOperationException", message))
}

fn of_form(service: &'static Service, call: &Call, dialect: Dialect) -> Result<Meant, Fault> {
    let form = form(call)?;
    if let Some(version) = form.get("Version").filter(|version| *version != service.api_version) {
        return Err(other_version(service, version));
    }
    let operation = named(service, form.action()?)?;
    Ok(Meant { operation, input: form.tree(dialect)? })
}

/// EC2 clients send several dates; only Classic Load Balancing is another service altogether.
fn other_version(service: &Service, version: &str) -> Fault {
    let message = match (service.module, version) {
        ("elbv2", "2012-06-01") => {
            "Classic Load Balancers are not part of Breezeway; use the elbv2 operations.".to_owned()
        }
        _ => format!("Version {version} of {} is not known.", service.signing_name),
    };
    Fault::new(400, "InvalidAction", message)
}

/// Query parameters of the URL and of the body together: `GET` works as `POST` does.
fn form(call: &Call) -> Result<Form, Fault> {
    let mut form = Form::parse(call.query.as_bytes())?;
    let content_type = call.header("content-type").unwrap_or_default();
    if content_type.is_empty() || content_type.starts_with("application/x-www-form-urlencoded") {
        form.extend(Form::parse(&call.body)?);
    }
    Ok(form)
}

fn named(service: &'static Service, name: &str) -> Result<&'static shapes::Operation, Fault> {
    shapes::operation(service.module, name).ok_or_else(|| missing_operation(service, name))
}

/// AWS says `InvalidAction` (JSON services: `UnknownOperationException`) for a name that it does
/// not know; so do we for one that we do not have, and say which of the two it is.
pub fn missing_operation(service: &Service, name: &str) -> Fault {
    let why = if shapes::is_known(service.module, name) {
        "Breezeway does not have it yet: docs/compatibility.md lists what works"
    } else {
        "there is no such action"
    };
    let code = match service.protocol {
        Protocol::Query | Protocol::Ec2 => "InvalidAction",
        Protocol::RestJson | Protocol::Json11 => "UnknownOperationException",
    };
    let message = format!("The action {name} is not valid for this web service ({why}).");
    Fault::new(400, code, message)
}

fn missing_service(name: &str) -> Fault {
    let have: Vec<&str> = shapes::SERVICES.iter().map(|service| service.signing_name).collect();
    let message = format!(
        "The service {name} is not part of Breezeway. It has: {}. docs/compatibility.md lists \
         their operations.",
        have.join(", ")
    );
    Fault::new(400, "UnknownOperationException", message)
}
