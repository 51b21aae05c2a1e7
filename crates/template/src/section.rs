//! Reads each section of a template from the value tree.
//!
//! Names are checked for form and number here; what they refer to is checked by `references`.

use crate::calls::{Inside, recognise};
use crate::error::{Position, TemplateError};
use crate::limits;
use crate::parameters;
use crate::rules;
use crate::template::{Output, Policy, Resource, Template};
use crate::value::{Entry, Node, Value};

const SECTIONS: [&str; 9] = [
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Parameters",
    "Mappings",
    "Conditions",
    "Rules",
    "Resources",
    "Outputs",
];

type Result<T> = std::result::Result<T, TemplateError>;

/// The template under the root map.
pub fn template(root: Value) -> Result<Template> {
    refuse_unknown_sections(&root)?;
    version(&root)?;
    let named = |name: &str| root.get(name);
    let conditions = section(&root, "Conditions", "Condition", limits::RESOURCES)?;
    let rules = section(&root, "Rules", "Rule", limits::PARAMETERS)?;
    let parameters = section(&root, "Parameters", "Parameter", limits::PARAMETERS)?;
    let outputs = section(&root, "Outputs", "Output", limits::OUTPUTS)?;
    Ok(Template {
        description: named("Description").map(description).transpose()?,
        parameters: parameters.iter().map(parameters::definition).collect::<Result<_>>()?,
        mappings: mappings(&root)?,
        conditions: conditions
            .iter()
            .map(|entry| {
                let path = format!("/Conditions/{}", entry.key);
                let value = recognise(entry.value.clone(), Inside::Conditions, &path)?;
                Ok((entry.key.clone(), value))
            })
            .collect::<Result<_>>()?,
        rules: rules.iter().map(rules::read).collect::<Result<_>>()?,
        resources: resources(&root)?,
        outputs: outputs.iter().map(output).collect::<Result<_>>()?,
        metadata: named("Metadata").cloned(),
    })
}

fn refuse_unknown_sections(root: &Value) -> Result<()> {
    if let Some(value) = root.get("Transform") {
        let name = value.scalar_text().unwrap_or_else(|| "list".to_string());
        let text = format!("Transform {name} is not supported by Breezeway: expand it first.");
        return Err(TemplateError::at(value.at, text).with_path("/Transform"));
    }
    let unknown: Vec<&Entry> =
        root.entries().iter().filter(|entry| !SECTIONS.contains(&entry.key.as_str())).collect();
    let Some(first) = unknown.first() else { return Ok(()) };
    let names: Vec<&str> = unknown.iter().map(|entry| entry.key.as_str()).collect();
    let text = format!("Invalid template property or properties [{}]", names.join(", "));
    Err(TemplateError::at(first.at, text).with_path(format!("/{}", first.key)))
}

fn version(root: &Value) -> Result<()> {
    match root.get("AWSTemplateFormatVersion") {
        Some(value) if value.as_str() != Some("2010-09-09") => Err(format_error(
            value.at,
            "/AWSTemplateFormatVersion",
            "unsupported value for AWSTemplateFormatVersion.",
        )),
        _ => Ok(()),
    }
}

fn description(value: &Value) -> Result<String> {
    let path = "/Description";
    let text = value
        .as_str()
        .ok_or_else(|| format_error(value.at, path, "Description must be a string."))?;
    if text.len() > limits::DESCRIPTION_BYTES {
        let limit = limits::DESCRIPTION_BYTES;
        let text = format!("Description length exceeds the maximum allowed, {limit} bytes.");
        return Err(format_error(value.at, path, &text));
    }
    Ok(text.to_string())
}

