//! Attributes of load balancers, listeners and target groups: keys, defaults, allowed values.

use crate::balancer::Attributes;

/// The value of an attribute: what was set, else the default given.
pub fn value<'a>(set: &'a Attributes, key: &str, default: &'a str) -> &'a str {
    set.get(key).map_or(default, String::as_str)
}

/// The value of a numeric attribute.
pub fn number(set: &Attributes, key: &str, default: u32) -> u32 {
    set.get(key).and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The value of a boolean attribute.
pub fn flag(set: &Attributes, key: &str, default: bool) -> bool {
    set.get(key).map_or(default, |text| text == "true")
}
