//! A template with its parameters: which resources exist, with everything evaluated that does not
//! wait for a resource.

use crate::conditions;
use crate::error::{Position, TemplateError};
use crate::evaluate::{Environment, Scope, evaluate};
use crate::parameters::ParameterValue;
use crate::references::{self, Reference, Unresolved};
use crate::rules;
use crate::section::format_error;
use crate::template::{Policy, Resource, Template};
use crate::value::{Node, Value};
use std::collections::{BTreeMap, BTreeSet};

type Result<T> = std::result::Result<T, TemplateError>;

/// What the account and the stack are; the pseudo parameters and what functions look up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Context {
    /// `AWS::AccountId`
    pub account_id: String,
    /// `AWS::Region`
    pub region: String,
    /// `AWS::Partition`, as `aws`
    pub partition: String,
    /// `AWS::URLSuffix`, as `amazonaws.com`
    pub url_suffix: String,
    /// `AWS::StackName`
    pub stack_name: String,
    /// `AWS::StackId`
    pub stack_id: String,
    /// `AWS::NotificationARNs`
    pub notification_arns: Vec<String>,
    /// Zone names by region, for `Fn::GetAZs`.
    pub availability_zones: BTreeMap<String, Vec<String>>,
    /// Exported values by name, for `Fn::ImportValue`.
    pub exports: BTreeMap<String, String>,
}

/// A template with its parameters.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The resources that exist under the conditions, in order of the template.
    pub resources: Vec<ResolvedResource>,
    /// The outputs that exist under the conditions, in order of the template.
    pub outputs: Vec<ResolvedOutput>,
    /// Names of the exports that the template imports.
    pub imports: BTreeSet<String>,
    scope: Scope,
}

/// A resource whose properties may still hold calls that wait for other resources.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedResource {
    /// Logical id.
    pub logical_id: String,
    /// Type, as `AWS::EC2::VPC`.
    pub kind: String,
    /// A map.
    pub properties: Value,
    /// `DependsOn`, without resources that do not exist under the conditions.
    pub depends_on: Vec<String>,
    /// The resources that this one refers to or depends on.
    pub needs: BTreeSet<String>,
    /// `DeletionPolicy`
    pub deletion_policy: Policy,
    /// `UpdateReplacePolicy`
    pub update_replace_policy: Policy,
    /// `CreationPolicy`
    pub creation_policy: Option<Value>,
    /// `UpdatePolicy`
    pub update_policy: Option<Value>,
    /// `Metadata`
    pub metadata: Option<Value>,
    /// Where the logical id stands.
    pub at: Position,
    /// Where the type stands.
    pub type_at: Position,
}

/// An output whose value may still wait for resources.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedOutput {
    /// Name.
    pub name: String,
    /// `Value`
    pub value: Value,
    /// `Description`
    pub description: Option<String>,
    /// `Export.Name`
    pub export: Option<Value>,
    /// Where the name stands.
    pub at: Position,
}

impl Resolved {
    /// The resource with this logical id, if it exists under the conditions.
    pub fn resource(&self, logical_id: &str) -> Option<&ResolvedResource> {
        self.resources.iter().find(|resource| resource.logical_id == logical_id)
    }

    /// Every attribute that resources and outputs ask of a resource: its logical id, the
    /// attribute's name and the place of the question.
    ///
    /// # Errors
    /// An `Fn::Sub` text that is malformed; [`crate::parse`] has refused those.
    pub fn attributes(&self) -> Result<Vec<(String, String, Position)>> {
        let outputs = self.outputs.iter().flat_map(|o| o.export.iter().chain([&o.value]));
        let properties = self.resources.iter().map(|resource| &resource.properties);
        let mut found = Vec::new();
        for value in properties.chain(outputs) {
            references::attributes(value, &mut found)?;
        }
        Ok(found)
    }

    /// Evaluates what is left in `value`, now that resources exist.
    ///
    /// # Errors
    /// `environment` does not know a resource or an attribute, or a function fails.
    pub fn finish(&self, value: &Value, environment: &Environment) -> Result<Value> {
        let finished = evaluate(value, &self.scope, Some(environment))?;
        finished.ok_or_else(|| {
            TemplateError::at(value.at, "Template error: AWS::NoValue has no meaning here")
        })
    }
}

