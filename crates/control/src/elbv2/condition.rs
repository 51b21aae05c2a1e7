//! Conditions of rules: from the API to records and back, and every limit on them.
//!
//! Matching is `routing`'s affair.

use model::balancer::{Condition, Patterns};
use model::limits::{CONDITION_VALUES_PER_RULE, WILDCARDS_PER_RULE};
use shapes::elbv2 as out;
use wire::Fault;

use super::condition_value::{
    NAME_LENGTH, VALUE_LENGTH, check_header_value, check_host, check_length, check_path,
    check_regex, refuse,
};

const FIELDS: [&str; 6] = [
    "path-pattern",
    "host-header",
    "http-header",
    "http-request-method",
    "query-string",
    "source-ip",
];

/// Reads the conditions of a rule.
///
/// DEVIATION: one condition may hold all five values of its rule; AWS's guide says three per
/// condition.
///
/// Errors: `ValidationError`.
pub fn read(conditions: Vec<out::RuleCondition>) -> Result<Vec<Condition>, Fault> {
    if conditions.is_empty() {
        return refuse("A condition must be specified");
    }
    let conditions: Vec<Condition> = conditions.into_iter().map(one).collect::<Result<_, _>>()?;
    for field in ["host-header", "path-pattern", "http-request-method", "source-ip"] {
        if conditions.iter().filter(|condition| field_of(condition) == field).count() > 1 {
            return refuse(format!("A rule can have only one '{field}' condition"));
        }
    }
    if conditions.iter().map(count_values).sum::<usize>() > CONDITION_VALUES_PER_RULE {
        let limit = CONDITION_VALUES_PER_RULE;
        return refuse(format!("A rule can only have '{limit}' condition values"));
    }
    if conditions.iter().map(count_wildcards).sum::<usize>() > WILDCARDS_PER_RULE {
        return refuse(format!("A rule can only have '{WILDCARDS_PER_RULE}' condition wildcards"));
    }
    Ok(conditions)
}

fn field_of(condition: &Condition) -> &'static str {
    match condition {
        Condition::Host(_) => "host-header",
        Condition::Path(_) => "path-pattern",
        Condition::Header(..) => "http-header",
        Condition::Method(_) => "http-request-method",
        Condition::Query(_) => "query-string",
        Condition::SourceIp(_) => "source-ip",
    }
}

fn texts(patterns: &Patterns) -> &[String] {
    match patterns {
        Patterns::Wildcards(values) | Patterns::Regexes(values) => values,
    }
}

fn count_values(condition: &Condition) -> usize {
    match condition {
        Condition::Host(patterns) | Condition::Path(patterns) | Condition::Header(_, patterns) => {
            texts(patterns).len()
        }
        Condition::Method(values) | Condition::SourceIp(values) => values.len(),
        Condition::Query(pairs) => pairs.len(),
    }
}

/// AWS: `*` and `?` count, also in query strings unless escaped.
fn count_wildcards(condition: &Condition) -> usize {
    let plain = |text: &String| text.chars().filter(|c| matches!(c, '*' | '?')).count();
    match condition {
        Condition::Host(Patterns::Wildcards(values))
        | Condition::Path(Patterns::Wildcards(values))
        | Condition::Header(_, Patterns::Wildcards(values)) => values.iter().map(plain).sum(),
        Condition::Query(pairs) => {
            let texts = pairs.iter().flat_map(|(key, value)| key.iter().chain([value]));
            texts.map(|text| count_unescaped(text)).sum()
        }
        _ => 0,
    }
}

fn count_unescaped(text: &str) -> usize {
    let (mut count, mut escaped) = (0, false);
    for c in text.chars() {
        count += usize::from(!escaped && matches!(c, '*' | '?'));
        escaped = !escaped && c == '\\';
    }
    count
}

fn one(condition: out::RuleCondition) -> Result<Condition, Fault> {
    let Some(field) = condition.field.clone() else {
        return refuse("A condition field must be specified");
    };
    if !FIELDS.contains(&field.as_str()) {
        let fields = FIELDS.join(",");
        return refuse(format!("Condition field '{field}' must be one of '[{fields}]'"));
    }
    check_members(&field, &condition)?;
    let out::RuleCondition {
        field: _,
        values,
        host_header_config,
        path_pattern_config,
        http_header_config,
        query_string_config,
        http_request_method_config,
        source_ip_config,
        regex_values,
    } = condition;
    match field.as_str() {
        "host-header" => {
            let config = host_header_config.map(|c| (c.values, c.regex_values));
            let config = config.map(|config| ("HostHeaderConfig", config));
            patterns(&field, values, regex_values, config, check_host).map(Condition::Host)
        }
        "path-pattern" => {
            let config = path_pattern_config.map(|c| (c.values, c.regex_values));
            let config = config.map(|config| ("PathPatternConfig", config));
            patterns(&field, values, regex_values, config, check_path).map(Condition::Path)
        }
        "http-header" => header(http_header_config, regex_values),
        "http-request-method" => method(http_request_method_config),
        "query-string" => query(query_string_config),
        _ => source_ip(source_ip_config),
    }
}

