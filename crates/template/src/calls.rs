//! Recognises function calls in a tree and normalises their arguments.
//!
//! A map with the single key `Ref` or `Fn::…` is a call. `Condition` is one only in the sections
//! Conditions and Rules: elsewhere it is an ordinary key (IAM policies have it). After this pass
//! `Fn::GetAtt` holds `[resource, attribute]` and `Fn::Sub` holds `[text, variables]`; the other
//! arguments have been checked for their shape, not for what they refer to.

use crate::error::{Position, TemplateError};
use crate::value::{Entry, FUNCTIONS, Function, Node, Value};

/// Where a value stands, as far as it matters for recognising calls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Inside {
    /// The sections Conditions and Rules.
    Conditions,
    /// Everywhere else.
    Elsewhere,
}

/// Turns the single-key maps that are calls into [`Node::Call`], innermost first.
///
/// # Errors
/// An unknown function, or an argument of the wrong shape, with AWS's words.
pub fn recognise(value: Value, inside: Inside, path: &str) -> Result<Value, TemplateError> {
    let at = value.at;
    let node = match value.node {
        Node::List(items) => {
            let each = |(index, item)| recognise(item, inside, &format!("{path}/{index}"));
            Node::List(items.into_iter().enumerate().map(each).collect::<Result<_, _>>()?)
        }
        Node::Map(mut entries) if entries.len() == 1 && is_call(&entries[0].key, inside) => {
            let Entry { key, value, .. } = entries.remove(0);
            let argument = recognise(value, inside, &format!("{path}/{key}"))?;
            return call(&key, argument, at).map_err(|error| error.with_path(path));
        }
        Node::Map(entries) => {
            let each = |entry: Entry| {
                let value = recognise(entry.value, inside, &format!("{path}/{}", entry.key))?;
                Ok(Entry { value, ..entry })
            };
            Node::Map(entries.into_iter().map(each).collect::<Result<_, _>>()?)
        }
        other => other,
    };
    Ok(Value { node, at })
}

fn is_call(key: &str, inside: Inside) -> bool {
    match key {
        "Condition" => inside == Inside::Conditions,
        "Ref" => true,
        _ => key.starts_with("Fn::"),
    }
}

fn call(key: &str, argument: Value, at: Position) -> Result<Value, TemplateError> {
    let Some(function) = Function::from_key(key) else { return Err(unsupported(key, at)) };
    let Some(argument) = normalise(function, argument) else {
        return Err(TemplateError::at(at, shape(function)));
    };
    Ok(Value { node: Node::Call(function, Box::new(argument)), at })
}

fn unsupported(key: &str, at: Position) -> TemplateError {
    let language = ["Fn::Length", "Fn::ToJsonString"];
    if key == "Fn::Transform" {
        return TemplateError::at(at, "Fn::Transform (macros) is not supported by Breezeway.");
    }
    if language.contains(&key) || key.starts_with("Fn::ForEach::") {
        let text = format!("{key} needs AWS::LanguageExtensions, which Breezeway does not have.");
        return TemplateError::at(at, text);
    }
    let supported: Vec<&str> = FUNCTIONS.iter().map(|(_, name)| *name).collect();
    let supported = supported.join(", ");
    let text = format!(
        "Template error: Encountered unsupported function: {key} \
         Supported functions are: [{supported}]"
    );
    TemplateError::at(at, text)
}

/// The argument in its normal form, or `None` when it has the wrong shape.
fn normalise(function: Function, argument: Value) -> Option<Value> {
    use Function as F;
    let fits = match function {
        F::Ref | F::Condition => argument.as_str().is_some_and(|name| !name.is_empty()),
        F::GetAtt => return get_att(argument),
        F::Sub => return sub(argument),
        F::Join => list_of(&argument, &[is_string, is_list]),
        F::Select => list_of(&argument, &[is_scalar, is_list]),
        F::Split => list_of(&argument, &[is_string, is_scalar]),
        F::FindInMap => list_of(&argument, &[is_scalar, is_scalar, is_scalar]),
        F::GetAzs | F::Base64 | F::ImportValue => is_scalar(&argument),
        F::Cidr => {
            list_of(&argument, &[is_scalar, is_scalar])
                || list_of(&argument, &[is_scalar, is_scalar, is_scalar])
        }
        F::If => list_of(&argument, &[is_string, is_any, is_any]),
        F::And | F::Or => argument.as_list().is_some_and(|items| (2..=10).contains(&items.len())),
        F::Not => list_of(&argument, &[is_any]),
        F::Equals => list_of(&argument, &[is_any, is_any]),
        F::Contains | F::EachMemberEquals => list_of(&argument, &[is_list, is_scalar]),
        F::EachMemberIn => list_of(&argument, &[is_list, is_list]),
    };
    fits.then_some(argument)
}

