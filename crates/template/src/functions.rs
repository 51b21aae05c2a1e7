//! The intrinsic functions on arguments that are fully known.
//!
//! Left out: `Ref`, `Fn::GetAtt`, `Fn::Sub` and `Fn::If`, which need more than their arguments
//! (`evaluate`), and the boolean functions (`conditions`).

use crate::calls::shape;
use crate::cidr;
use crate::error::{Position, TemplateError};
use crate::evaluate::Scope;
use crate::limits;
use crate::value::{Function, Value};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

type Result<T> = std::result::Result<T, TemplateError>;

/// The error for an argument of the wrong shape.
pub fn wrong_shape(function: Function, at: Position) -> TemplateError {
    TemplateError::at(at, shape(function))
}

/// Whether a function may wait until resources exist.
///
/// # Errors
/// It may not.
pub fn may_wait(function: Function, at: Position) -> Result<()> {
    match function {
        Function::ImportValue => Err(TemplateError::at(
            at,
            "Template error: the attribute in Fn::ImportValue must not depend on any resources, \
             imported values, or Fn::GetAZs",
        )),
        Function::Join
        | Function::Select
        | Function::Split
        | Function::FindInMap
        | Function::GetAzs
        | Function::Cidr
        | Function::Base64 => Ok(()),
        _ => Err(only_in_conditions(function, at)),
    }
}

fn only_in_conditions(function: Function, at: Position) -> TemplateError {
    let name = function.key();
    TemplateError::at(at, format!("Template error: {name} is allowed only in Conditions and Rules"))
}

/// Applies `function` to its evaluated argument.
///
/// # Errors
/// The argument has the wrong shape, or names something that does not exist.
pub fn apply(function: Function, argument: &Value, at: Position, scope: &Scope) -> Result<Value> {
    let wrong = || wrong_shape(function, at);
    let items = argument.as_list().unwrap_or_default();
    let texts = || items.iter().map(Value::scalar_text).collect::<Option<Vec<_>>>();
    match (function, items) {
        (Function::Join, [delimiter, list]) => {
            let delimiter = delimiter.as_str().ok_or_else(wrong)?;
            join(delimiter, list.as_list().ok_or_else(wrong)?, at)
        }
        (Function::Select, [index, list]) => {
            let index = index.scalar_text().ok_or_else(wrong)?;
            select(&index, list.as_list().ok_or_else(wrong)?, at)
        }
        (Function::Split, [delimiter, text]) => {
            let text = text.scalar_text().ok_or_else(wrong)?;
            split(delimiter.as_str().ok_or_else(wrong)?, &text, at)
        }
        (Function::FindInMap, [_, _, _]) => {
            find_in_map(&texts().ok_or_else(wrong)?, at, &scope.mappings)
        }
        (Function::Cidr, [_, _, ..]) => {
            let texts = texts().ok_or_else(wrong)?;
            let blocks = cidr::blocks(&texts).ok_or_else(wrong)?;
            Ok(Value::strings(&blocks, at))
        }
        (Function::GetAzs, _) => {
            let region = argument.scalar_text().ok_or_else(wrong)?;
            zones(&region, at, scope)
        }
        (Function::Base64, _) => {
            let text = argument.scalar_text().ok_or_else(wrong)?;
            refuse_long(text.len() / 3 * 4, at)?;
            Ok(Value::string(STANDARD.encode(text), at))
        }
        (Function::ImportValue, _) => {
            let name = argument.scalar_text().ok_or_else(wrong)?;
            let value = scope.context.exports.get(&name).map(|value| Value::string(value, at));
            value.ok_or_else(|| TemplateError::at(at, format!("No export named {name} found.")))
        }
        (
            Function::And
            | Function::Or
            | Function::Not
            | Function::Equals
            | Function::Condition
            | Function::Contains
            | Function::EachMemberEquals
            | Function::EachMemberIn,
            _,
        ) => Err(only_in_conditions(function, at)),
        _ => Err(wrong()),
    }
}