/// AWS: each field has its own config; `Values` goes with host-header and path-pattern only.
fn check_members(field: &str, condition: &out::RuleCondition) -> Result<(), Fault> {
    let is_pattern = matches!(field, "host-header" | "path-pattern");
    let members = [
        ("Values", condition.values.is_some(), is_pattern),
        ("RegexValues", condition.regex_values.is_some(), is_pattern || field == "http-header"),
        ("HostHeaderConfig", condition.host_header_config.is_some(), field == "host-header"),
        ("PathPatternConfig", condition.path_pattern_config.is_some(), field == "path-pattern"),
        ("HttpHeaderConfig", condition.http_header_config.is_some(), field == "http-header"),
        ("QueryStringConfig", condition.query_string_config.is_some(), field == "query-string"),
        (
            "HttpRequestMethodConfig",
            condition.http_request_method_config.is_some(),
            field == "http-request-method",
        ),
        ("SourceIpConfig", condition.source_ip_config.is_some(), field == "source-ip"),
    ];
    match members.into_iter().find(|(_, is_given, fits)| *is_given && !fits) {
        Some((name, ..)) => refuse(format!("The '{name}' field is not compatible with '{field}'")),
        None => Ok(()),
    }
}

type Config = (&'static str, (Option<Vec<String>>, Option<Vec<String>>));

/// Values of host-header and path-pattern: `Values`, `RegexValues`, or one of them in the config.
fn patterns(
    field: &str,
    values: Option<Vec<String>>,
    regexes: Option<Vec<String>>,
    config: Option<Config>,
    check: fn(&str) -> Result<(), Fault>,
) -> Result<Patterns, Fault> {
    let values = values.filter(|values| !values.is_empty());
    let mut wildcards = values.clone();
    let mut regexes = regexes;
    if let Some((name, (in_config, regexes_in_config))) = config {
        if values.is_some() {
            return refuse(format!(
                "You cannot provide both Values and '{name}' for a condition of type '{field}'"
            ));
        }
        wildcards = in_config;
        regexes = regexes_in_config.or(regexes);
    } else if values.is_some_and(|values| values.len() > 1) {
        // AWS: the legacy form carries exactly one value.
        return refuse(format!("The '{field}' field contains too many values; the limit is '1'"));
    }
    chosen(field, wildcards, regexes, check)
}

/// Either wildcards or regular expressions, each value checked.
fn chosen(
    field: &str,
    wildcards: Option<Vec<String>>,
    regexes: Option<Vec<String>>,
    check: fn(&str) -> Result<(), Fault>,
) -> Result<Patterns, Fault> {
    let wildcards = wildcards.unwrap_or_default();
    let regexes = regexes.unwrap_or_default();
    match (wildcards.is_empty(), regexes.is_empty()) {
        (true, true) => refuse("A condition value must be specified"),
        (false, false) => refuse(format!(
            "You cannot provide both Values and RegexValues for a condition of type '{field}'"
        )),
        (false, true) => {
            for value in &wildcards {
                check_length(field, value, VALUE_LENGTH)?;
                check(value)?;
            }
            Ok(Patterns::Wildcards(wildcards))
        }
        (true, false) => {
            for regex in &regexes {
                check_regex(field, regex)?;
            }
            Ok(Patterns::Regexes(regexes))
        }
    }
}

fn header(
    config: Option<out::HttpHeaderConditionConfig>,
    regexes: Option<Vec<String>>,
) -> Result<Condition, Fault> {
    let Some(config) = config else {
        return refuse("A 'HttpHeaderConfig' must be specified with 'http-header'");
    };
    let name = config.http_header_name.filter(|name| !name.is_empty());
    let Some(name) = name else {
        return refuse("A 'HttpHeaderName' must be specified in 'HttpHeaderConfig'");
    };
    check_length("HttpHeaderName", &name, NAME_LENGTH)?;
    // AWS: a token of RFC 7230 without wildcards; the host has a condition of its own.
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'+-.^_`|~".contains(&b);
    if !name.bytes().all(token) {
        return refuse(format!("The 'HttpHeaderName' value '{name}' is invalid"));
    }
    if name.eq_ignore_ascii_case("host") {
        return refuse("The header 'host' cannot be used with 'http-header'; use 'host-header'");
    }
    let regexes = config.regex_values.or(regexes);
    let patterns = chosen("http-header", config.values, regexes, check_header_value)?;
    Ok(Condition::Header(name, patterns))
}

fn method(config: Option<out::HttpRequestMethodConditionConfig>) -> Result<Condition, Fault> {
    let Some(config) = config else {
        return refuse("A 'HttpRequestMethodConfig' must be specified with 'http-request-method'");
    };
    let values = some_values(config.values)?;
    for value in &values {
        check_length("http-request-method", value, NAME_LENGTH)?;
        if !value.bytes().all(|b| b.is_ascii_uppercase() || b"-_".contains(&b)) {
            return refuse(
                "The 'http-request-method' value is invalid; the allowed characters are A-Z, \
                 hyphen and underscore",
            );
        }
    }
    Ok(Condition::Method(values))
}

fn some_values(values: Option<Vec<String>>) -> Result<Vec<String>, Fault> {
    match values {
        Some(values) if !values.is_empty() => Ok(values),
        _ => refuse("A condition value must be specified"),
    }
}

fn query(config: Option<out::QueryStringConditionConfig>) -> Result<Condition, Fault> {
    let Some(config) = config else {
        return refuse("A 'QueryStringConfig' must be specified with 'query-string'");
    };
    let pairs = config.values.unwrap_or_default();
    if pairs.is_empty() {
        return refuse("A condition value must be specified");
    }
    let mut read = Vec::new();
    for out::QueryStringKeyValuePair { key, value } in pairs {
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            return refuse("A 'Value' must be specified in 'QueryStringKeyValuePair'");
        };
        let key = key.filter(|key| !key.is_empty());
        if let Some(key) = &key {
            check_length("Key", key, VALUE_LENGTH)?;
        }
        check_length("Value", &value, VALUE_LENGTH)?;
        read.push((key, value));
    }
    Ok(Condition::Query(read))
}

