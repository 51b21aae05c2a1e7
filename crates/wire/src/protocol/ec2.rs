//! EC2's dialect of the query protocol: a form in ([`super::form`]), XML out.

use super::xml::Xml;
use crate::{Fault, Node, Reply};

/// The answer of an operation: `<XResponse><requestId>…</requestId>…`.
///
/// AWS: an operation without output answers `<return>true</return>`.
pub fn answer(
    operation: &str,
    has_output: bool,
    namespace: &str,
    output: &Node,
    request_id: &str,
) -> Reply {
    let mut xml = Xml::new("item");
    xml.declare();
    xml.root(&format!("{operation}Response"), namespace, |xml| {
        xml.leaf("requestId", request_id);
        if has_output { xml.content(output) } else { xml.leaf("return", "true") }
    });
    reply(200, xml, request_id)
}

/// An error: `<Response><Errors><Error><Code>…`.
pub fn fault(fault: &Fault, request_id: &str) -> Reply {
    let mut xml = Xml::new("item");
    xml.declare();
    xml.element("Response", |xml| {
        xml.element("Errors", |xml| {
            xml.element("Error", |xml| {
                xml.leaf("Code", &fault.code);
                xml.leaf("Message", &fault.message);
            });
        });
        xml.leaf("RequestID", request_id);
    });
    reply(fault.status, xml, request_id)
}

fn reply(status: u16, xml: Xml, request_id: &str) -> Reply {
    let headers = vec![
        ("x-amzn-requestid", request_id.to_owned()),
        ("content-type", "text/xml;charset=UTF-8".to_owned()),
    ];
    Reply { status, headers, body: xml.finish() }
}
