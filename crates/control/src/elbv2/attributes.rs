//! Attributes of load balancers, listeners and target groups: describe, change, and the rules
//! between several of them. Keys, defaults and ranges are in `model::attributes`.

use std::collections::BTreeMap;

use model::attributes::{
    Attribute, GroupClass, LISTENER, LOAD_BALANCER, ListenerClass, LoadBalancerClass, TARGET_GROUP,
    of, value,
};
use model::balancer::{Attributes, Listener, LoadBalancer, Rule, TargetGroup, TargetType};
use model::{Snapshot, TargetGroupArn};
use shapes::elbv2::{
    DescribeListenerAttributesInput, DescribeListenerAttributesOutput,
    DescribeLoadBalancerAttributesInput, DescribeLoadBalancerAttributesOutput,
    DescribeTargetGroupAttributesInput, DescribeTargetGroupAttributesOutput, ListenerAttribute,
    LoadBalancerAttribute, ModifyListenerAttributesInput, ModifyListenerAttributesOutput,
    ModifyLoadBalancerAttributesInput, ModifyLoadBalancerAttributesOutput,
    ModifyTargetGroupAttributesInput, ModifyTargetGroupAttributesOutput, TargetGroupAttribute,
};
use store::Txn;
use wire::Fault;

use super::{fault, find, forward, log_bucket, target_group};
use crate::Ctx;

type Pair = (Option<String>, Option<String>);

/// What the words of a refusal need to know of a resource.
struct Kind<C: 'static> {
    table: &'static [Attribute<C>],
    class: C,
    /// `Load balancer`, `Listener`, `Target group`.
    name: &'static str,
    /// `load balancers of type 'application'` and the like.
    these: String,
}

impl<C: Copy + PartialEq> Kind<C> {
    /// All attributes in their order: key and value.
    fn all<'a>(&self, set: &'a Attributes) -> impl Iterator<Item = (String, String)> + use<'a, C> {
        let of_class = of(self.table, self.class);
        of_class.map(|a| (a.key.to_owned(), value(set, a.key, a.default).to_owned()))
    }

    /// The attributes after a request, all or none; only what differs from a default is kept.
    fn changed(&self, current: &Attributes, asked: Vec<Pair>) -> Result<Attributes, Fault> {
        let mut set = current.clone();
        for (key, value) in asked {
            let key = key.unwrap_or_default();
            let value = value.unwrap_or_default();
            let attribute = self.attribute(&key)?;
            if let Some(problem) = attribute.allowed.problem(&value) {
                let message = format!("'{key}' value '{value}' {problem}");
                return Err(Fault::validation(message));
            }
            if value == attribute.default {
                set.remove(&key);
            } else {
                set.insert(key, value);
            }
        }
        Ok(set)
    }

    fn attribute(&self, key: &str) -> Result<&'static Attribute<C>, Fault> {
        if let Some(attribute) = of(self.table, self.class).find(|a| a.key == key) {
            return Ok(attribute);
        }
        let Self { name, these, .. } = self;
        if self.table.iter().any(|attribute| attribute.key == key) {
            return Err(fault::configuration(format!(
                "{name} attribute key '{key}' is not supported on {these}"
            )));
        }
        Err(Fault::validation(format!("{name} attribute key '{key}' is not recognized")))
    }
}

fn kind_of_load_balancer(record: &LoadBalancer) -> Kind<LoadBalancerClass> {
    Kind {
        table: LOAD_BALANCER,
        class: LoadBalancerClass::of(record.kind, record.scheme),
        name: "Load balancer",
        these: "load balancers with type 'application'".to_owned(),
    }
}

fn kind_of_listener(record: &Listener) -> Kind<ListenerClass> {
    Kind {
        table: LISTENER,
        class: ListenerClass::of(&record.protocol),
        name: "Listener",
        these: format!("listeners with the {} protocol", record.protocol),
    }
}

fn kind_of_group(record: &TargetGroup) -> Kind<GroupClass> {
    let is_web = matches!(record.protocol.as_deref(), Some("HTTP" | "HTTPS"));
    let class = match record.target_type {
        TargetType::Lambda => GroupClass::Lambda,
        _ if is_web => GroupClass::Http,
        _ => GroupClass::Stream,
    };
    let these = match &record.protocol {
        Some(protocol) => format!("target groups with the {protocol} protocol"),
        None => {
            let name = target_group::type_name(record.target_type);
            format!("target groups with target type '{name}'")
        }
    };
    Kind { table: TARGET_GROUP, class, name: "Target group", these }
}

fn shown_load_balancer(record: &LoadBalancer) -> Option<Vec<LoadBalancerAttribute>> {
    let all = kind_of_load_balancer(record).all(&record.attributes);
    Some(
        all.map(|(key, value)| LoadBalancerAttribute { key: Some(key), value: Some(value) })
            .collect(),
    )
}

