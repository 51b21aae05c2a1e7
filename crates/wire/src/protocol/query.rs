//! The AWS query protocol: a form in ([`super::form`]), XML out.

use super::xml::Xml;
use crate::{Fault, Node, Reply};

/// The answer of an operation: `<XResponse><XResult>…</XResult><ResponseMetadata>…`.
///
/// AWS: an operation with an empty output still writes its result element; one without output
/// does not.
pub fn answer(
    operation: &str,
    has_output: bool,
    namespace: &str,
    output: &Node,
    request_id: &str,
) -> Reply {
    let mut xml = Xml::new("member");
    xml.root(&format!("{operation}Response"), namespace, |xml| {
        let result = format!("{operation}Result");
        match output {
            _ if !has_output => {}
            Node::Struct(members) if members.is_empty() => xml.empty(&result),
            _ => xml.element(&result, |xml| xml.content(output)),
        }
        xml.element("ResponseMetadata", |xml| xml.leaf("RequestId", request_id));
    });
    reply(200, xml, request_id)
}

/// An error: `<ErrorResponse><Error><Type>Sender</Type><Code>…`.
pub fn fault(namespace: &str, fault: &Fault, request_id: &str) -> Reply {
    let mut xml = Xml::new("member");
    xml.root("ErrorResponse", namespace, |xml| {
        xml.element("Error", |xml| {
            xml.leaf("Type", if fault.is_sender() { "Sender" } else { "Receiver" });
            xml.leaf("Code", &fault.code);
            xml.leaf("Message", &fault.message);
        });
        xml.leaf("RequestId", request_id);
    });
    reply(fault.status, xml, request_id)
}

fn reply(status: u16, xml: Xml, request_id: &str) -> Reply {
    let headers =
        vec![("x-amzn-requestid", request_id.to_owned()), ("content-type", "text/xml".to_owned())];
    Reply { status, headers, body: xml.finish() }
}
