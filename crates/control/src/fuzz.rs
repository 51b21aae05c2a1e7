//! Fuzz targets: inputs of operations from the bytes of a form to records. Whatever the bytes,
//! reading them answers, and what is shown of a record is read as that record.

use shapes::ec2::AuthorizeSecurityGroupIngressInput;
use shapes::elbv2::{CreateRuleInput, RuleCondition};
use wire::protocol::form::{Dialect, Form};

use crate::apigatewayv2::{parameters, route_key};
use crate::ec2::{cidr, ip_permission};
use crate::elbv2::{condition, transform};

/// Conditions and transforms of listener rules.
pub fn rules(data: &[u8]) {
    let Ok(form) = Form::parse(data) else { return };
    let Ok(tree) = form.tree(Dialect::Query) else { return };
    let Ok(input) = CreateRuleInput::from_node(&tree) else { return };
    if let Ok(conditions) = condition::read(input.conditions) {
        // Some are shown in two spellings, of which a request may use one.
        let shown = condition::show(&conditions).into_iter();
        let shown = shown.map(|one| RuleCondition { values: None, ..one });
        let again = condition::read(shown.collect());
        assert_eq!(again.as_ref(), Ok(&conditions));
    }
    if let Ok(transforms) = transform::read(input.transforms.unwrap_or_default()) {
        let again = transform::read(transform::show(&transforms));
        assert_eq!(again.as_ref(), Ok(&transforms));
    }
}

/// Rules of security groups, and address blocks by themselves.
pub fn permissions(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        blocks(text);
        keys(text);
    }
    let Ok(form) = Form::parse(data) else { return };
    let Ok(tree) = form.tree(Dialect::Ec2) else { return };
    let Ok(input) = AuthorizeSecurityGroupIngressInput::from_node(&tree) else { return };
    for permission in input.ip_permissions.unwrap_or_default() {
        let protocol = permission.ip_protocol.as_deref();
        let Ok((protocol, from, to)) =
            ip_permission::traffic(protocol, permission.from_port, permission.to_port)
        else {
            continue;
        };
        let again = ip_permission::traffic(Some(&protocol), from.map(i64::from), to.map(i64::from));
        assert_eq!(again, Ok((protocol, from, to)));
        for range in permission.ip_ranges.unwrap_or_default() {
            blocks(range.cidr_ip.as_deref().unwrap_or_default());
        }
    }
}

/// A block is shown as it is read.
fn blocks(text: &str) {
    if let Ok(block) = cidr::any_block(text, "cidrBlock") {
        assert_eq!(cidr::any_block(&block.to_string(), "cidrBlock"), Ok(block));
    }
    if let Ok(block) = cidr::block(text, "cidrBlock") {
        assert_eq!(cidr::any_block(text, "cidrBlock"), Ok(block.into()));
    }
}

/// Route keys and parameter mappings: a key is the same as itself, whoever asks.
fn keys(text: &str) {
    let mut lines = text.split('\n');
    let (one, other) = (lines.next().unwrap_or(""), lines.next().unwrap_or(""));
    assert_eq!(route_key::same(one, other), route_key::same(other, one));
    if route_key::check(one).is_ok() {
        assert!(route_key::same(one, one), "{one}");
    }
    let mapping = [(one.to_owned(), other.to_owned())].into();
    let _ = parameters::check_request(&mapping);
    let _ = parameters::check_response(&[("200".to_owned(), mapping)].into());
}

#[cfg(test)]
mod tests {
    #[test]
    fn rules() {
        replay::run("rules", super::rules);
    }

    #[test]
    fn permissions() {
        replay::run("permissions", super::permissions);
    }
}
