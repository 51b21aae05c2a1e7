//! A template: its sections, read from the value tree and checked for everything that needs no
//! parameter values.
//!
//! Left out: whether a resource type or property exists (the deployer's tables know), and whether
//! references hold once conditions are evaluated (`resolve`).

use crate::error::{Position, TemplateError};
use crate::parameters::ParameterDefinition;
use crate::rules::Rule;
use crate::value::{Node, Value};
use crate::{json, limits, references, section, yaml};

/// A template that was read and is well-formed. Sections keep source order.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// `Description`.
    pub description: Option<String>,
    /// `Parameters`.
    pub parameters: Vec<ParameterDefinition>,
    /// `Mappings`: a map of maps of maps to scalars or lists.
    pub mappings: Value,
    /// `Conditions`: name and expression.
    pub conditions: Vec<(String, Value)>,
    /// `Rules`.
    pub rules: Vec<Rule>,
    /// `Resources`.
    pub resources: Vec<Resource>,
    /// `Outputs`.
    pub outputs: Vec<Output>,
    /// `Metadata`, as written.
    pub metadata: Option<Value>,
}

/// One resource as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// Logical id.
    pub logical_id: String,
    /// `Type`, as `AWS::EC2::VPC`.
    pub kind: String,
    /// `Properties`: a map, empty when the template has none; or a call that gives one.
    pub properties: Value,
    /// `DependsOn`, each with its place.
    pub depends_on: Vec<(String, Position)>,
    /// `Condition`.
    pub condition: Option<(String, Position)>,
    /// `DeletionPolicy`.
    pub deletion_policy: Policy,
    /// `UpdateReplacePolicy`.
    pub update_replace_policy: Policy,
    /// `CreationPolicy`.
    pub creation_policy: Option<Value>,
    /// `UpdatePolicy`.
    pub update_policy: Option<Value>,
    /// `Metadata`.
    pub metadata: Option<Value>,
    /// Where the logical id stands.
    pub at: Position,
    /// Where the type stands.
    pub type_at: Position,
}

/// What happens to a physical resource that its stack no longer wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// Delete it; the rule when nothing is said.
    #[default]
    Delete,
    /// Leave it alone.
    Retain,
    /// Leave it alone, unless the operation that created it is rolled back.
    RetainExceptOnCreate,
    /// Take a snapshot, then delete it; types without snapshots are deleted.
    Snapshot,
}

impl Policy {
    /// The policy of this name.
    pub fn from_name(name: &str) -> Option<Policy> {
        Some(match name {
            "Delete" => Policy::Delete,
            "Retain" => Policy::Retain,
            "RetainExceptOnCreate" => Policy::RetainExceptOnCreate,
            "Snapshot" => Policy::Snapshot,
            _ => return None,
        })
    }

    /// The name of this policy.
    pub fn name(self) -> &'static str {
        match self {
            Policy::Delete => "Delete",
            Policy::Retain => "Retain",
            Policy::RetainExceptOnCreate => "RetainExceptOnCreate",
            Policy::Snapshot => "Snapshot",
        }
    }
}

/// One output as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// Name.
    pub name: String,
    /// `Value`.
    pub value: Value,
    /// `Description`.
    pub description: Option<String>,
    /// `Export.Name`.
    pub export: Option<Value>,
    /// `Condition`.
    pub condition: Option<(String, Position)>,
    /// Where the name stands.
    pub at: Position,
}

impl Template {
    /// The resource with this logical id.
    pub fn resource(&self, logical_id: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.logical_id == logical_id)
    }

    /// The capabilities that the caller must acknowledge, by name: `CAPABILITY_NAMED_IAM` when an
    /// IAM resource has a custom name, else `CAPABILITY_IAM` when there is one, else `None`.
    pub fn capability(&self) -> Option<&'static str> {
        let names = ["RoleName", "UserName", "GroupName", "InstanceProfileName"];
        let mut iam = self.resources.iter().filter(|r| r.kind.starts_with("AWS::IAM::")).peekable();
        iam.peek()?;
        // AWS: a policy's PolicyName is not a custom name; ManagedPolicyName is.
        let named = iam.any(|resource| {
            names.iter().chain(&["ManagedPolicyName"]).any(|n| resource.properties.get(n).is_some())
        });
        Some(if named { "CAPABILITY_NAMED_IAM" } else { "CAPABILITY_IAM" })
    }
}

/// Reads and checks a template. Text that starts with `{` is JSON, and YAML when it is not
/// well-formed JSON; everything else is YAML.
///
/// # Errors
/// The first thing wrong, with AWS's words and its place.
pub fn parse(text: &str) -> Result<Template, TemplateError> {
    if text.len() > limits::TEMPLATE_BYTES {
        let limit = limits::TEMPLATE_BYTES;
        let text = format!(
            "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: \
             Member must have length less than or equal to {limit}"
        );
        return Err(TemplateError::new(text));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let root = read(text)?;
    if !matches!(root.node, Node::Map(_)) {
        return Err(TemplateError::at(root.at, "Template format error: unsupported structure."));
    }
    refuse_nulls(&root, "")?;
    let template = section::template(root)?;
    references::check(&template)?;
    Ok(template)
}

fn read(text: &str) -> Result<Value, TemplateError> {
    if !text.trim_start().starts_with('{') {
        return yaml::read(text);
    }
    // AWS: JSON with comments or trailing commas is accepted, for it is YAML.
    json::read(text).or_else(|error| yaml::read(text).map_err(|_| error))
}

fn refuse_nulls(value: &Value, path: &str) -> Result<(), TemplateError> {
    match &value.node {
        Node::Null => {
            let text = format!("[{path}] 'null' values are not allowed in templates");
            Err(TemplateError::at(value.at, text).with_path(path))
        }
        Node::List(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| refuse_nulls(item, &format!("{path}/{index}"))),
        Node::Map(entries) => entries
            .iter()
            .try_for_each(|entry| refuse_nulls(&entry.value, &format!("{path}/{}", entry.key))),
        _ => Ok(()),
    }
}
