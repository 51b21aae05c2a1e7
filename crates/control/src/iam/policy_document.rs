//! What a policy document must look like to be kept. Its meaning is not evaluated, so actions,
//! resources and conditions are not looked into.

use serde_json::Value;
use wire::Fault;

use super::fault::malformed_policy;

/// What a policy is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Who may assume a role.
    Trust,
    /// What a role may do.
    Identity,
}

/// Checks a document, in AWS's words.
pub(crate) fn check(text: &str, kind: Kind) -> Result<(), Fault> {
    let document: Value = serde_json::from_str(text)
        .map_err(|_| malformed_policy("This policy contains invalid Json"))?;
    let syntax = || malformed_policy("Syntax errors in policy.");
    if let Some(version) = document.get("Version")
        && version != "2012-10-17"
        && version != "2008-10-17"
    {
        return Err(syntax());
    }
    let statements = match document.get("Statement") {
        Some(Value::Array(statements)) if !statements.is_empty() => statements.iter().collect(),
        Some(statement @ Value::Object(_)) => vec![statement],
        _ => return Err(syntax()),
    };
    for statement in statements {
        let effect = statement.get("Effect").and_then(Value::as_str);
        if !matches!(effect, Some("Allow" | "Deny")) {
            return Err(syntax());
        }
        check_statement(statement, kind)?;
    }
    Ok(())
}

fn check_statement(statement: &Value, kind: Kind) -> Result<(), Fault> {
    let has = |name: &str| statement.get(name).is_some();
    let has_either = |name: &str| has(name) || has(&format!("Not{name}"));
    if !has_either("Action") {
        return Err(malformed_policy("Policy statement must contain actions."));
    }
    match kind {
        Kind::Trust if has_either("Resource") => {
            Err(malformed_policy("Has prohibited field Resource"))
        }
        Kind::Trust if !has_either("Principal") => {
            Err(malformed_policy("Missing required field Principal"))
        }
        Kind::Identity if has_either("Principal") => {
            Err(malformed_policy("Policy document should not specify a principal."))
        }
        Kind::Identity if !has_either("Resource") => {
            Err(malformed_policy("Policy statement must contain resources."))
        }
        _ => Ok(()),
    }
}

/// A document as answers carry it. AWS: percent-encoded as RFC 3986 has it.
pub(crate) fn encoded(text: &str) -> String {
    wire::percent::encode(text, b"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents() {
        let check = |kind, text: &str, expect: &str| {
            let found = super::check(text, kind).err().map(|fault| fault.message);
            assert_eq!(found.unwrap_or_default(), expect, "{text}");
        };
        let trust = |text: &str, expect: &str| check(Kind::Trust, text, expect);
        let identity = |text: &str, expect: &str| check(Kind::Identity, text, expect);
        let syntax = "Syntax errors in policy.";
        trust("{", "This policy contains invalid Json");
        trust("{}", syntax);
        trust(r#"{"Statement":[]}"#, syntax);
        trust(r#"{"Version":"2020-01-01","Statement":[]}"#, syntax);
        trust(r#"{"Statement":[{"Effect":"Maybe","Action":"*","Principal":"*"}]}"#, syntax);
        let missing = "Missing required field Principal";
        trust(r#"{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole"}}"#, missing);
        let prohibited = "Has prohibited field Resource";
        let text =
            r#"{"Statement":{"Effect":"Allow","Action":"*","Principal":"*","Resource":"*"}}"#;
        trust(text, prohibited);
        identity(text, "Policy document should not specify a principal.");
        let text = r#"{"Statement":[{"Effect":"Allow","Resource":"*"}]}"#;
        identity(text, "Policy statement must contain actions.");
        let text = r#"{"Statement":[{"Effect":"Allow","Action":"s3:*"}]}"#;
        identity(text, "Policy statement must contain resources.");
        let text = r#"{"Statement":[{"Effect":"Deny","NotAction":"s3:*","NotResource":"*"}]}"#;
        identity(text, "");
        let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
            "Principal":{"Service":"ecs.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
        trust(text, "");
        assert_eq!(encoded(r#"{"a": 1}"#), "%7B%22a%22%3A%201%7D");
    }
}