fn source_ip(config: Option<out::SourceIpConditionConfig>) -> Result<Condition, Fault> {
    let Some(config) = config else {
        return refuse("A 'SourceIpConfig' must be specified with 'source-ip'");
    };
    let values = config.values.unwrap_or_default();
    if values.is_empty() {
        return refuse("A 'source-ip' value must be specified");
    }
    for value in &values {
        // AWS: the broadcast address is refused.
        if value.parse::<ipnet::IpNet>().is_err() || value == "255.255.255.255/32" {
            return refuse(format!("The 'source-ip' value '{value}' is not a valid CIDR block"));
        }
    }
    Ok(Condition::SourceIp(values))
}

/// Conditions as the API shows them.
pub fn show(conditions: &[Condition]) -> Vec<out::RuleCondition> {
    conditions.iter().map(show_one).collect()
}

/// AWS: host and path patterns are shown in both forms.
fn show_one(condition: &Condition) -> out::RuleCondition {
    let split = |patterns: &Patterns| match patterns {
        Patterns::Wildcards(values) => (Some(values.clone()), None),
        Patterns::Regexes(values) => (None, Some(values.clone())),
    };
    let field = Some(field_of(condition).to_owned());
    let base = out::RuleCondition { field, ..Default::default() };
    match condition {
        Condition::Host(patterns) => {
            let (values, regex_values) = split(patterns);
            let config = out::HostHeaderConditionConfig {
                values: values.clone(),
                regex_values: regex_values.clone(),
            };
            out::RuleCondition { values, regex_values, host_header_config: Some(config), ..base }
        }
        Condition::Path(patterns) => {
            let (values, regex_values) = split(patterns);
            let config = out::PathPatternConditionConfig {
                values: values.clone(),
                regex_values: regex_values.clone(),
            };
            out::RuleCondition { values, regex_values, path_pattern_config: Some(config), ..base }
        }
        Condition::Header(name, patterns) => {
            let (values, regex_values) = split(patterns);
            let http_header_name = Some(name.clone());
            let config = out::HttpHeaderConditionConfig { http_header_name, values, regex_values };
            out::RuleCondition { http_header_config: Some(config), ..base }
        }
        Condition::Method(values) => {
            let config = out::HttpRequestMethodConditionConfig { values: Some(values.clone()) };
            out::RuleCondition { http_request_method_config: Some(config), ..base }
        }
        Condition::Query(pairs) => {
            let pair = |(key, value): &(Option<String>, String)| out::QueryStringKeyValuePair {
                key: key.clone(),
                value: Some(value.clone()),
            };
            let values = Some(pairs.iter().map(pair).collect());
            let config = out::QueryStringConditionConfig { values };
            out::RuleCondition { query_string_config: Some(config), ..base }
        }
        Condition::SourceIp(values) => {
            let config = out::SourceIpConditionConfig { values: Some(values.clone()) };
            out::RuleCondition { source_ip_config: Some(config), ..base }
        }
    }
}