/// The entries of a section whose names are alphanumeric; none when it is absent.
fn section<'a>(root: &'a Value, name: &str, noun: &str, limit: usize) -> Result<&'a [Entry]> {
    let Some(value) = root.get(name) else { return Ok(&[]) };
    let path = format!("/{name}");
    let Node::Map(entries) = &value.node else {
        return Err(format_error(value.at, &path, &format!("{name} section must be an object.")));
    };
    if entries.len() > limit {
        let text = format!(
            "Number of {}, {}, is greater than maximum allowed, {limit}",
            name.to_lowercase(),
            entries.len()
        );
        return Err(format_error(value.at, &path, &text));
    }
    for entry in entries {
        let path = format!("{path}/{}", entry.key);
        if entry.key.is_empty() || !entry.key.bytes().all(|b| b.is_ascii_alphanumeric()) {
            let text = format!("{noun} name {} is non alphanumeric.", entry.key);
            return Err(format_error(entry.at, &path, &text));
        }
        if entry.key.len() > limits::NAME_CHARACTERS {
            let limit = limits::NAME_CHARACTERS;
            let text = format!("{noun} name is longer than {limit} characters.");
            return Err(format_error(entry.at, &path, &text));
        }
    }
    Ok(entries)
}

fn mappings(root: &Value) -> Result<Value> {
    let maps = section(root, "Mappings", "Mappings attribute", limits::MAPPINGS)?;
    for map in maps {
        let path = format!("/Mappings/{}", map.key);
        let not_map = format!("Every Mappings member {} must be a map", map.key);
        let Node::Map(tops) = &map.value.node else {
            return Err(format_error(map.value.at, &path, &not_map));
        };
        if tops.len() > limits::MAPPING_ATTRIBUTES {
            let limit = limits::MAPPING_ATTRIBUTES;
            let text = format!("Mapping {} has more than {limit} attributes.", map.key);
            return Err(format_error(map.at, &path, &text));
        }
        for top in tops {
            let path = format!("{path}/{}", top.key);
            let Node::Map(seconds) = &top.value.node else {
                return Err(format_error(top.value.at, &path, &not_map));
            };
            if let Some(bad) = seconds.iter().find(|second| !is_mapped(&second.value)) {
                let text = "Every Mappings attribute must be a String or a List.";
                return Err(format_error(bad.at, &format!("{path}/{}", bad.key), text));
            }
        }
    }
    let at = root.get("Mappings").map_or(root.at, |value| value.at);
    Ok(Value { node: Node::Map(maps.to_vec()), at })
}

fn is_mapped(value: &Value) -> bool {
    match &value.node {
        Node::List(items) => items.iter().all(|item| item.scalar_text().is_some()),
        _ => value.scalar_text().is_some(),
    }
}

fn resources(root: &Value) -> Result<Vec<Resource>> {
    let entries = section(root, "Resources", "Resource", limits::RESOURCES)?;
    if entries.is_empty() {
        let at = root.get("Resources").map_or(root.at, |value| value.at);
        let text = "At least one Resources member must be defined.";
        return Err(format_error(at, "/Resources", text));
    }
    entries.iter().map(resource).collect()
}

fn resource(entry: &Entry) -> Result<Resource> {
    let path = format!("/Resources/{}", entry.key);
    let Node::Map(attributes) = &entry.value.node else {
        return Err(format_error(entry.value.at, &path, "Any Resources member must be an object."));
    };
    let no_type = format!("[{path}] Every Resources object must contain a Type member.");
    let kind = entry.value.get("Type").ok_or_else(|| format_error(entry.at, &path, &no_type))?;
    let type_at = kind.at;
    let mut resource = Resource {
        logical_id: entry.key.clone(),
        kind: text_of(kind, &format!("{path}/Type"), "Every Type member must be a string.")?,
        properties: Value { node: Node::Map(Vec::new()), at: entry.value.at },
        depends_on: Vec::new(),
        condition: None,
        deletion_policy: Policy::Delete,
        update_replace_policy: Policy::Delete,
        creation_policy: None,
        update_policy: None,
        metadata: None,
        at: entry.at,
        type_at,
    };
    for attribute in attributes {
        set_attribute(&mut resource, attribute, &format!("{path}/{}", attribute.key))?;
    }
    Ok(resource)
}

