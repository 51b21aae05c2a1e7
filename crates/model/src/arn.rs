//! ARNs: how they are built and what can be read from them.

use crate::{ListenerArn, LoadBalancerArn, RuleArn, Scope, TargetGroupArn};

/// `arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE`.
pub fn arn(service: &str, scope: &Scope, resource: &str) -> String {
    format!("arn:aws:{service}:{}:{}:{resource}", scope.region, scope.account)
}

/// `arn:aws:iam::ACCOUNT:RESOURCE`.
pub fn iam(account: &str, resource: &str) -> String {
    format!("arn:aws:iam::{account}:{resource}")
}

/// `arn:aws:apigateway:REGION::PATH`: API Gateway leaves the account empty. The path starts
/// with `/` (`/apis/ID`, `/apis/ID/stages/NAME`, `/vpclinks/ID`).
pub fn apigateway(region: &str, path: &str) -> String {
    format!("arn:aws:apigateway:{region}::{path}")
}

/// Parts of an ARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    /// `elasticloadbalancing` and the like.
    pub service: &'a str,
    /// May be empty.
    pub region: &'a str,
    /// May be empty.
    pub account: &'a str,
    /// Everything after the account.
    pub resource: &'a str,
}

/// Splits an ARN; nothing unless it has all six parts and starts with `arn:`.
pub fn parse(text: &str) -> Option<Arn<'_>> {
    let mut parts = text.splitn(6, ':');
    let (prefix, _partition) = (parts.next()?, parts.next()?);
    let (service, region, account) = (parts.next()?, parts.next()?, parts.next()?);
    let resource = parts.next().filter(|resource| !resource.is_empty())?;
    (prefix == "arn").then_some(Arn { service, region, account, resource })
}

impl LoadBalancerArn {
    /// `app/NAME/ID`: the short id of metrics, logs and interface descriptions.
    pub fn short(&self) -> &str {
        self.as_str().split_once("loadbalancer/").map_or("", |(_, short)| short)
    }

    /// The ARN of a listener of this load balancer.
    pub fn listener(&self, id: &str) -> ListenerArn {
        let base = self.as_str().replacen(":loadbalancer/", ":listener/", 1);
        ListenerArn::from(format!("{base}/{id}"))
    }
}

impl ListenerArn {
    /// The ARN of a rule of this listener.
    pub fn rule(&self, id: &str) -> RuleArn {
        let base = self.as_str().replacen(":listener/", ":listener-rule/", 1);
        RuleArn::from(format!("{base}/{id}"))
    }

    /// The ARN of the load balancer, when this is a listener's.
    pub fn load_balancer(&self) -> Option<LoadBalancerArn> {
        let (head, _id) = self.as_str().rsplit_once('/')?;
        head.contains(":listener/")
            .then(|| LoadBalancerArn::from(head.replacen(":listener/", ":loadbalancer/", 1)))
    }
}

impl RuleArn {
    /// The ARN of the listener, when this is a rule's.
    pub fn listener(&self) -> Option<ListenerArn> {
        let (head, _id) = self.as_str().rsplit_once('/')?;
        head.contains(":listener-rule/")
            .then(|| ListenerArn::from(head.replacen(":listener-rule/", ":listener/", 1)))
    }
}

impl TargetGroupArn {
    /// `targetgroup/NAME/ID`: the short id of metrics and logs.
    pub fn short(&self) -> &str {
        self.as_str().rsplit(':').next().unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_leads_to_its_listener_and_load_balancer() {
        let lb = LoadBalancerArn::from(
            "arn:aws:elasticloadbalancing:us-east-1:0:loadbalancer/app/web/50dc",
        );
        let listener = lb.listener("f2f7");
        let rule = listener.rule("9683");
        assert_eq!(rule.as_str().rsplit(':').next(), Some("listener-rule/app/web/50dc/f2f7/9683"));
        assert_eq!(rule.listener(), Some(listener.clone()));
        assert_eq!(listener.load_balancer(), Some(lb.clone()));
        assert_eq!(lb.short(), "app/web/50dc");
        assert_eq!(RuleArn::from("junk").listener(), None);
        assert_eq!(ListenerArn::from("a/b").load_balancer(), None);
    }

    #[test]
    fn parses_only_whole_arns() {
        let check = |text: &str, resource: Option<&str>| {
            assert_eq!(parse(text).map(|arn| arn.resource), resource, "{text}");
        };
        check("arn:aws:apigateway:us-east-1::/apis/abc", Some("/apis/abc"));
        check("arn:aws:x:r:a:b:c", Some("b:c"));
        check("arn:aws:x:r:a:", None);
        check("arn:aws:x:r", None);
        check("urn:aws:x:r:a:b", None);
    }
}
