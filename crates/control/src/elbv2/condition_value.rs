//! Single values of conditions: lengths, characters, regular expressions.

use wire::Fault;

use super::expression;

/// Longest value of a condition, in characters. AWS: 128.
pub const VALUE_LENGTH: usize = 128;
/// Longest header name and method, in characters. AWS: 40.
pub const NAME_LENGTH: usize = 40;

/// Refuses with a `ValidationError`.
pub fn refuse<T>(message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::validation(message))
}

/// Refuses an empty or too long value.
pub fn check_length(what: &str, value: &str, limit: usize) -> Result<(), Fault> {
    if value.is_empty() {
        return refuse("A condition value must be specified");
    }
    if value.chars().count() > limit {
        return refuse(format!("The '{what}' value is too long; the limit is '{limit}'"));
    }
    Ok(())
}

/// Refuses a regular expression that is too long or not in the dialect.
pub fn check_regex(field: &str, regex: &str) -> Result<(), Fault> {
    check_length(field, regex, VALUE_LENGTH)?;
    match expression::problem(regex) {
        None => Ok(()),
        Some(why) => {
            refuse(format!("The '{field}' regular expression '{regex}' is not valid: {why}"))
        }
    }
}

/// DEVIATION: a host-header value needs no dot, and what follows its last dot need not be letters,
/// so that rules can match the plain names and the addresses of a private network.
pub fn check_host(value: &str) -> Result<(), Fault> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-.*?".contains(&b);
    if value.bytes().all(allowed) {
        return Ok(());
    }
    refuse(
        "The 'host-header' value is invalid; the allowed characters are A-Z, a-z, 0-9, hyphen, \
         period, * and ?",
    )
}

/// AWS: the characters of path patterns.
pub fn check_path(value: &str) -> Result<(), Fault> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_-.$/~\"'@:+&*?".contains(&b);
    if value.bytes().all(allowed) {
        return Ok(());
    }
    refuse(
        "The 'path-pattern' value is invalid; the allowed characters are A-Z, a-z, 0-9 and \
         _ - . $ / ~ \" ' @ : + & * ?",
    )
}

/// Refuses what cannot stand in a header.
pub fn check_header_value(value: &str) -> Result<(), Fault> {
    if value.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
        return Ok(());
    }
    refuse("The 'http-header' value is invalid; only visible ASCII characters are allowed")
}
