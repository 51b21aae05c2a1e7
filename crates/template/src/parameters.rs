//! Parameters: their definitions, and the values that a stack operation gives them.
//!
//! What only the account knows is an argument: whether an id exists, and what a Systems Manager
//! parameter holds. Previous values of an update are the caller's to fill in.

use crate::error::{Position, TemplateError};
use crate::limits;
use crate::section::format_error;
use crate::value::{Entry, Node, Value};
use regex::RegexBuilder;
use std::collections::BTreeMap;

type Result<T> = std::result::Result<T, TemplateError>;

/// A parameter's type.
#[derive(Clone, Debug, PartialEq)]
pub enum ParameterType {
    /// `String`
    String,
    /// `Number`
    Number,
    /// `CommaDelimitedList`, `List<String>`
    Strings,
    /// `List<Number>`
    Numbers,
    /// An id that must exist, as `AWS::EC2::VPC::Id`.
    Id(String),
    /// A list of ids that must exist.
    Ids(String),
    /// `AWS::SSM::Parameter::Name`: a key that must exist.
    SsmName,
    /// `AWS::SSM::Parameter::Value<…>`: a key; `Ref` gives what is stored there.
    SsmValue(Box<ParameterType>),
}

/// A parameter as the template defines it.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterDefinition {
    /// Name.
    pub name: String,
    /// `Type`, understood.
    pub kind: ParameterType,
    /// `Type`, as written.
    pub type_name: String,
    /// `Default`.
    pub default: Option<String>,
    /// `AllowedValues`; empty when any value is.
    pub allowed_values: Vec<String>,
    /// `AllowedPattern`; the whole value must match.
    pub allowed_pattern: Option<String>,
    /// `MinLength`, in characters.
    pub min_length: Option<f64>,
    /// `MaxLength`, in characters.
    pub max_length: Option<f64>,
    /// `MinValue`.
    pub min_value: Option<f64>,
    /// `MaxValue`.
    pub max_value: Option<f64>,
    /// `Description`.
    pub description: Option<String>,
    /// `ConstraintDescription`.
    pub constraint_description: Option<String>,
    /// `NoEcho`: Describe calls show `****`.
    pub no_echo: bool,
    /// Where the name stands.
    pub at: Position,
}

/// What the caller knows.
pub struct ParameterInputs<'a> {
    /// Given values by name.
    pub given: &'a BTreeMap<String, String>,
    /// Values in the parameter store, by key; see [`store_keys`].
    pub stored: &'a BTreeMap<String, String>,
    /// `(type, id)`: does an id of a type like `AWS::EC2::VPC::Id` exist here?
    pub exists: &'a dyn Fn(&str, &str) -> bool,
}

/// A parameter with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterValue {
    /// As given, or the default.
    pub raw: String,
    /// What the parameter store holds, for its types.
    pub resolved: Option<String>,
    /// What `Ref` gives: a string, or a list of strings.
    pub node: Node,
    /// Show `****` in place of the value.
    pub no_echo: bool,
}

/// The id types whose existence AWS checks.
const IDS: [&str; 11] = [
    "AWS::EC2::AvailabilityZone::Name",
    "AWS::EC2::Image::Id",
    "AWS::EC2::Instance::Id",
    "AWS::EC2::KeyPair::KeyName",
    "AWS::EC2::SecurityGroup::GroupName",
    "AWS::EC2::SecurityGroup::Id",
    "AWS::EC2::Subnet::Id",
    "AWS::EC2::Volume::Id",
    "AWS::EC2::VPC::Id",
    "AWS::Route53::HostedZone::Id",
    "AWS::S3::Bucket::Name",
];

fn kind(name: &str) -> Option<ParameterType> {
    let inside = |prefix: &str| name.strip_prefix(prefix)?.strip_suffix('>');
    if let Some(inner) = inside("AWS::SSM::Parameter::Value<") {
        let inner = kind(inner)?;
        // AWS: lists of Parameter Store types, and Number, are not supported.
        let fits = !matches!(
            inner,
            ParameterType::SsmValue(_)
                | ParameterType::SsmName
                | ParameterType::Number
                | ParameterType::Numbers
        );
        return fits.then(|| ParameterType::SsmValue(Box::new(inner)));
    }
    Some(match name {
        "String" => ParameterType::String,
        "Number" => ParameterType::Number,
        "CommaDelimitedList" | "List<String>" => ParameterType::Strings,
        "List<Number>" => ParameterType::Numbers,
        "AWS::SSM::Parameter::Name" => ParameterType::SsmName,
        id if IDS.contains(&id) => ParameterType::Id(id.to_string()),
        _ => {
            let id = inside("List<").filter(|id| IDS.contains(id))?;
            ParameterType::Ids(id.to_string())
        }
    })
}

