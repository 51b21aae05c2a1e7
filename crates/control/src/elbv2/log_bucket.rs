//! The object that proves that a bucket can take the logs of a load balancer. It is written when a
//! log is turned on or goes elsewhere, and the change is refused when it cannot be written.

use std::fs;

use model::attributes::flag;
use model::balancer::{Attributes, LoadBalancer};
use wire::Fault;

use super::fault;
use crate::Ctx;

/// A log, the name of its attributes and of AWS's test object.
const LOGS: [(&str, &str, &str); 3] = [
    ("AccessLog", "access_logs.s3", "ELBAccessLogTestFile"),
    ("ConnectionLog", "connection_logs.s3", "ELBConnectionLogTestFile"),
    ("HealthCheckLog", "health_check_logs.s3", "ELBHealthCheckLogTestFile"),
];

/// Bucket and prefix of a log that is on.
fn place<'a>(set: &'a Attributes, log: &str) -> Option<(&'a str, &'a str)> {
    let text = |key: &str| set.get(&format!("{log}.{key}")).map_or("", String::as_str);
    flag(set, &format!("{log}.enabled"), false).then(|| (text("bucket"), text("prefix")))
}

/// Writes the test objects of logs that go to a new place. A node that keeps nothing has no
/// buckets; a finding says so.
pub fn check(ctx: &Ctx<'_>, before: &LoadBalancer, after: &LoadBalancer) -> Result<(), Fault> {
    let Some(buckets) = &ctx.settings.buckets else { return Ok(()) };
    for (name, log, test) in LOGS {
        let now = place(&after.attributes, log);
        let Some((bucket, prefix)) = now.filter(|_| now != place(&before.attributes, log)) else {
            continue;
        };
        let slash = if prefix.is_empty() { "" } else { "/" };
        let key = format!("{prefix}{slash}AWSLogs/{}/{test}", after.scope.account);
        let text = format!("Enable {name} for ELB: {} at {}\n", after.name, ctx.now);
        let written = buckets.object(bucket, &key).is_some_and(|path| {
            path.parent().is_some_and(|folder| fs::create_dir_all(folder).is_ok())
                && fs::write(path, text).is_ok()
        });
        if !written {
            // AWS's sentence.
            return Err(fault::configuration(format!(
                "Access Denied for bucket: {bucket}. Please check S3bucket permission"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_has_a_place_while_it_is_on() {
        let check = |pairs: &[(&str, &str)], expect: Option<(&str, &str)>| {
            let set = pairs.iter().map(|(key, value)| (format!("a.{key}"), (*value).to_owned()));
            assert_eq!(place(&set.collect(), "a"), expect, "{pairs:?}");
        };
        check(&[], None);
        check(&[("bucket", "b")], None);
        check(&[("enabled", "true"), ("bucket", "b")], Some(("b", "")));
        check(&[("enabled", "true"), ("bucket", "b"), ("prefix", "p")], Some(("b", "p")));
    }
}
