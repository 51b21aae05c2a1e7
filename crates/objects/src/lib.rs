//! The object folder: what stands for S3. An object `KEY` of a bucket `BUCKET` is the file
//! `BUCKET/KEY` below it, which people and programs put there as they please.
//!
//! Names that would lead out of the folder are refused, be it by `..` or by a symbolic link. There
//! are no versions, no permissions and no protocol here.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

/// The longest key, in bytes. AWS: 1,024.
const MAX_KEY: usize = 1024;

/// Why an object cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// There is none of this name.
    #[error("there is no object {key} in the bucket {bucket}: no file {path}")]
    Missing {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
        /// Where it would be.
        path: PathBuf,
    },
    /// The name leads elsewhere, or cannot be a file's.
    #[error("{0:?} cannot be the name of an object here")]
    Name(String),
    /// It is larger than it may be.
    #[error("the object has more than {0} bytes")]
    TooLarge(usize),
    /// The file system says no.
    #[error("{path}: {cause}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

/// An object folder. It need not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder at a path.
    pub fn new(path: impl Into<PathBuf>) -> Folder {
        Folder(path.into())
    }

    /// Reads an object of at most `limit` bytes.
    pub fn read(&self, bucket: &str, key: &str, limit: usize) -> Result<Vec<u8>, ObjectError> {
        let path = self.path(bucket, key)?;
        let real = match path.canonicalize() {
            Ok(real) => real,
            Err(error) => return Err(failed(bucket, key, path, error)),
        };
        self.check_inside(&real, key)?;
        let mut bytes = Vec::new();
        let read = File::open(&real).and_then(|file| {
            // Folders and devices are no objects.
            if !file.metadata()?.is_file() {
                return Err(io::ErrorKind::NotFound.into());
            }
            file.take(limit as u64 + 1).read_to_end(&mut bytes)
        });
        match read {
            Ok(_) if bytes.len() > limit => Err(ObjectError::TooLarge(limit)),
            Ok(_) => Ok(bytes),
            Err(error) => Err(failed(bucket, key, path, error)),
        }
    }

    /// Writes an object, in the place of any with its name. A reader sees the old one or the new
    /// one, never half of it.
    pub fn write(&self, bucket: &str, key: &str, bytes: &[u8]) -> Result<(), ObjectError> {
        let path = self.path(bucket, key)?;
        let fail = |cause| ObjectError::Io { path: path.clone(), cause };
        let parent = path.parent().unwrap_or(&self.0);
        std::fs::create_dir_all(parent).map_err(fail)?;
        self.check_inside(&parent.canonicalize().map_err(fail)?, key)?;
        let mut aside = path.clone().into_os_string();
        aside.push(".part");
        std::fs::write(&aside, bytes).map_err(fail)?;
        std::fs::rename(&aside, &path).map_err(fail)
    }

    /// Where an object is, if the names are such as can be.
    fn path(&self, bucket: &str, key: &str) -> Result<PathBuf, ObjectError> {
        let refuse = |name: &str| Err(ObjectError::Name(name.to_owned()));
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
        if bucket.is_empty() || bucket.starts_with('.') || !bucket.bytes().all(allowed) {
            return refuse(bucket);
        }
        let plain = |component: Component<'_>| matches!(component, Component::Normal(_));
        let is_path = !key.is_empty()
            && key.len() <= MAX_KEY
            && !key.contains(['\0', '\\'])
            && !key.split('/').any(|part| part.is_empty() || part == "." || part == "..")
            && Path::new(key).components().all(plain);
        if !is_path {
            return refuse(key);
        }
        Ok(self.0.join(bucket).join(key))
    }

    /// A symbolic link may stand inside the folder, but not lead out of it.
    fn check_inside(&self, real: &Path, key: &str) -> Result<(), ObjectError> {
        let root = self.0.canonicalize();
        let root = root.map_err(|cause| ObjectError::Io { path: self.0.clone(), cause })?;
        match real.starts_with(root) {
            true => Ok(()),
            false => Err(ObjectError::Name(key.to_owned())),
        }
    }
}

fn failed(bucket: &str, key: &str, path: PathBuf, cause: io::Error) -> ObjectError {
    match cause.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            ObjectError::Missing { bucket: bucket.to_owned(), key: key.to_owned(), path }
        }
        _ => ObjectError::Io { path, cause },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_files_below_the_folder() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path().join("s3"));
        folder.write("pki", "a/ca.pem", b"one").unwrap();
        folder.write("pki", "a/ca.pem", b"two").unwrap();
        assert_eq!(folder.read("pki", "a/ca.pem", 3).unwrap(), b"two");
        assert_eq!(std::fs::read(root.path().join("s3/pki/a/ca.pem")).unwrap(), b"two");
        let large = folder.read("pki", "a/ca.pem", 2).unwrap_err();
        assert!(matches!(large, ObjectError::TooLarge(2)), "{large}");
        for (bucket, key) in [("pki", "b.pem"), ("other", "a"), ("pki", "a"), ("pki", "a/ca.pem/x")]
        {
            let error = folder.read(bucket, key, 10).unwrap_err();
            assert!(matches!(error, ObjectError::Missing { .. }), "{bucket} {key}: {error}");
        }
    }

    #[test]
    fn nothing_leads_out_of_the_folder() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path().join("s3"));
        std::fs::write(root.path().join("secret"), "x").unwrap();
        folder.write("b", "k", b"1").unwrap();
        let names = [
            ("..", "secret"),
            (".", "secret"),
            ("", "k"),
            ("b/..", "k"),
            ("b", "../../secret"),
            ("b", "a/../../../secret"),
            ("b", "/etc/passwd"),
            ("b", "a//b"),
            ("b", "./k"),
            ("b", ""),
            ("b", "a\\b"),
            ("b", "a\0b"),
        ];
        for (bucket, key) in names {
            for error in [
                folder.read(bucket, key, 10).map(drop).unwrap_err(),
                folder.write(bucket, key, b"x").unwrap_err(),
            ] {
                assert!(matches!(error, ObjectError::Name(_)), "{bucket} {key}: {error}");
            }
        }
        std::os::unix::fs::symlink(root.path(), root.path().join("s3/b/out")).unwrap();
        for error in [
            folder.read("b", "out/secret", 10).map(drop).unwrap_err(),
            folder.write("b", "out/new", b"x").unwrap_err(),
        ] {
            assert!(matches!(error, ObjectError::Name(_)), "{error}");
        }
        assert!(!root.path().join("new").exists());
    }
}