/// Evaluates a template with the values of its parameters.
///
/// # Errors
/// A rule that fails, a function that fails, a reference to a resource whose condition does not
/// hold.
pub fn resolve(
    template: &Template,
    parameters: &BTreeMap<String, ParameterValue>,
    context: &Context,
) -> Result<Resolved> {
    let mut scope = Scope {
        parameters: parameters.iter().map(|(name, v)| (name.clone(), v.node.clone())).collect(),
        context: context.clone(),
        conditions: BTreeMap::new(),
        mappings: template.mappings.clone(),
        resources: BTreeSet::new(),
    };
    rules::check(&template.rules, &scope)?;
    conditions::evaluate_all(&template.conditions, &mut scope)?;
    let exists = |condition: &Option<(String, Position)>| match condition {
        Some((name, at)) => scope.condition(name, *at),
        None => Ok(true),
    };
    let mut active = Vec::new();
    for resource in &template.resources {
        if exists(&resource.condition)? {
            active.push(resource);
        }
    }
    let mut outputs = Vec::new();
    for output in &template.outputs {
        if exists(&output.condition)? {
            outputs.push(output);
        }
    }
    scope.resources = active.iter().map(|resource| resource.logical_id.clone()).collect();
    let mut unresolved = Unresolved::default();
    let resources = active
        .iter()
        .map(|resource| resource_in(resource, &scope, &mut unresolved))
        .collect::<Result<Vec<_>>>()?;
    unresolved.refuse("Resources")?;
    let mut unresolved = Unresolved::default();
    let outputs = outputs
        .iter()
        .map(|output| {
            let export = output.export.as_ref().map(|name| tree(name, &scope)).transpose()?;
            let value = evaluate(&output.value, &scope, None)?.ok_or_else(|| {
                let text = "Every Outputs member must contain a Value object";
                format_error(output.at, &format!("/Outputs/{}", output.name), text)
            })?;
            needs([&value].into_iter().chain(&export), &scope, &mut unresolved)?;
            let (name, description) = (output.name.clone(), output.description.clone());
            Ok(ResolvedOutput { name, value, description, export, at: output.at })
        })
        .collect::<Result<Vec<_>>>()?;
    unresolved.refuse("Outputs")?;
    let imports = imports(&active, &scope)?;
    Ok(Resolved { resources, outputs, imports, scope })
}

/// Names of the exports that the resources import.
fn imports(active: &[&Resource], scope: &Scope) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for resource in active {
        for name in references::imports(&resource.properties) {
            let name = evaluate(name, scope, None)?;
            names.extend(name.as_ref().and_then(Value::scalar_text));
        }
    }
    Ok(names)
}

fn resource_in(
    resource: &Resource,
    scope: &Scope,
    unresolved: &mut Unresolved,
) -> Result<ResolvedResource> {
    let path = format!("/Resources/{}/Properties", resource.logical_id);
    let with_path = |error: TemplateError| error.with_path(&path);
    let properties = tree(&resource.properties, scope).map_err(with_path)?;
    if !matches!(properties.node, Node::Map(_)) {
        let text = "Template format error: Every Properties member must be a map.";
        return Err(TemplateError::at(properties.at, text).with_path(path));
    }
    refuse_dynamic(&properties, &path)?;
    let optional = |value: &Option<Value>| match value {
        Some(value) => evaluate(value, scope, None),
        None => Ok(None),
    };
    let metadata = optional(&resource.metadata)?;
    let creation_policy = optional(&resource.creation_policy)?;
    let update_policy = optional(&resource.update_policy)?;
    let trees = [&metadata, &creation_policy, &update_policy].into_iter().flatten();
    let mut needs = needs(trees.chain([&properties]), scope, unresolved)?;
    // AWS: a dependency on a resource that does not exist under the conditions is ignored.
    let depends_on: Vec<String> = resource
        .depends_on
        .iter()
        .filter(|(name, _)| scope.resources.contains(name))
        .map(|(name, _)| name.clone())
        .collect();
    needs.extend(depends_on.iter().cloned());
    Ok(ResolvedResource {
        logical_id: resource.logical_id.clone(),
        kind: resource.kind.clone(),
        properties,
        depends_on,
        needs,
        deletion_policy: resource.deletion_policy,
        update_replace_policy: resource.update_replace_policy,
        creation_policy,
        update_policy,
        metadata,
        at: resource.at,
        type_at: resource.type_at,
    })
}

/// Evaluates a value that may not be `AWS::NoValue` as a whole; an absent map is an empty one.
fn tree(value: &Value, scope: &Scope) -> Result<Value> {
    let evaluated = evaluate(value, scope, None)?;
    Ok(evaluated.unwrap_or(Value { node: Node::Map(Vec::new()), at: value.at }))
}

/// The resources that the values refer to; those that do not exist are noted as unresolved.
fn needs<'a>(
    values: impl Iterator<Item = &'a Value>,
    scope: &Scope,
    unresolved: &mut Unresolved,
) -> Result<BTreeSet<String>> {
    let mut needs = BTreeSet::new();
    for value in values {
        for (reference, at) in references::of(value)? {
            let name = match reference {
                Reference::Name(name) if scope.lookup(&name).is_some() => continue,
                Reference::Name(name) | Reference::Attribute(name) => name,
                Reference::SubAttribute(name) => {
                    name.split('.').next().unwrap_or_default().to_string()
                }
                Reference::Condition(_) | Reference::Mapping(_) => continue,
            };
            if !scope.resources.contains(&name) {
                unresolved.add(&name, at);
            }
            needs.insert(name);
        }
    }
    Ok(needs)
}

// DEVIATION: dynamic references (`{{resolve:ssm:…}}`, `{{resolve:secretsmanager:…}}`) are refused,
// because there is no parameter store or secrets manager to resolve them in.
fn refuse_dynamic(value: &Value, path: &str) -> Result<()> {
    match &value.node {
        Node::String(text) if text.contains("{{resolve:") => {
            let text = "Dynamic references ({{resolve:…}}) are not supported by Breezeway.";
            Err(TemplateError::at(value.at, text).with_path(path))
        }
        Node::List(items) => items.iter().try_for_each(|item| refuse_dynamic(item, path)),
        Node::Map(entries) => entries
            .iter()
            .try_for_each(|entry| refuse_dynamic(&entry.value, &format!("{path}/{}", entry.key))),
        Node::Call(_, argument) => refuse_dynamic(argument, path),
        _ => Ok(()),
    }
}
