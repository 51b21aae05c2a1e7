//! Questions of discovery that wait for news: they are answered once the service has a newer
//! revision than the client knows, or when the client's patience is over.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use wire::{Fault, Node};

use crate::dispatch::Meant;
use crate::identify::Caller;
use crate::{Api, Call};

/// The revision that a client knows.
pub const REVISION: &str = "x-breezeway-wait-revision";
/// How many seconds it waits for a newer one.
pub const SECONDS: &str = "x-breezeway-wait-seconds";
/// Seconds that a client waits unless it says otherwise.
const USUAL_SECONDS: u64 = 30;
/// Seconds that a client may wait.
pub const MOST_SECONDS: u64 = 300;
/// The operations that can wait.
const OPERATIONS: [&str; 2] = ["DiscoverInstances", "DiscoverInstancesRevision"];

/// What a client waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    revision: i64,
    time: Duration,
}

/// What a call waits for, if it does.
///
/// DEVIATION: DiscoverInstances and DiscoverInstancesRevision wait where the header
/// `x-breezeway-wait-revision` names a revision: until the service has a newer one, for 30 seconds
/// or as `x-breezeway-wait-seconds` says (300 at most); AWS answers at once.
pub fn asked(call: &Call, operation: &str) -> Option<Wait> {
    let revision = call.header(REVISION)?.trim().parse().ok()?;
    let seconds = call.header(SECONDS).and_then(|seconds| seconds.trim().parse().ok());
    let time = Duration::from_secs(seconds.unwrap_or(USUAL_SECONDS).min(MOST_SECONDS));
    OPERATIONS.contains(&operation).then_some(Wait { revision, time })
}

impl Api {
    /// Runs an operation, again with each change while its answer is not what the client waits for.
    pub(crate) async fn run_when(
        &self,
        caller: Caller,
        meant: Meant,
        request_id: &str,
        seed: u64,
        wait: Option<Wait>,
    ) -> Result<Node, Fault> {
        let Some(Wait { revision, time }) = wait else {
            return self.run(caller, meant, request_id, seed).await;
        };
        let (deadline, mut applied) = (Instant::now() + time, self.applied.clone());
        loop {
            applied.mark_unchanged();
            let output = self.run(caller.clone(), meant.clone(), request_id, seed).await?;
            let known = matches!(
                output.get("InstancesRevision"),
                Some(Node::Int(newest)) if *newest <= revision
            );
            // An error means that the node stops: then there is no news.
            let changed = async { applied.changed().await.is_ok() };
            if !known || !timeout_at(deadline, changed).await.unwrap_or(false) {
                return Ok(output);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_operations_wait_where_the_header_says_so() {
        let check = |operation: &str, headers: &[(&str, &str)], expect: Option<(i64, u64)>| {
            let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
            let call = Call { headers: headers.collect(), ..Call::default() };
            let expect = expect
                .map(|(revision, seconds)| Wait { revision, time: Duration::from_secs(seconds) });
            assert_eq!(asked(&call, operation), expect, "{operation}");
        };
        let seven = ("X-Breezeway-Wait-Revision", "7");
        check("DiscoverInstances", &[seven], Some((7, 30)));
        check("DiscoverInstancesRevision", &[seven, (SECONDS, "1")], Some((7, 1)));
        check("DiscoverInstances", &[seven, (SECONDS, "9999")], Some((7, 300)));
        check("DiscoverInstances", &[seven, (SECONDS, "x")], Some((7, 30)));
        check("DiscoverInstances", &[(REVISION, "x")], None);
        check("DiscoverInstances", &[], None);
        check("ListInstances", &[seven], None);
    }
}
