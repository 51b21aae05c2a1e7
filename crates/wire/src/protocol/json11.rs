//! The JSON 1.1 protocol: the operation in `X-Amz-Target`, JSON bodies both ways.

use serde_json::Value;

use super::json::{self, Times};
use crate::{Fault, Node, Reply};

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// Splits `X-Amz-Target` into a service's prefix and an operation.
pub fn target(header: &str) -> Option<(&str, &str)> {
    header.rsplit_once('.').filter(|(prefix, name)| !prefix.is_empty() && !name.is_empty())
}

/// Reads a request's body.
pub fn read(body: &[u8]) -> Result<Node, Fault> {
    json::read(body).map_err(|why| Fault::new(400, "SerializationException", why))
}

/// The answer of an operation.
pub fn answer(output: &Node, request_id: &str) -> Reply {
    let headers = vec![
        ("x-amzn-requestid", request_id.to_owned()),
        ("content-type", CONTENT_TYPE.to_owned()),
    ];
    Reply { status: 200, headers, body: json::write(output, Times::Seconds) }
}

/// An error: its code in `__type` and `x-amzn-errortype`, its words in `message`.
pub fn fault(fault: &Fault, request_id: &str) -> Reply {
    let headers = vec![
        ("x-amzn-requestid", request_id.to_owned()),
        ("x-amzn-errortype", fault.code.to_string()),
        ("content-type", CONTENT_TYPE.to_owned()),
    ];
    let mut members = serde_json::Map::new();
    members.insert("__type".to_owned(), Value::from(&*fault.code));
    members.extend(json::fault_members(fault));
    let body = Value::Object(members).to_string().into_bytes();
    Reply { status: fault.status, headers, body }
}
