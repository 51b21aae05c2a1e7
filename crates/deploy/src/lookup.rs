//! What a template asks of the account: do ids exist, what does the parameter store hold, what do
//! other stacks export.

use std::collections::BTreeMap;
use std::hash::Hasher;

use model::{InstanceId, Scope, SecurityGroupId, Snapshot, SubnetId, VpcId};

/// Whether an id of a parameter type like `AWS::EC2::VPC::Id` exists in `scope`. Kinds of things
/// that there are none of here (key pairs, volumes, hosted zones, buckets) count as existing.
pub fn exists(state: &Snapshot, scope: &Scope, kind: &str, id: &str) -> bool {
    match kind {
        "AWS::EC2::VPC::Id" => state.vpcs.get(&VpcId::from(id)).is_some_and(|r| r.scope == *scope),
        "AWS::EC2::Subnet::Id" => {
            state.subnets.get(&SubnetId::from(id)).is_some_and(|r| r.scope == *scope)
        }
        "AWS::EC2::SecurityGroup::Id" => {
            state.security_groups.get(&SecurityGroupId::from(id)).is_some_and(|r| r.scope == *scope)
        }
        "AWS::EC2::SecurityGroup::GroupName" => {
            state.security_groups.iter().any(|r| r.scope == *scope && r.name == id)
        }
        "AWS::EC2::Instance::Id" => {
            state.instances.get(&InstanceId::from(id)).is_some_and(|r| r.scope == *scope)
        }
        "AWS::EC2::AvailabilityZone::Name" => scope.zones().iter().any(|zone| zone == id),
        // AWS: 8 or 17 hex digits. Images are not listed here, so the form is all there is.
        "AWS::EC2::Image::Id" => id.strip_prefix("ami-").is_some_and(|digits| {
            (8..=17).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit())
        }),
        _ => true,
    }
}

/// What the parameter store holds under the given keys; keys that hold nothing are left out.
// DEVIATION: the parameter store holds only the public parameters of machine images under
// /aws/service/, each with an image id made up from its key.
pub fn stored(keys: Vec<String>) -> BTreeMap<String, String> {
    let image = |key: String| {
        let is_image = key.starts_with("/aws/service/")
            && (key.ends_with("/image_id")
                || key.starts_with("/aws/service/ami-")
                || key.contains("/ami-id"));
        is_image.then(|| (key.clone(), image_id(&key)))
    };
    keys.into_iter().filter_map(image).collect()
}

fn image_id(key: &str) -> String {
    // FNV-1a: the same on every machine and in every version.
    struct Fnv(u64);
    impl Hasher for Fnv {
        fn finish(&self) -> u64 {
            self.0
        }
        fn write(&mut self, bytes: &[u8]) {
            for byte in bytes {
                self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
    }
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    hasher.write(key.as_bytes());
    format!("ami-0{:016x}", hasher.finish())
}

/// Values that stacks of `scope` export, by name.
pub fn exports(state: &Snapshot, scope: &Scope) -> BTreeMap<String, String> {
    let mut exports = BTreeMap::new();
    for stack in state.stacks.iter().filter(|s| s.scope == *scope && s.deleted.is_none()) {
        for output in stack.outputs.values() {
            exports.extend(output.export.clone().map(|name| (name, output.value.clone())));
        }
    }
    exports
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_parameters_are_images() {
        let key = "/aws/service/ecs/optimized-ami/amazon-linux-2/recommended/image_id";
        let stored = stored(vec![key.to_string(), "/mine".to_string()]);
        let scope = Scope::new("0", "us-east-1");
        assert_eq!(stored.len(), 1);
        assert!(exists(&Snapshot::default(), &scope, "AWS::EC2::Image::Id", &stored[key]));
        assert!(!exists(&Snapshot::default(), &scope, "AWS::EC2::Image::Id", "ami-x"));
        assert!(!exists(&Snapshot::default(), &scope, "AWS::EC2::VPC::Id", "vpc-1"));
        assert!(exists(
            &Snapshot::default(),
            &scope,
            "AWS::EC2::AvailabilityZone::Name",
            "us-east-1b"
        ));
    }
}
