//! The text of `table.rs`: services, operations with shapes, and the names of all operations.

use std::fmt::Write;

use anyhow::{Context, Result};
use serde_json::Value;

use super::emit::HEADER;
use super::spec::{Protocol, Service};

/// The tables of all services.
pub fn text(models: &[(&Service, Value)]) -> Result<String> {
    let mut services = String::new();
    let mut operations = String::new();
    let mut known = String::new();
    for (service, model) in models {
        services += &service_line(service, &model["metadata"]);
        for name in &service.operations {
            operations += &operation(service, model, name)?;
        }
        let all = model["operations"].as_object().context("no operations")?;
        let mut names: Vec<_> = all.keys().collect();
        names.sort();
        let _ = writeln!(known, "({:?}, &{names:?}),", service.module);
    }
    Ok(format!(
        "{HEADER}: services and operations.\n\nuse crate::{{Operation, Protocol, Service}};\n\n\
         /// Every service.\npub static SERVICES: &[Service] = &[{services}];\n\n\
         /// Every operation with generated shapes, by service.\n\
         pub static OPERATIONS: &[Operation] = &[{operations}];\n\n\
         /// Every operation that a service's model names, with shapes or without, sorted.\n\
         pub static KNOWN: &[(&str, &[&str])] = &[{known}];\n"
    ))
}

fn service_line(service: &Service, metadata: &Value) -> String {
    let text = |key: &str| metadata[key].as_str().unwrap_or_default();
    let signing = metadata["signingName"].as_str().unwrap_or(text("endpointPrefix"));
    let namespace = match service.protocol {
        // The model leaves out the slash that EC2's answers carry.
        Protocol::Ec2 => format!("{}/", text("xmlNamespace").trim_end_matches('/')),
        _ => text("xmlNamespace").to_owned(),
    };
    format!(
        "Service {{ module: {:?}, signing_name: {signing:?}, api_version: {:?}, \
         target_prefix: {:?}, namespace: {namespace:?}, protocol: Protocol::{:?} }},\n",
        service.module,
        text("apiVersion"),
        text("targetPrefix"),
        service.protocol,
    )
}

fn operation(service: &Service, model: &Value, name: &str) -> Result<String> {
    let operation = &model["operations"][name];
    let http = &operation["http"];
    let method = http["method"].as_str().context("no method")?;
    let uri = http["requestUri"].as_str().context("no path")?;
    let success = http["responseCode"].as_u64().unwrap_or(200);
    let query = match operation["input"]["shape"].as_str() {
        Some(shape) => query_members(model, shape),
        None => String::new(),
    };
    let has_output = operation["output"].is_object();
    Ok(format!(
        "Operation {{ service: {:?}, name: {name:?}, protocol: Protocol::{:?}, \
         method: {method:?}, uri: {uri:?}, success: {success}, query: &[{query}], \
         has_output: {has_output} }},\n",
        service.module, service.protocol,
    ))
}

/// Members that travel in the query string: wire name, and whether it is a list.
fn query_members(model: &Value, shape: &str) -> String {
    let members = model["shapes"][shape]["members"].as_object().into_iter().flatten();
    let in_query = members.filter(|(_, member)| member["location"] == "querystring");
    in_query
        .map(|(name, member)| {
            let wire = member["locationName"].as_str().unwrap_or(name);
            let target = member["shape"].as_str().unwrap_or_default();
            format!("({wire:?}, {}),", model["shapes"][target]["type"] == "list")
        })
        .collect()
}
