//! Decides what is generated for a service: which structures, with which names and members.
//! Pure; the text is written by `emit`, constraints by `rules`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::names;
use super::spec::{Protocol, Required, Service};

/// Everything that is generated for one service.
pub struct Plan<'a> {
    /// Its entry in operations.toml.
    pub service: &'a Service,
    /// The whole model.
    pub model: &'a Value,
    /// Inputs of operations, in the order of the allow-list.
    pub inputs: Vec<Root>,
    /// Outputs of operations, in the same order.
    pub outputs: Vec<Root>,
    /// Structures inside them, by name.
    pub types: Vec<Struct>,
}

/// An operation's input or output.
pub enum Root {
    /// A structure of its own.
    Struct(Struct),
    /// A structure that others use, too: an alias and its target.
    Alias(String, String),
}

/// A structure to generate.
pub struct Struct {
    /// Rust name.
    pub name: String,
    /// Read from requests.
    pub input: bool,
    /// Written to responses.
    pub output: bool,
    /// Members in the model's order.
    pub members: Vec<Member>,
}

/// A member of a structure.
pub struct Member {
    /// Rust name.
    pub field: String,
    /// Rust type without `Option`.
    pub rust: String,
    /// Whether it is a plain type and its absence an error.
    pub required: bool,
    /// Name in requests.
    pub input_name: String,
    /// Name in responses.
    pub output_name: String,
    /// The shape it has, whose constraints apply.
    pub shape: String,
}

#[derive(Default, Clone, Copy)]
struct Usage {
    input: bool,
    output: bool,
}

impl<'a> Plan<'a> {
    /// Plans a service.
    pub fn new(service: &'a Service, model: &'a Value) -> Result<Plan<'a>> {
        let mut planner = Planner { service, model, usage: BTreeMap::new() };
        let mut roots: BTreeMap<&str, usize> = BTreeMap::new();
        for name in &service.operations {
            let operation = planner.operation(name)?;
            for (side, input) in [("input", true), ("output", false)] {
                if let Some(shape) = operation[side]["shape"].as_str() {
                    *roots.entry(shape).or_default() += 1;
                    planner.check_carried(name, shape)?;
                    planner.walk(shape, input)?;
                }
            }
        }
        let nested = planner.nested()?;
        let own = |shape: &str| roots.get(shape) == Some(&1) && !nested.contains(shape);
        let mut inputs = Vec::new();
        let mut outputs = Vec::new();
        for name in &service.operations {
            let operation = planner.operation(name)?;
            inputs.push(planner.root(name, &operation["input"], true, &own)?);
            outputs.push(planner.root(name, &operation["output"], false, &own)?);
        }
        let mut types = Vec::new();
        for (shape, usage) in planner.usage.iter().filter(|(shape, _)| !own(shape)) {
            types.push(planner.structure(&names::structure(shape), shape, *usage)?);
        }
        let plan = Plan { service, model, inputs, outputs, types };
        plan.check_names()?;
        Ok(plan)
    }

    /// All structures.
    pub fn structs(&self) -> impl Iterator<Item = &Struct> {
        let roots = self.inputs.iter().chain(&self.outputs);
        let roots = roots.filter_map(|root| match root {
            Root::Struct(structure) => Some(structure),
            Root::Alias(..) => None,
        });
        roots.chain(&self.types)
    }

    fn check_names(&self) -> Result<()> {
        let mut seen = BTreeSet::new();
        for structure in self.structs() {
            ensure!(seen.insert(&structure.name), "two structures called {}", structure.name);
            let reserved = ["String", "Vec", "Option", "Box", "Time", "BTreeMap", "Node", "Fault"];
            ensure!(!reserved.contains(&&*structure.name), "reserved name {}", structure.name);
        }
        Ok(())
    }
}

struct Planner<'a> {
    service: &'a Service,
    model: &'a Value,
    /// Structures by shape name.
    usage: BTreeMap<String, Usage>,
}

