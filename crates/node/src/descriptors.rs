//! How many files and sockets the process may have open: as many as the machine lets it. The usual
//! soft limit is 1,024, for programs that still wait with `select`; we do not.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit to the hard one. Fewer descriptors only mean fewer connections, so a
/// failure is told and no more.
pub(crate) fn raise() {
    let limits = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limits.maximum, maximum: limits.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, soft = limits.current, "the limit of open files stays as it is");
    }
}
