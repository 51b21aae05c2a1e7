//! Buckets: folders whose files are objects. Where an object is, not what is in it.

use std::path::{Component, Path, PathBuf};

/// The longest key of an object, in bytes. AWS: 1,024.
pub const LONGEST_KEY: usize = 1024;

/// The folder of all buckets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buckets(pub PathBuf);

impl Buckets {
    /// The file of an object; nothing for names that would lead out of the bucket.
    pub fn object(&self, bucket: &str, key: &str) -> Option<PathBuf> {
        let is_name = |part: Component<'_>| matches!(part, Component::Normal(_));
        let one = Path::new(bucket).components().count() == 1;
        let plain = Path::new(bucket).components().chain(Path::new(key).components()).all(is_name);
        let fits = !key.is_empty() && key.len() <= LONGEST_KEY;
        (one && plain && fits).then(|| self.0.join(bucket).join(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_stay_in_their_bucket() {
        let check = |bucket: &str, key: &str, expect: Option<&str>| {
            let path = Buckets("/s3".into()).object(bucket, key);
            assert_eq!(path.as_deref(), expect.map(Path::new), "{bucket} {key}");
        };
        check("b", "a/c", Some("/s3/b/a/c"));
        check("b", "", None);
        check("b", "../c", None);
        check("b", "a/../../c", None);
        check("b", "/etc/passwd", None);
        check("b/c", "d", None);
        check("..", "d", None);
        check("/etc", "d", None);
        check("", "d", None);
        check("b", &"x".repeat(LONGEST_KEY), Some(&format!("/s3/b/{}", "x".repeat(LONGEST_KEY))));
        check("b", &"x".repeat(LONGEST_KEY + 1), None);
    }
}
