//! Claims of tokens: who issued it, for whom, when it is good, and what else must be in it.

use model::Timestamp;
use model::authentication::{ClaimFormat, RequiredClaim};
use serde_json::{Map, Value};

/// Claims.
#[derive(Clone, Debug, PartialEq)]
pub struct Claims(pub Map<String, Value>);

/// What is wrong with a claim, and which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It is not there.
    Missing(String),
    /// It is not of the type it should be.
    Format(String),
    /// Its value is not a good one.
    Value(String),
}

impl Claims {
    /// A claim that is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// Whether the token is from this issuer.
    pub fn check_issuer(&self, issuer: &str) -> Result<(), Wrong> {
        match self.0.get("iss") {
            None => Err(Wrong::Missing("iss".into())),
            Some(Value::String(own)) if own == issuer => Ok(()),
            Some(Value::String(_)) => Err(Wrong::Value("iss".into())),
            Some(_) => Err(Wrong::Format("iss".into())),
        }
    }

    /// Whether the token has not expired yet; answers when it will. It must say so.
    pub fn check_expiry(&self, now: Timestamp) -> Result<Timestamp, Wrong> {
        let expires = self.time("exp")?.ok_or_else(|| Wrong::Missing("exp".into()))?;
        if expires > now { Ok(expires) } else { Err(Wrong::Value("exp".into())) }
    }

    /// The same, and that the token is not from the future where it says so. No leeway is given.
    pub fn check_times(&self, now: Timestamp) -> Result<Timestamp, Wrong> {
        let expires = self.check_expiry(now)?;
        for name in ["nbf", "iat"] {
            if self.time(name)?.is_some_and(|time| time > now) {
                return Err(Wrong::Value(name.into()));
            }
        }
        Ok(expires)
    }

    /// Whether the token is for this client: `aud` is it, or has it among others.
    pub fn check_audience(&self, client: &str) -> Result<(), Wrong> {
        let found = match self.0.get("aud") {
            None => return Err(Wrong::Missing("aud".into())),
            Some(Value::String(own)) => own == client,
            Some(Value::Array(own)) => own.iter().any(|own| own.as_str() == Some(client)),
            Some(_) => return Err(Wrong::Format("aud".into())),
        };
        if found { Ok(()) } else { Err(Wrong::Value("aud".into())) }
    }

    /// Whether a claim has one of the values that are asked for.
    pub fn check_required(&self, required: &RequiredClaim) -> Result<(), Wrong> {
        let RequiredClaim { name, format, values } = required;
        let claim = self.0.get(name).ok_or_else(|| Wrong::Missing(name.clone()))?;
        let wanted = |text: &str| values.iter().any(|value| value == text);
        let found = match (format, claim) {
            (ClaimFormat::SingleString, Value::String(text)) => wanted(text),
            (ClaimFormat::SpaceSeparated, Value::String(text)) => text.split(' ').any(wanted),
            (ClaimFormat::StringArray, Value::Array(items)) => {
                let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
                let texts = texts.ok_or_else(|| Wrong::Format(name.clone()))?;
                texts.into_iter().any(wanted)
            }
            _ => return Err(Wrong::Format(name.clone())),
        };
        if found { Ok(()) } else { Err(Wrong::Value(name.clone())) }
    }

    /// A time in seconds; fractions are allowed (RFC 7519, 2).
    fn time(&self, name: &str) -> Result<Option<Timestamp>, Wrong> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let format = || Wrong::Format(name.into());
        let seconds = value.as_f64().filter(|seconds| seconds.is_finite()).ok_or_else(format)?;
        // A number that is too large becomes the largest.
        Ok(Some(Timestamp((seconds * 1000.0) as i64)))
    }
}