/// Reads one entry of the Parameters section.
///
/// # Errors
/// An unknown type or attribute, a default that breaks its own constraints.
pub(crate) fn definition(entry: &Entry) -> Result<ParameterDefinition> {
    let path = format!("/Parameters/{}", entry.key);
    let Node::Map(attributes) = &entry.value.node else {
        let text = "Any Parameters member must be an object.";
        return Err(format_error(entry.value.at, &path, text));
    };
    let no_type = "Every Parameters object must contain a Type member.";
    let kind_at = entry.value.get("Type").ok_or_else(|| format_error(entry.at, &path, no_type))?;
    let type_name = kind_at.scalar_text().unwrap_or_default();
    let unknown = || {
        let text = format!("Unrecognized parameter type: {type_name}");
        format_error(kind_at.at, &format!("{path}/Type"), &text)
    };
    let mut definition = ParameterDefinition {
        name: entry.key.clone(),
        kind: kind(&type_name).ok_or_else(unknown)?,
        type_name: type_name.clone(),
        default: None,
        allowed_values: Vec::new(),
        allowed_pattern: None,
        min_length: None,
        max_length: None,
        min_value: None,
        max_value: None,
        description: None,
        constraint_description: None,
        no_echo: false,
        at: entry.at,
    };
    for attribute in attributes {
        set_attribute(&mut definition, attribute, &format!("{path}/{}", attribute.key))?;
    }
    if let Some(default) = &definition.default {
        check(&definition, default).map_err(|error| TemplateError {
            at: Some(entry.at),
            path,
            ..error
        })?;
    }
    Ok(definition)
}

fn set_attribute(definition: &mut ParameterDefinition, entry: &Entry, path: &str) -> Result<()> {
    let value = &entry.value;
    let bad = |wanted: &str| {
        let text = format!("Every {} member must be a {wanted}.", entry.key);
        format_error(value.at, path, &text)
    };
    let text = || value.scalar_text().ok_or_else(|| bad("string"));
    let number = || {
        let number = value.scalar_text().and_then(|text| text.parse::<f64>().ok());
        number.filter(|number| number.is_finite()).ok_or_else(|| bad("number")).map(Some)
    };
    match entry.key.as_str() {
        "Type" => {}
        "Default" => definition.default = Some(text()?),
        "AllowedValues" => {
            let items = value.as_list().ok_or_else(|| bad("list"))?;
            let texts = items.iter().map(Value::scalar_text).collect::<Option<_>>();
            definition.allowed_values = texts.ok_or_else(|| bad("list of strings"))?;
        }
        "AllowedPattern" => {
            let pattern = text()?;
            whole(&pattern).map_err(|text| format_error(value.at, path, &text))?;
            definition.allowed_pattern = Some(pattern);
        }
        "MinLength" => definition.min_length = number()?,
        "MaxLength" => definition.max_length = number()?,
        "MinValue" => definition.min_value = number()?,
        "MaxValue" => definition.max_value = number()?,
        "Description" => definition.description = Some(text()?),
        "ConstraintDescription" => definition.constraint_description = Some(text()?),
        "NoEcho" => definition.no_echo = value.scalar_bool().ok_or_else(|| bad("boolean"))?,
        name => {
            let text = format!("Invalid template parameter property '{name}'");
            return Err(TemplateError::at(entry.at, text).with_path(path));
        }
    }
    Ok(())
}

/// The pattern for a whole value.
// DEVIATION: AllowedPattern is matched without look-around and back-references, which AWS's
// Java expressions have; such a pattern is refused when the template is read.
fn whole(pattern: &str) -> std::result::Result<regex::Regex, String> {
    RegexBuilder::new(&format!("^(?:{pattern})$"))
        .size_limit(1 << 20)
        .build()
        .map_err(|_| format!("AllowedPattern {pattern} is not a supported regular expression."))
}

/// The parameter store keys that the given values and defaults name, in order of the template.
pub fn store_keys(
    definitions: &[ParameterDefinition],
    given: &BTreeMap<String, String>,
) -> Vec<String> {
    let stored = |d: &&ParameterDefinition| {
        matches!(d.kind, ParameterType::SsmValue(_) | ParameterType::SsmName)
    };
    definitions
        .iter()
        .filter(stored)
        .filter_map(|d| given.get(&d.name).or(d.default.as_ref()).cloned())
        .collect()
}