/// All attributes of a load balancer.
pub fn describe_load_balancer_attributes(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeLoadBalancerAttributesInput,
) -> Result<DescribeLoadBalancerAttributesOutput, Fault> {
    let record = find::load_balancer(ctx, state, &input.load_balancer_arn)?;
    Ok(DescribeLoadBalancerAttributesOutput { attributes: shown_load_balancer(&record) })
}

/// Changes attributes of a load balancer.
pub fn modify_load_balancer_attributes(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: ModifyLoadBalancerAttributesInput,
) -> Result<ModifyLoadBalancerAttributesOutput, Fault> {
    let record = find::load_balancer(ctx, txn, &input.load_balancer_arn)?;
    let asked = input.attributes.into_iter().map(|a| (a.key, a.value)).collect();
    let before = record;
    let mut record = LoadBalancer::clone(&before);
    record.attributes = kind_of_load_balancer(&record).changed(&record.attributes, asked)?;
    check_load_balancer(&record.attributes)?;
    log_bucket::check(ctx, &before, &record)?;
    let attributes = shown_load_balancer(&record);
    txn.put(record);
    Ok(ModifyLoadBalancerAttributesOutput { attributes })
}

/// DEVIATION: buckets of logs are folders: objects of bucket `B` are files below `s3/B` in the data
/// directory, or below `B` in the folder given with `--s3-dir`. Nothing is written to S3.
fn check_load_balancer(set: &Attributes) -> Result<(), Fault> {
    for log in ["access_logs", "connection_logs", "health_check_logs"] {
        let enabled = value(set, &format!("{log}.s3.enabled"), "false") == "true";
        let bucket = format!("{log}.s3.bucket");
        if enabled && value(set, &bucket, "").is_empty() {
            let message = format!("'{bucket}' must be specified when '{log}.s3.enabled' is 'true'");
            return Err(fault::configuration(message));
        }
        // AWS: the prefix must not contain the folder that AWS adds itself.
        let prefix = format!("{log}.s3.prefix");
        if value(set, &prefix, "").contains("AWSLogs") {
            return Err(fault::configuration(format!("'{prefix}' must not contain 'AWSLogs'")));
        }
    }
    // AWS: fixed for application load balancers.
    if value(set, "load_balancing.cross_zone.enabled", "true") == "false" {
        return Err(fault::configuration(
            "'load_balancing.cross_zone.enabled' cannot be 'false' for load balancers with type \
             'application'",
        ));
    }
    Ok(())
}

fn shown_listener(record: &Listener) -> Option<Vec<ListenerAttribute>> {
    let all = kind_of_listener(record).all(&record.attributes);
    Some(all.map(|(key, value)| ListenerAttribute { key: Some(key), value: Some(value) }).collect())
}

/// All attributes of a listener.
pub fn describe_listener_attributes(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeListenerAttributesInput,
) -> Result<DescribeListenerAttributesOutput, Fault> {
    let (record, _) = find::listener(ctx, state, &input.listener_arn)?;
    Ok(DescribeListenerAttributesOutput { attributes: shown_listener(&record) })
}

/// Changes attributes of a listener.
pub fn modify_listener_attributes(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: ModifyListenerAttributesInput,
) -> Result<ModifyListenerAttributesOutput, Fault> {
    let (record, _) = find::listener(ctx, txn, &input.listener_arn)?;
    let asked: Vec<Pair> = input.attributes.into_iter().map(|a| (a.key, a.value)).collect();
    for (key, value) in &asked {
        check_header_text(key.as_deref().unwrap_or(""), value.as_deref().unwrap_or(""))?;
    }
    let mut record = Listener::clone(&record);
    record.attributes = kind_of_listener(&record).changed(&record.attributes, asked)?;
    let attributes = shown_listener(&record);
    txn.put(record);
    Ok(ModifyListenerAttributesOutput { attributes })
}

/// What goes into a header must be able to stand there.
fn check_header_text(key: &str, value: &str) -> Result<(), Fault> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    let fits = if key.ends_with(".header_name") {
        !value.is_empty() && value.bytes().all(token)
    } else {
        value.bytes().all(|byte| (0x20..=0x7e).contains(&byte))
    };
    if fits {
        return Ok(());
    }
    Err(Fault::validation(format!("'{key}' value '{value}' contains invalid characters")))
}

fn shown_group(record: &TargetGroup) -> Option<Vec<TargetGroupAttribute>> {
    let all = kind_of_group(record).all(&record.attributes);
    Some(
        all.map(|(key, value)| TargetGroupAttribute { key: Some(key), value: Some(value) })
            .collect(),
    )
}

/// All attributes of a target group.
pub fn describe_target_group_attributes(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeTargetGroupAttributesInput,
) -> Result<DescribeTargetGroupAttributesOutput, Fault> {
    let record = find::target_group(ctx, state, &input.target_group_arn)?;
    Ok(DescribeTargetGroupAttributesOutput { attributes: shown_group(&record) })
}

