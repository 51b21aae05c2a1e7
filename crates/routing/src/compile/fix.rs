//! What to change about a refusal that was found before any request. Leaves out findings that are
//! no refusal; those say themselves what to do.

use crate::finding::Refusal;

/// What a reason says, and what mends it; the first that fits.
const FIXES: &[(&str, &str)] = &[
    ("no ingress rule", "authorize that ingress rule on the security group"),
    ("no egress rule", "authorize that egress rule on the security group"),
    ("PENDING", "wait until it is ready"),
    ("provisioning", "wait until it is ready"),
    ("leads into", "use a VPC link and a load balancer of the same VPC"),
    ("stopped or terminated instance", "start the instance, or register another target"),
    ("has no integration", "give the route a target, integrations/INTEGRATION_ID"),
    ("does not exist", "create it, or refer to one that exists"),
    ("there is no ", "create it, or refer to one that exists"),
];

/// What to change about a refusal.
pub fn fix(refusal: &Refusal) -> &'static str {
    let fits = |(part, _): &&(&str, &str)| refusal.reason.contains(part);
    let found = FIXES.iter().find(fits).map(|(_, fix)| *fix);
    found.unwrap_or("point it to something that exists and can be reached")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Step;

    #[test]
    fn every_refusal_has_a_remedy() {
        let rows = [
            ("sg-1 (alb) has no ingress rule for tcp 80 from sg-2 or 10.0.0.5/32", "ingress rule"),
            ("sg-1 (link) has no egress rule for tcp 80 to sg-2 or 10.0.0.5/32", "egress rule"),
            ("VPC link v1 (l) is PENDING", "wait"),
            ("load balancer t is in vpc-1, but VPC link v1 (l) leads into vpc-2", "same VPC"),
            ("i-1 is a stopped or terminated instance", "start the instance"),
            ("the route has no integration", "integrations/"),
            ("VPC link v1 does not exist", "create it"),
            ("there is no listener arn:aws:elasticloadbalancing:…", "create it"),
            ("the rule has no action", "point it"),
        ];
        for (reason, part) in rows {
            let told = fix(&Refusal::new(Step::Link, reason));
            assert!(told.contains(part), "{reason}: {told}");
        }
    }
}