fn join(delimiter: &str, list: &[Value], at: Position) -> Result<Value> {
    let mut result = String::new();
    for (index, item) in list.iter().enumerate() {
        if index > 0 {
            result.push_str(delimiter);
        }
        let text = item.scalar_text().ok_or_else(|| wrong_shape(Function::Join, at))?;
        result.push_str(&text);
        refuse_long(result.len(), at)?;
    }
    Ok(Value::string(result, at))
}

fn select(index: &str, list: &[Value], at: Position) -> Result<Value> {
    let wrong = || wrong_shape(Function::Select, at);
    let number = index.trim().parse::<i64>().map_err(|_| wrong())?;
    let item = usize::try_from(number).ok().and_then(|number| list.get(number));
    let item = item.ok_or_else(|| {
        let text =
            format!("Template error: Fn::Select cannot select nonexistent value at index {index}");
        TemplateError::at(at, text)
    })?;
    Ok(Value { at, ..item.clone() })
}

fn split(delimiter: &str, text: &str, at: Position) -> Result<Value> {
    if delimiter.is_empty() {
        return Err(wrong_shape(Function::Split, at));
    }
    Ok(Value::strings(&text.split(delimiter).collect::<Vec<_>>(), at))
}

fn find_in_map(names: &[String], at: Position, mappings: &Value) -> Result<Value> {
    let [map, top, second] = names else { return Err(wrong_shape(Function::FindInMap, at)) };
    let found = mappings.get(map).ok_or_else(|| missing_map(map, at))?;
    let value = found.get(top).and_then(|found| found.get(second));
    value.map(|value| Value { at, ..value.clone() }).ok_or_else(|| {
        let text = format!("Template error: Unable to get mapping for {map}::{top}::{second}");
        TemplateError::at(at, text)
    })
}

/// A mapping that is not there.
pub fn missing_map(map: &str, at: Position) -> TemplateError {
    let text = format!(
        "Template error: Mapping named '{map}' is not present in the 'Mappings' section of \
         template."
    );
    TemplateError::at(at, text)
}

/// AWS: the empty string means the stack's region; names come in alphabetical order.
fn zones(region: &str, at: Position, scope: &Scope) -> Result<Value> {
    let context = &scope.context;
    let region = if region.is_empty() { &context.region } else { region };
    let zones = context.availability_zones.get(region).ok_or_else(|| {
        let text = format!("Template error: Fn::GetAZs does not know the region {region}");
        TemplateError::at(at, text)
    })?;
    let mut zones = zones.clone();
    zones.sort();
    Ok(Value::strings(&zones, at))
}

/// Refuses a string that grew beyond [`limits::EVALUATED_BYTES`].
///
/// # Errors
/// It did.
pub fn refuse_long(length: usize, at: Position) -> Result<()> {
    if length <= limits::EVALUATED_BYTES {
        return Ok(());
    }
    let limit = limits::EVALUATED_BYTES;
    Err(TemplateError::at(at, format!("Template error: a value grew beyond {limit} bytes.")))
}

/// A piece of an `Fn::Sub` text.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    /// Literal text; `${!Name}` has become `${Name}`.
    Text(String),
    /// `${Name}` or `${Name.Attribute}`.
    Name(String),
}

/// Splits an `Fn::Sub` text.
///
/// # Errors
/// A name has characters that names cannot have.
pub fn sub_parts(text: &str, at: Position) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start + 2..].find('}') else { break };
        let name = &rest[start + 2..start + 2 + length];
        parts.push(Part::Text(rest[..start].to_string()));
        rest = &rest[start + 3 + length..];
        if let Some(literal) = name.strip_prefix('!') {
            parts.push(Part::Text(format!("${{{literal}}}")));
            continue;
        }
        let is_fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':');
        if name.is_empty() || !name.bytes().all(is_fine) {
            return Err(TemplateError::at(
                at,
                "Template error: variable names in Fn::Sub syntax must contain only alphanumeric \
                 characters, underscores, periods, and colons",
            ));
        }
        parts.push(Part::Name(name.to_string()));
    }
    parts.push(Part::Text(rest.to_string()));
    parts.retain(|part| *part != Part::Text(String::new()));
    Ok(parts)
}
