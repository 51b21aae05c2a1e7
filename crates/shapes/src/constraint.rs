//! Constraints of a shape as the service model states them, and the checks of one value.
//! Leaves out required members and paths (see `decode`).

use std::sync::OnceLock;

use regex::Regex;

/// The constraints of one shape. Bounds are a length in characters for a string, a number of
/// items for a list or map, and the value itself for a number.
#[derive(Debug)]
pub struct Constraint {
    /// The least length or value.
    pub min: Option<i64>,
    /// The greatest length or value.
    pub max: Option<i64>,
    /// The allowed values; empty when any will do.
    pub values: &'static [&'static str],
    /// The regular expression that the whole string matches.
    pub pattern: Option<&'static Pattern>,
    /// The constraints of a list's items or a map's values.
    pub item: Option<&'static Constraint>,
    /// The constraints of a map's keys.
    pub key: Option<&'static Constraint>,
}

/// The constraint that allows everything.
pub static ANY: Constraint = Constraint::NONE;

impl Constraint {
    /// Allows everything; the base of generated ones.
    pub const NONE: Constraint =
        Constraint { min: None, max: None, values: &[], pattern: None, item: None, key: None };

    /// Every constraint of a string, or of a number.
    pub fn all(&self, number: bool) -> Vec<Broken> {
        let above = if number { Broken::Above } else { Broken::LongerThan };
        let below = if number { Broken::Below } else { Broken::ShorterThan };
        let mut all = Vec::new();
        if !self.values.is_empty() {
            all.push(Broken::Values(self.values));
        }
        all.extend(self.max.map(above));
        all.extend(self.min.map(below));
        all.extend(self.pattern.map(|p| Broken::Pattern(p.source)));
        all
    }

    /// The constraints that a string breaks.
    pub fn check_text(&self, text: &str) -> Vec<Broken> {
        let mut broken = Vec::new();
        if !self.values.is_empty() && !self.values.contains(&text) {
            broken.push(Broken::Values(self.values));
        }
        if self.min.is_some() || self.max.is_some() {
            broken.extend(self.check_length(text.chars().count()));
        }
        if let Some(pattern) = self.pattern
            && !pattern.matches(text)
        {
            broken.push(Broken::Pattern(pattern.source));
        }
        broken
    }

    /// The constraints that a length breaks.
    pub fn check_length(&self, length: usize) -> Option<Broken> {
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        match (self.max, self.min) {
            (Some(max), _) if length > max => Some(Broken::LongerThan(max)),
            (_, Some(min)) if length < min => Some(Broken::ShorterThan(min)),
            _ => None,
        }
    }

    /// The constraint that a number breaks.
    pub fn check_value(&self, value: f64) -> Option<Broken> {
        match (self.max, self.min) {
            (Some(max), _) if value > max as f64 => Some(Broken::Above(max)),
            (_, Some(min)) if value < min as f64 => Some(Broken::Below(min)),
            _ => None,
        }
    }
}

/// A constraint that a value breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Not one of these values.
    Values(&'static [&'static str]),
    /// Longer than this.
    LongerThan(i64),
    /// Shorter than this.
    ShorterThan(i64),
    /// A number above this.
    Above(i64),
    /// A number below this.
    Below(i64),
    /// Does not match this regular expression.
    Pattern(&'static str),
}

impl Broken {
    /// What the value must do, in AWS's words.
    pub fn words(&self) -> String {
        let bound = |what, side, n| format!("Member must have {what} {side} than or equal to {n}");
        match self {
            Broken::Values(values) => {
                format!("Member must satisfy enum value set: [{}]", values.join(", "))
            }
            Broken::LongerThan(max) => bound("length", "less", max),
            Broken::ShorterThan(min) => bound("length", "greater", min),
            Broken::Above(max) => bound("value", "less", max),
            Broken::Below(min) => bound("value", "greater", min),
            Broken::Pattern(source) => {
                format!("Member must satisfy regular expression pattern: {source}")
            }
        }
    }
}

/// A regular expression, compiled when it is first needed.
#[derive(Debug)]
pub struct Pattern {
    /// As the model writes it.
    pub source: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// A pattern that the generator found to compile.
    pub const fn new(source: &'static str) -> Pattern {
        Pattern { source, compiled: OnceLock::new() }
    }

    /// Whether the whole text matches. A pattern that does not compile matches everything.
    pub fn matches(&self, text: &str) -> bool {
        let compile = || Regex::new(&format!(r"\A(?:{})\z", self.source)).ok();
        self.compiled.get_or_init(compile).as_ref().is_none_or(|regex| regex.is_match(text))
    }
}
