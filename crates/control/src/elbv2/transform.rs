//! Transforms of rules: from the API to records and back. What they do is `routing`'s affair.

use model::balancer::{Transform, TransformKind};
use shapes::elbv2 as out;
use wire::Fault;

use super::condition_value::refuse;
use super::expression;

/// Characters of an expression and of a replacement. AWS: 1,024.
const LONGEST: usize = 1024;

/// Reads the transforms of a rule. AWS: at most one of each type, with one rewrite in each.
///
/// Errors: `ValidationError`.
pub fn read(transforms: Vec<out::RuleTransform>) -> Result<Vec<Transform>, Fault> {
    let transforms: Vec<_> = transforms.into_iter().map(one).collect::<Result<_, _>>()?;
    for kind in [TransformKind::Host, TransformKind::Url] {
        if transforms.iter().filter(|transform| transform.kind == kind).count() > 1 {
            return refuse(format!("A rule can have only one '{}' transform", name(kind)));
        }
    }
    Ok(transforms)
}

fn name(kind: TransformKind) -> &'static str {
    match kind {
        TransformKind::Host => "host-header-rewrite",
        TransformKind::Url => "url-rewrite",
    }
}

fn config(kind: TransformKind) -> &'static str {
    match kind {
        TransformKind::Host => "HostHeaderRewriteConfig",
        TransformKind::Url => "UrlRewriteConfig",
    }
}

fn one(transform: out::RuleTransform) -> Result<Transform, Fault> {
    let out::RuleTransform { r#type, host_header_rewrite_config, url_rewrite_config } = transform;
    let host = host_header_rewrite_config.map(|config| config.rewrites.unwrap_or_default());
    let url = url_rewrite_config.map(|config| config.rewrites.unwrap_or_default());
    let (kind, own, other) = match r#type.as_str() {
        "host-header-rewrite" => (TransformKind::Host, host, url),
        // The model has checked that there is no third one.
        _ => (TransformKind::Url, url, host),
    };
    let (own_name, name) = (config(kind), name(kind));
    if other.is_some() {
        return refuse(format!("Only '{own_name}' can be specified with '{name}'"));
    }
    let Some(rewrites) = own else {
        return refuse(format!("A '{own_name}' must be specified with '{name}'"));
    };
    let [rewrite] = <[out::RewriteConfig; 1]>::try_from(rewrites)
        .or_else(|_| refuse(format!("Exactly one rewrite must be specified in '{own_name}'")))?;
    let out::RewriteConfig { regex, replace } = rewrite;
    for (what, text) in [("Regex", &regex), ("Replace", &replace)] {
        if text.chars().count() > LONGEST {
            return refuse(format!("The '{what}' value is too long; the limit is '{LONGEST}'"));
        }
    }
    if regex.is_empty() {
        return refuse("The regular expression of a rewrite must not be empty");
    }
    if let Some(why) = expression::problem(&regex) {
        return refuse(format!("The regular expression '{regex}' is not valid: {why}"));
    }
    Ok(Transform { kind, regex, replace })
}

/// Transforms as the API shows them.
pub fn show(transforms: &[Transform]) -> Vec<out::RuleTransform> {
    let one = |transform: &Transform| {
        let Transform { kind, regex, replace } = transform.clone();
        let rewrites = Some(vec![out::RewriteConfig { regex, replace }]);
        let is_host = kind == TransformKind::Host;
        out::RuleTransform {
            r#type: name(kind).to_owned(),
            host_header_rewrite_config: is_host
                .then(|| out::HostHeaderRewriteConfig { rewrites: rewrites.clone() }),
            url_rewrite_config: (!is_host).then_some(out::UrlRewriteConfig { rewrites }),
        }
    };
    transforms.iter().map(one).collect()
}
