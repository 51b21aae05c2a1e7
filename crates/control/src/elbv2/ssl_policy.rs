//! DescribeSSLPolicies: the predefined security policies, with their protocols and ciphers.

use model::Snapshot;
use model::tls_policy::{self, POLICIES, Policy};
use shapes::elbv2::{Cipher, DescribeSSLPoliciesInput, DescribeSSLPoliciesOutput, SslPolicy};
use wire::Fault;

use super::{fault, find};
use crate::Ctx;
use crate::page::page;

/// Refuses a policy that does not exist.
pub fn check(name: &str) -> Result<(), Fault> {
    match tls_policy::find(name) {
        Some(_) => Ok(()),
        None => Err(fault::of("SSLPolicyNotFound", format!("SSL policy '{name}' not found"))),
    }
}

/// The policies asked for, or all.
pub fn describe_ssl_policies(
    _ctx: &Ctx<'_>,
    _state: &Snapshot,
    input: DescribeSSLPoliciesInput,
) -> Result<DescribeSSLPoliciesOutput, Fault> {
    let names = input.names.unwrap_or_default();
    for name in &names {
        check(name)?;
    }
    // AWS: gateway load balancers have no policies; the two other types have all of them.
    let fits = input.load_balancer_type.as_deref() != Some("gateway");
    let is_asked = |policy: &&Policy| fits && (names.is_empty() || names.contains(&policy.name()));
    let size = find::page_size(input.page_size);
    let policies = POLICIES.iter().filter(is_asked);
    let page = page(policies, |p| p.name(), input.marker.as_deref(), size, fault::marker)?;
    Ok(DescribeSSLPoliciesOutput {
        ssl_policies: Some(page.items.into_iter().map(show).collect()),
        next_marker: page.next,
    })
}

fn show(policy: &Policy) -> SslPolicy {
    let cipher = |(priority, name): (i64, &str)| Cipher {
        name: Some(name.to_owned()),
        priority: Some(priority),
    };
    SslPolicy {
        ssl_protocols: Some(policy.protocols.iter().map(|name| (*name).to_owned()).collect()),
        ciphers: Some((1..).zip(policy.ciphers()).map(cipher).collect()),
        name: Some(policy.name()),
        supported_load_balancer_types: Some(vec!["application".to_owned(), "network".to_owned()]),
    }
}