impl<'a> Planner<'a> {
    fn operation(&self, name: &str) -> Result<&'a Value> {
        self.model["operations"].get(name).with_context(|| format!("no operation {name}"))
    }

    fn shape(&self, name: &str) -> Result<&'a Value> {
        self.model["shapes"].get(name).with_context(|| format!("no shape {name}"))
    }

    /// The members of a structure that operations.toml leaves in.
    fn members(&self, shape: &str) -> Result<Vec<(&'a String, &'a Value)>> {
        let members = self.shape(shape)?["members"].as_object();
        let members = members.with_context(|| format!("{shape} has no members"))?;
        let listed = |lists: &BTreeMap<String, Vec<String>>, name: &String| {
            lists.get(shape).map(|list| list.contains(name))
        };
        for list in [self.service.keep.get(shape), self.service.skip.get(shape)] {
            let unknown = list.into_iter().flatten().find(|name| !members.contains_key(*name));
            if let Some(name) = unknown {
                bail!("{shape} has no member {name}");
            }
        }
        let left = |name: &String| {
            listed(&self.service.keep, name).unwrap_or(true)
                && !listed(&self.service.skip, name).unwrap_or(false)
        };
        Ok(members.iter().filter(|(name, _)| left(name)).collect())
    }

    /// Refuses what `wire::protocol::rest_json` cannot carry.
    fn check_carried(&self, operation: &str, shape: &str) -> Result<()> {
        ensure!(
            self.shape(shape)?["payload"].is_null(),
            "{operation}: a body that is one member is not supported yet"
        );
        for (name, member) in self.members(shape)? {
            let location = member["location"].as_str().unwrap_or("uri");
            ensure!(
                ["uri", "querystring"].contains(&location),
                "{operation}: {name} travels in {location:?}, which is not supported yet"
            );
        }
        Ok(())
    }

    /// Marks every structure below `shape`.
    fn walk(&mut self, shape: &str, input: bool) -> Result<()> {
        for below in self.below(shape)? {
            self.walk(&below, input)?;
        }
        if self.shape(shape)?["type"] != "structure" {
            return Ok(());
        }
        let usage = self.usage.entry(shape.to_owned()).or_default();
        let seen = if input { &mut usage.input } else { &mut usage.output };
        if std::mem::replace(seen, true) {
            return Ok(());
        }
        for (_, member) in self.members(shape)? {
            self.walk(target(member)?, input)?;
        }
        Ok(())
    }

    /// The shapes directly inside a list or map.
    fn below(&self, shape: &str) -> Result<Vec<String>> {
        let shape = self.shape(shape)?;
        let parts = [&shape["member"], &shape["value"]];
        parts.into_iter().filter(|part| part.is_object()).map(|p| Ok(target(p)?.into())).collect()
    }

    /// Structures that are members of others.
    fn nested(&self) -> Result<BTreeSet<String>> {
        let mut nested = BTreeSet::new();
        for shape in self.usage.keys() {
            let mut open: Vec<String> = Vec::new();
            for (_, member) in self.members(shape)? {
                open.push(target(member)?.to_owned());
            }
            while let Some(next) = open.pop() {
                open.extend(self.below(&next)?);
                nested.insert(next);
            }
        }
        Ok(nested)
    }

    fn root(
        &self,
        operation: &str,
        side: &Value,
        input: bool,
        own: &impl Fn(&str) -> bool,
    ) -> Result<Root> {
        let name = format!("{operation}{}", if input { "Input" } else { "Output" });
        let usage = Usage { input, output: !input };
        let Some(shape) = side["shape"].as_str() else {
            let members = Vec::new();
            return Ok(Root::Struct(Struct { name, input, output: !input, members }));
        };
        if own(shape) {
            return Ok(Root::Struct(self.structure(&name, shape, usage)?));
        }
        Ok(Root::Alias(name, names::structure(shape)))
    }

    fn structure(&self, name: &str, shape: &str, usage: Usage) -> Result<Struct> {
        let required: Vec<&str> = self.shape(shape)?["required"]
            .as_array()
            .map(|list| list.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let mut members = Vec::new();
        for (member_name, member) in self.members(shape)? {
            let target = target(member)?;
            let boxed = self.reaches(target, shape, &mut BTreeSet::new())?;
            let rust = self.rust(target)?;
            members.push(Member {
                field: names::member(member_name),
                rust: if boxed { format!("Box<{rust}>") } else { rust },
                required: usage.input
                    && self.service.required == Required::Check
                    && required.contains(&member_name.as_str()),
                input_name: self.input_name(member_name, member),
                output_name: member["locationName"].as_str().unwrap_or(member_name).to_owned(),
                shape: target.to_owned(),
            });
        }
        Ok(Struct { name: name.into(), input: usage.input, output: usage.output, members })
    }

    /// EC2 names a request's members by `queryName`, else its capitalised `locationName`.
    fn input_name(&self, name: &str, member: &Value) -> String {
        let location = member["locationName"].as_str();
        if self.service.protocol != Protocol::Ec2 {
            return location.unwrap_or(name).to_owned();
        }
        let query = member["queryName"].as_str().map(str::to_owned);
        query.or_else(|| location.map(names::structure)).unwrap_or_else(|| name.to_owned())
    }

    /// Whether a value of `from` holds a `to` without a list or map between them.
    fn reaches(&self, from: &str, to: &str, seen: &mut BTreeSet<String>) -> Result<bool> {
        if self.shape(from)?["type"] != "structure" || !seen.insert(from.to_owned()) {
            return Ok(false);
        }
        if from == to {
            return Ok(true);
        }
        for (_, member) in self.members(from)? {
            if self.reaches(target(member)?, to, seen)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn rust(&self, shape_name: &str) -> Result<String> {
        let shape = self.shape(shape_name)?;
        Ok(match shape["type"].as_str().unwrap_or_default() {
            "string" => "String".into(),
            "integer" | "long" => "i64".into(),
            "double" | "float" => "f64".into(),
            "boolean" => "bool".into(),
            "timestamp" => "Time".into(),
            "blob" => "Vec<u8>".into(),
            "list" => format!("Vec<{}>", self.rust(target(&shape["member"])?)?),
            "map" => format!("BTreeMap<String, {}>", self.rust(target(&shape["value"])?)?),
            "structure" => names::structure(shape_name),
            other => bail!("{shape_name} has the unknown type {other:?}"),
        })
    }
}

fn target(member: &Value) -> Result<&str> {
    member["shape"].as_str().context("a member without a shape")
}