/// `"a.b.c"` or `[a, "b.c"]`; the attribute name may itself be a `Ref`.
fn get_att(argument: Value) -> Option<Value> {
    if let Some((resource, attribute)) = argument.as_str().and_then(|text| text.split_once('.')) {
        let filled = !resource.is_empty() && !attribute.is_empty();
        return filled.then(|| Value::strings(&[resource, attribute], argument.at));
    }
    let [resource, attribute] = argument.as_list()? else { return None };
    let filled = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    let is_ref = matches!(attribute.node, Node::Call(Function::Ref, _));
    (filled(resource) && (is_ref || filled(attribute))).then_some(argument)
}

/// `"text"` or `["text", {variables}]`.
fn sub(argument: Value) -> Option<Value> {
    let at = argument.at;
    if is_string(&argument) {
        let variables = Value { node: Node::Map(Vec::new()), at };
        return Some(Value { node: Node::List(vec![argument, variables]), at });
    }
    let is_map = |value: &Value| matches!(value.node, Node::Map(_));
    list_of(&argument, &[is_string, is_map]).then_some(argument)
}

fn list_of(argument: &Value, shapes: &[fn(&Value) -> bool]) -> bool {
    argument.as_list().is_some_and(|items| {
        items.len() == shapes.len() && items.iter().zip(shapes).all(|(item, fits)| fits(item))
    })
}

fn is_any(_: &Value) -> bool {
    true
}

fn is_string(value: &Value) -> bool {
    value.as_str().is_some()
}

fn is_scalar(value: &Value) -> bool {
    matches!(value.node, Node::String(_) | Node::Number(_) | Node::Bool(_) | Node::Call(..))
}

fn is_list(value: &Value) -> bool {
    matches!(value.node, Node::List(_) | Node::Call(..))
}

/// AWS's words for an argument of the wrong shape.
pub fn shape(function: Function) -> &'static str {
    use Function as F;
    match function {
        F::Ref => "Template error: every Ref object must have a single String value.",
        F::GetAtt => {
            "Template error: every Fn::GetAtt object requires two non-empty parameters, \
             the resource name and the resource attribute"
        }
        F::Sub => {
            "Template error: One or more Fn::Sub intrinsic functions don't specify expected \
             arguments. Specify a string as first argument, and an optional second argument to \
             specify a mapping of values to replace in the string"
        }
        F::Join => {
            "Template error: every Fn::Join object requires two parameters, (1) a string \
             delimiter and (2) a list of strings to be joined or a function that returns a list \
             of strings (such as Fn::GetAZs) to be joined."
        }
        F::Select => {
            "Template error: Fn::Select requires a list argument with two elements: \
             an integer index and a list"
        }
        F::Split => {
            "Template error: every Fn::Split object requires two parameters, (1) a string \
             delimiter and (2) a string to be split or a function that returns a string to be \
             split."
        }
        F::FindInMap => {
            "Template error: every Fn::FindInMap object requires three parameters, the map name, \
             map key and the attribute for return value"
        }
        F::GetAzs => "Template error: every Fn::GetAZs object must have a String-typed value.",
        F::Cidr => {
            "Template error: every Fn::Cidr object requires two or three parameters, the address \
             block, the number of blocks to make (1 to 256) and the number of host bits of each"
        }
        F::Base64 => "Template error: every Fn::Base64 object must have a String-typed value.",
        F::ImportValue => {
            "Template error: every Fn::ImportValue object must have a String-typed value."
        }
        F::If => {
            "Template error: every Fn::If object requires three parameters, the condition name \
             and the values for true and for false"
        }
        F::And => {
            "Template error: every Fn::And object requires a list of at least 2 and at most 10 \
             boolean parameters."
        }
        F::Or => {
            "Template error: every Fn::Or object requires a list of at least 2 and at most 10 \
             boolean parameters."
        }
        F::Not => "Template error: every Fn::Not object requires one boolean parameter.",
        F::Equals => {
            "Template error: every Fn::Equals object requires a list of 2 string parameters."
        }
        F::Condition => "Template error: every Condition object must have a single String value.",
        F::Contains => {
            "Template error: every Fn::Contains object requires a list of strings and a string."
        }
        F::EachMemberEquals => {
            "Template error: every Fn::EachMemberEquals object requires a list of strings and a \
             string."
        }
        F::EachMemberIn => {
            "Template error: every Fn::EachMemberIn object requires two lists of strings."
        }
    }
}