/// Changes attributes of a target group.
pub fn modify_target_group_attributes(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: ModifyTargetGroupAttributesInput,
) -> Result<ModifyTargetGroupAttributesOutput, Fault> {
    let record = find::target_group(ctx, txn, &input.target_group_arn)?;
    let asked = input.attributes.into_iter().map(|a| (a.key, a.value)).collect();
    let mut record = TargetGroup::clone(&record);
    record.attributes = kind_of_group(&record).changed(&record.attributes, asked)?;
    check_stickiness(&record)?;
    check_algorithm(&record.attributes)?;
    check_cross_zone(txn, &record)?;
    check_thresholds(&record.attributes)?;
    let attributes = shown_group(&record);
    let arn = record.arn.clone();
    txn.put(record);
    for rule in rules_with(txn, &arn) {
        forward::check_group_stickiness(txn, &rule.actions)?;
    }
    Ok(ModifyTargetGroupAttributesOutput { attributes })
}

fn rules_with(state: &Snapshot, group: &TargetGroupArn) -> Vec<std::sync::Arc<Rule>> {
    let uses = |rule: &&std::sync::Arc<Rule>| find::groups_of(&rule.actions).any(|g| g == group);
    state.rules.iter().filter(uses).cloned().collect()
}

fn check_stickiness(record: &TargetGroup) -> Result<(), Fault> {
    let set = &record.attributes;
    let is_web = kind_of_group(record).class == GroupClass::Http;
    let kind = value(set, "stickiness.type", if is_web { "lb_cookie" } else { "source_ip" });
    if is_web == (kind == "source_ip") {
        return Err(fault::configuration(format!(
            "Stickiness type '{kind}' is not supported for target groups with the {} protocol",
            record.protocol.as_deref().unwrap_or("")
        )));
    }
    let cookie = value(set, "stickiness.app_cookie.cookie_name", "");
    if kind == "app_cookie" && cookie.is_empty() {
        return Err(fault::configuration(
            "You must set an application cookie name to enable stickiness of type 'app_cookie'",
        ));
    }
    // AWS: AWSALB, AWSALBAPP and AWSALBTG are the load balancer's own.
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if cookie.starts_with("AWSALB") || !cookie.bytes().all(token) {
        return Err(fault::configuration(format!(
            "The application cookie name '{cookie}' is not valid or is reserved"
        )));
    }
    Ok(())
}

/// DEVIATION: stickiness may be turned on beside the mitigation of anomalies, and goes before it;
/// AWS is said to refuse the two together.
fn check_algorithm(set: &Attributes) -> Result<(), Fault> {
    let algorithm = value(set, "load_balancing.algorithm.type", "round_robin");
    if value(set, "slow_start.duration_seconds", "0") != "0" && algorithm != "round_robin" {
        return Err(fault::configuration(format!(
            "Slow start cannot be enabled with the load balancing algorithm '{algorithm}'"
        )));
    }
    let mitigation = value(set, "load_balancing.algorithm.anomaly_mitigation", "off");
    if mitigation == "on" && algorithm != "weighted_random" {
        return Err(fault::configuration(format!(
            "Anomaly mitigation cannot be enabled with the load balancing algorithm '{algorithm}'"
        )));
    }
    Ok(())
}

fn check_cross_zone(state: &Snapshot, record: &TargetGroup) -> Result<(), Fault> {
    let set = &record.attributes;
    if value(set, "load_balancing.cross_zone.enabled", "") != "false" {
        return Ok(());
    }
    if value(set, "stickiness.enabled", "false") == "true" {
        return Err(fault::configuration(
            "Stickiness cannot be enabled when cross-zone load balancing is turned off",
        ));
    }
    let mut targets = state.targets.under(&record.arn);
    if targets.any(|target| target.zone.as_deref() == Some("all")) {
        return Err(fault::configuration(
            "Cross-zone load balancing cannot be turned off when a target has the Availability \
             Zone 'all'",
        ));
    }
    Ok(())
}

/// AWS: DNS failover must not be laxer than routing failover.
fn check_thresholds(set: &Attributes) -> Result<(), Fault> {
    let defaults = BTreeMap::from([("count", "1"), ("percentage", "off")]);
    for (unit, default) in defaults {
        let number = |action: &str| {
            let key = format!("target_group_health.{action}.minimum_healthy_targets.{unit}");
            value(set, &key, default).parse::<u32>().ok()
        };
        let pair = number("dns_failover").zip(number("unhealthy_state_routing"));
        if pair.is_some_and(|(dns, routing)| dns < routing) {
            return Err(fault::configuration(format!(
                "The minimum healthy target {unit} for DNS failover must be greater than or equal \
                 to that for routing failover"
            )));
        }
    }
    Ok(())
}