/// Checks the given values against the definitions and gives every parameter its value.
///
/// # Errors
/// Unknown names, missing values, a broken constraint, an id or key that does not exist.
pub fn resolve(
    definitions: &[ParameterDefinition],
    inputs: &ParameterInputs<'_>,
) -> Result<BTreeMap<String, ParameterValue>> {
    let known = |name: &&String| definitions.iter().any(|d| d.name == **name);
    let unknown: Vec<&str> =
        inputs.given.keys().filter(|name| !known(name)).map(String::as_str).collect();
    if !unknown.is_empty() {
        let names = unknown.join(", ");
        let text = format!("Parameters: [{names}] do not exist in the template");
        return Err(TemplateError::new(text));
    }
    let value = |d: &ParameterDefinition| inputs.given.get(&d.name).or(d.default.as_ref()).cloned();
    let missing: Vec<&str> =
        definitions.iter().filter(|d| value(d).is_none()).map(|d| d.name.as_str()).collect();
    if !missing.is_empty() {
        let names = missing.join(", ");
        return Err(TemplateError::new(format!("Parameters: [{names}] must have values")));
    }
    let keys = store_keys(definitions, inputs.given);
    let absent: Vec<String> =
        keys.into_iter().filter(|key| !inputs.stored.contains_key(key)).collect();
    if !absent.is_empty() {
        let text = format!(
            "Unable to fetch parameters [{}] from parameter store for this account.",
            absent.join(",")
        );
        return Err(TemplateError::new(text));
    }
    definitions
        .iter()
        .map(|d| Ok((d.name.clone(), resolve_one(d, value(d).unwrap_or_default(), inputs)?)))
        .collect()
}

fn resolve_one(
    definition: &ParameterDefinition,
    raw: String,
    inputs: &ParameterInputs<'_>,
) -> Result<ParameterValue> {
    check(definition, &raw).map_err(|error| error.with_path(&definition.name))?;
    let (kind, resolved) = match &definition.kind {
        ParameterType::SsmValue(inner) => (inner.as_ref(), inputs.stored.get(&raw).cloned()),
        kind => (kind, None),
    };
    let text = resolved.as_deref().unwrap_or(&raw);
    let items = items(kind, text);
    if let ParameterType::Id(id) | ParameterType::Ids(id) = kind
        && let Some(absent) = items.iter().find(|item| !(inputs.exists)(id, item))
    {
        let text = format!(
            "Parameter validation failed: parameter value {absent} for parameter name {} \
             does not exist",
            definition.name
        );
        return Err(TemplateError::new(text).with_path(&definition.name));
    }
    let node = if is_list(kind) {
        Value::strings(&items, definition.at).node
    } else {
        Node::String(text.to_string())
    };
    Ok(ParameterValue { raw, resolved, node, no_echo: definition.no_echo })
}

fn is_list(kind: &ParameterType) -> bool {
    matches!(kind, ParameterType::Strings | ParameterType::Numbers | ParameterType::Ids(_))
}

/// AWS: lists are split at commas and each element is trimmed.
fn items(kind: &ParameterType, text: &str) -> Vec<String> {
    if is_list(kind) {
        text.split(',').map(|item| item.trim().to_string()).collect()
    } else {
        vec![text.to_string()]
    }
}

/// Checks one value against the constraints of its definition.
fn check(definition: &ParameterDefinition, text: &str) -> Result<()> {
    let name = &definition.name;
    if text.len() > limits::PARAMETER_BYTES {
        let limit = limits::PARAMETER_BYTES;
        let text = format!("Parameter '{name}' must be at most {limit} bytes.");
        return Err(TemplateError::new(text));
    }
    for item in items(&definition.kind, text) {
        if let Some(broken) = broken(definition, &item) {
            let text = match &definition.constraint_description {
                Some(described) => {
                    format!("Parameter {name} failed to satisfy constraint: {described}")
                }
                None => format!("Parameter '{name}' {broken}"),
            };
            return Err(TemplateError::new(text));
        }
    }
    Ok(())
}

/// The constraint that one element breaks, in words.
fn broken(definition: &ParameterDefinition, item: &str) -> Option<String> {
    let numeric = matches!(definition.kind, ParameterType::Number | ParameterType::Numbers);
    if numeric {
        let Some(number) = item.parse::<f64>().ok().filter(|number| number.is_finite()) else {
            return Some("must be a number.".to_string());
        };
        if let Some(min) = definition.min_value.filter(|min| number < *min) {
            return Some(format!("must be a number not less than {min}"));
        }
        if let Some(max) = definition.max_value.filter(|max| number > *max) {
            return Some(format!("must be a number not greater than {max}"));
        }
    }
    if !definition.allowed_values.is_empty()
        && !definition.allowed_values.iter().any(|allowed| allowed.trim() == item)
        && !definition.allowed_values.iter().any(|allowed| allowed == item)
    {
        return Some("must be one of AllowedValues".to_string());
    }
    #[allow(clippy::cast_precision_loss)] // A value has at most 4096 characters.
    let length = item.chars().count() as f64;
    if let Some(min) = definition.min_length.filter(|min| length < *min) {
        return Some(format!("must contain at least {min} characters"));
    }
    if let Some(max) = definition.max_length.filter(|max| length > *max) {
        return Some(format!("must contain at most {max} characters"));
    }
    let pattern = definition.allowed_pattern.as_ref()?;
    let matches = whole(pattern).is_ok_and(|whole| whole.is_match(item));
    (!matches).then(|| format!("must match pattern {pattern}"))
}
