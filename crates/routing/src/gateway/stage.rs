//! Which stage of an API a path is for.

use std::borrow::Cow;

use crate::finding::{Refusal, Step};
use crate::front::ApiFront;
use crate::gateway::errors::Kind;
use crate::gateway::path;
use crate::tables::{Fault, StageTable};

/// A stage and the path of the request.
#[derive(Debug)]
pub struct Selected<'t, 'v> {
    /// The stage.
    pub stage: &'t StageTable,
    /// The decoded path; a named stage's name is its first segment.
    pub path: Cow<'v, [u8]>,
    /// Bytes of `path` that name the stage.
    pub prefix: usize,
}

impl Selected<'_, '_> {
    /// The decoded path that routes are matched with.
    pub fn route_path(&self) -> &[u8] {
        match &self.path[self.prefix..] {
            // AWS: an empty path is `/`.
            [] => b"/",
            rest => rest,
        }
    }
}

/// The stage for a target.
///
/// AWS: when the first segment is the name of a stage, that stage, and the segment is no part of
/// what is matched; else `$default` if there is one; else 404.
pub fn select<'t, 'v>(front: &ApiFront<'t>, target: &'v str) -> Result<Selected<'t, 'v>, Fault> {
    let stages = &front.api.stages;
    let raw = target.split('?').next().unwrap_or("");
    let mut path = path::decode(raw.get(front.skip..).unwrap_or(""));
    let first = path[1..].split(|byte| *byte == b'/').next().unwrap_or(b"");
    let named = std::str::from_utf8(first).ok();
    let given_default = named == Some("$default");
    if let Some(stage) = named.filter(|_| !given_default).and_then(|name| stages.get(name)) {
        let prefix = 1 + first.len();
        return Ok(Selected { stage, path, prefix });
    }
    let Some(stage) = stages.get("$default") else {
        let name = String::from_utf8_lossy(first);
        let api = &front.api.id;
        let reason = format!("API {api} has no stage named {name:?} and no $default stage");
        return Err(Fault { kind: Kind::NotFound, refusal: Refusal::new(Step::Stage, reason) });
    };
    // The path form may name `$default` like any stage; it is never a part of the path.
    if given_default && front.skip > 0 {
        let rest = &path[1 + "$default".len()..];
        path = Cow::from(if rest.is_empty() { b"/".to_vec() } else { rest.to_vec() });
    }
    Ok(Selected { stage, path, prefix: 0 })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::live::Bound;
    use crate::tables::ApiTable;

    fn api(names: &[&str]) -> ApiTable {
        let stage = |name: &&str| {
            let stage = StageTable {
                name: (*name).into(),
                deployment: None,
                variables: Default::default(),
                routes: None,
                live: Bound::default(),
            };
            ((*name).into(), Arc::new(stage))
        };
        ApiTable {
            id: "abc".into(),
            account: "0".into(),
            region: "us-east-1".into(),
            name: "test".into(),
            stages: names.iter().map(stage).collect(),
            findings: Vec::new(),
        }
    }

    #[test]
    fn the_first_segment_or_default() {
        let check = |stages: &[&str], target: &str, expect: &str| {
            let api = api(stages);
            let skip = if target.starts_with("/_aws/") { "/_aws/execute-api/abc".len() } else { 0 };
            let got = match select(&ApiFront { api: &api, skip }, target) {
                Ok(found) => format!(
                    "{} {} {}",
                    found.stage.name,
                    String::from_utf8_lossy(&found.path),
                    String::from_utf8_lossy(found.route_path())
                ),
                Err(fault) => format!("{}", fault.kind.status()),
            };
            assert_eq!(got, expect, "{stages:?} {target}");
        };
        let both = ["$default", "dev"];
        check(&both, "/dev/pets?a=/b", "dev /dev/pets /pets");
        check(&both, "/dev", "dev /dev /");
        check(&both, "/dev/", "dev /dev/ /");
        check(&both, "/devil", "$default /devil /devil");
        check(&both, "/", "$default / /");
        check(&both, "", "$default / /");
        check(&both, "?x=1", "$default / /");
        check(&both, "/d%65v/x", "dev /dev/x /x");
        check(&both, "/$default/x", "$default /$default/x /$default/x");
        check(&["dev"], "/pets", "404");
        check(&["dev"], "/", "404");
        check(&[], "/dev", "404");
        check(&both, "/_aws/execute-api/abc/dev/pets", "dev /dev/pets /pets");
        check(&both, "/_aws/execute-api/abc/pets", "$default /pets /pets");
        check(&both, "/_aws/execute-api/abc/$default/pets", "$default /pets /pets");
        check(&both, "/_aws/execute-api/abc/%24default/pets", "$default /pets /pets");
        check(&both, "/_aws/execute-api/abc/$default", "$default / /");
        check(&both, "/_aws/execute-api/abc", "$default / /");
        check(&["dev"], "/_aws/execute-api/abc/$default/x", "404");
    }
}