fn set_attribute(resource: &mut Resource, attribute: &Entry, path: &str) -> Result<()> {
    let value = &attribute.value;
    let tree = || recognise(value.clone(), Inside::Elsewhere, path);
    match attribute.key.as_str() {
        "Type" => {}
        "Properties" => {
            resource.properties = tree()?;
            if !matches!(resource.properties.node, Node::Map(_) | Node::Call(..)) {
                return Err(format_error(value.at, path, "Every Properties member must be a map."));
            }
        }
        "DependsOn" => resource.depends_on = depends_on(value, path)?,
        "Condition" => resource.condition = Some(condition(value, path)?),
        "DeletionPolicy" => resource.deletion_policy = policy(attribute, path)?,
        "UpdateReplacePolicy" => {
            resource.update_replace_policy = policy(attribute, path)?;
            if resource.update_replace_policy == Policy::RetainExceptOnCreate {
                let text = "Unrecognized UpdateReplacePolicy RetainExceptOnCreate";
                return Err(format_error(value.at, path, text));
            }
        }
        "CreationPolicy" => resource.creation_policy = Some(tree()?),
        "UpdatePolicy" => resource.update_policy = Some(tree()?),
        "Metadata" => resource.metadata = Some(tree()?),
        // AWS: Version belongs to custom resources; it has no effect on the others.
        "Version" => {}
        name => {
            let text = format!("Invalid template resource property '{name}'");
            return Err(TemplateError::at(attribute.at, text).with_path(path));
        }
    }
    Ok(())
}

fn depends_on(value: &Value, path: &str) -> Result<Vec<(String, Position)>> {
    let text = "DependsOn must be a string or list of strings.";
    let one = |item: &Value| Ok((text_of(item, path, text)?, item.at));
    match &value.node {
        Node::List(items) => items.iter().map(one).collect(),
        _ => Ok(vec![one(value)?]),
    }
}

fn condition(value: &Value, path: &str) -> Result<(String, Position)> {
    Ok((text_of(value, path, "Every Condition member must be a string.")?, value.at))
}

fn policy(attribute: &Entry, path: &str) -> Result<Policy> {
    let name = &attribute.key;
    let text = format!("Every {name} member must be a string.");
    let policy = text_of(&attribute.value, path, &text)?;
    Policy::from_name(&policy).ok_or_else(|| {
        let text = format!("Unrecognized {name} {policy}");
        format_error(attribute.value.at, path, &text)
    })
}

fn output(entry: &Entry) -> Result<Output> {
    let path = format!("/Outputs/{}", entry.key);
    let Node::Map(members) = &entry.value.node else {
        let text = format!("Output {} is malformed!", entry.key);
        return Err(format_error(entry.value.at, &path, &text));
    };
    let no_value = "Every Outputs member must contain a Value object";
    let value = entry.value.get("Value").ok_or_else(|| format_error(entry.at, &path, no_value))?;
    let value = recognise(value.clone(), Inside::Elsewhere, &format!("{path}/Value"))?;
    let name = entry.key.clone();
    let at = entry.at;
    let mut output = Output { name, value, description: None, export: None, condition: None, at };
    for member in members {
        let path = format!("{path}/{}", member.key);
        match member.key.as_str() {
            "Value" => {}
            "Description" => {
                let text = "Every Description member must be a string.";
                output.description = Some(text_of(&member.value, &path, text)?);
            }
            "Condition" => output.condition = Some(condition(&member.value, &path)?),
            "Export" => output.export = Some(export(&member.value, &path)?),
            name => {
                let text = format!("Invalid template output property '{name}'");
                return Err(TemplateError::at(member.at, text).with_path(path));
            }
        }
    }
    Ok(output)
}

fn export(value: &Value, path: &str) -> Result<Value> {
    match (value.entries(), value.get("Name")) {
        ([_], Some(name)) => recognise(name.clone(), Inside::Elsewhere, &format!("{path}/Name")),
        _ => Err(format_error(value.at, path, "Every Export member must contain a Name.")),
    }
}

fn text_of(value: &Value, path: &str, message: &str) -> Result<String> {
    value.as_str().map(str::to_string).ok_or_else(|| format_error(value.at, path, message))
}

/// `Template format error: …` at a place and a path.
pub fn format_error(at: Position, path: &str, message: &str) -> TemplateError {
    TemplateError::at(at, format!("Template format error: {message}")).with_path(path)
}
