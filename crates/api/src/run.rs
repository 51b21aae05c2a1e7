//! Runs an operation: reads on the published state, writes in a transaction, and a write is
//! answered only when the data plane serves it, so that the very next request sees the change.

// DEVIATION: Calls of the control API are not throttled; AWS's rates (for API Gateway ten calls per
// second, one CreateVpcLink in 15 seconds and one DeleteVpcLink in 30) do not hold here.

use std::convert::Infallible;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use control::{Ctx, Operation, Run};
use model::{Revision, Timestamp};
use store::{Aborted, StoreError};
use tracing::{debug, error};
use wire::sigv4::{self, Family};
use wire::{Fault, Node, Reply};

use crate::dispatch::{self, Meant};
use crate::identify::{self, Caller};
use crate::{Api, Call, guard, wait};

/// How long a write waits for the data plane before it is answered anyway, in seconds. It takes
/// milliseconds; only a stuck applier comes near this.
const LIVE_WITHIN_SECONDS: u64 = 10;

impl Api {
    /// Answers one call.
    pub async fn call(&self, call: Call) -> Reply {
        let mut rng = fastrand::Rng::new();
        let request_id = request_id(&mut rng);
        let state = self.store.snapshot();
        let required = self.signatures_required;
        let caller = guard::check(&call)
            .and_then(|()| identify::caller(&call, &state, &self.settings, now(), required));
        let signing_name = caller.as_ref().ok().and_then(|caller| caller.signing_name.clone());
        let service = match dispatch::service(&call, signing_name.as_deref()) {
            Ok(service) => service,
            Err(fault) => return unaddressed(&call, caller.err().unwrap_or(fault), &request_id),
        };
        let asked = caller
            .map_err(|fault| sigv4::spell(fault, family(service)))
            .and_then(|caller| Ok((caller, dispatch::operation(service, &call)?)));
        let (caller, meant) = match asked {
            Ok(asked) => asked,
            Err(fault) => return refuse(service, &fault, &request_id),
        };
        let operation = meant.operation;
        let wait = wait::asked(&call, operation.name);
        match self.run_when(caller, meant, &request_id, rng.u64(..), wait).await {
            Ok(output) => answer(service, operation, &output, &request_id),
            Err(fault) => refuse(service, &fault, &request_id),
        }
    }

    pub(crate) async fn run(
        &self,
        caller: Caller,
        meant: Meant,
        request_id: &str,
        seed: u64,
    ) -> Result<Node, Fault> {
        let (service, name) = (meant.operation.service, meant.operation.name);
        let Some(operation) = control::find(service, name).or_else(|| deploy::find(service, name))
        else {
            let service = shapes::service(service).ok_or_else(|| Fault::internal("no service"))?;
            return Err(dispatch::missing_operation(service, name));
        };
        let api = self.clone();
        let request_id = request_id.to_owned();
        let begun = Instant::now();
        let work = move || {
            let waited = begun.elapsed();
            (api.run_blocking(operation, &caller, &meant.input, request_id, seed), waited)
        };
        let (done, waited) = match operation.run {
            Run::Read(_) => work(),
            Run::Write(_) => tokio::task::spawn_blocking(work).await.map_err(panicked)?,
        };
        let (output, revision) = done?;
        if let Some(revision) = revision {
            let ran = begun.elapsed();
            self.until_live(revision).await;
            debug!(
                target: "breezeway::write",
                name,
                revision,
                thread_us = waited.as_micros() as u64,
                run_us = (ran - waited).as_micros() as u64,
                live_us = (begun.elapsed() - ran).as_micros() as u64,
                "live"
            );
        }
        Ok(output)
    }

    fn run_blocking(
        &self,
        operation: &Operation,
        caller: &Caller,
        input: &Node,
        request_id: String,
        seed: u64,
    ) -> Result<(Node, Option<Revision>), Fault> {
        let Caller { scope, principal, signing_name: _ } = caller;
        let (scope, principal) = (scope.clone(), principal.clone());
        let health = self.health.borrow().clone();
        let ctx = Ctx::new(&self.settings, scope, principal, now(), request_id, seed)
            .with_health(health)
            .with_entropy(entropy()?);
        match operation.run {
            Run::Read(read) => {
                self.prepare_region(&ctx)?;
                let state = self.store.snapshot();
                // What a caller has read is live too: a stack that is complete serves requests.
                Ok((read(&ctx, &state, input)?, Some(state.revision)))
            }
            Run::Write(write) => {
                let committed = self.store.transact(|txn| {
                    control::ec2::default_vpc::ensure(&ctx, txn);
                    write(&ctx, txn, input)
                });
                match committed {
                    Ok(committed) => Ok((committed.value, Some(committed.revision))),
                    Err(Aborted::Operation(fault)) => Err(fault),
                    Err(Aborted::Store(error)) => Err(store_fault(&error)),
                }
            }
        }
    }

    /// Each region has a default VPC from the first time that anyone looks at it.
    fn prepare_region(&self, ctx: &Ctx<'_>) -> Result<(), Fault> {
        if !control::ec2::default_vpc::needs_default(&self.store.snapshot(), &ctx.scope) {
            return Ok(());
        }
        let made = self.store.transact(|txn| {
            control::ec2::default_vpc::ensure(ctx, txn);
            Ok::<(), Infallible>(())
        });
        match made {
            Ok(_) => Ok(()),
            Err(Aborted::Operation(never)) => match never {},
            Err(Aborted::Store(error)) => Err(store_fault(&error)),
        }
    }

    /// Waits until the data plane serves `revision`.
    pub async fn until_live(&self, revision: Revision) {
        let (mut applied, mut predecessor) = (self.applied.clone(), self.predecessor.clone());
        let live = async {
            // An error means that nobody is left to wait for.
            let _here = applied.wait_for(|applied| *applied >= revision).await;
            let _there = predecessor.wait_for(|served| *served >= revision).await;
        };
        let limit = Duration::from_secs(LIVE_WITHIN_SECONDS);
        if tokio::time::timeout(limit, live).await.is_err() {
            error!(revision, "the data plane has not taken up this revision yet");
        }
    }
}

/// The time, for `Ctx`. The one clock of the control plane.
pub fn now() -> Timestamp {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
}

/// What secrets are made from: bytes that nobody can guess.
fn entropy() -> Result<[u8; 32], Fault> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        error!(%error, "the operating system gives no random bytes");
        Fault::internal("The operating system gives no random bytes.")
    })?;
    Ok(bytes)
}

fn request_id(rng: &mut fastrand::Rng) -> String {
    let (a, b) = (rng.u64(..), rng.u64(..));
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        (b >> 48) & 0x3fff | 0x8000,
        b & 0xffff_ffff_ffff
    )
}

fn store_fault(error: &StoreError) -> Fault {
    error!(%error, "a change was not committed");
    Fault::internal(format!("The change was not made: {error}"))
}

#[allow(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn panicked(error: tokio::task::JoinError) -> Fault {
    error!(%error, "an operation ended unexpectedly");
    Fault::internal("The operation ended unexpectedly; nothing was changed.")
}

/// The family whose spelling of authentication faults a service uses.
fn family(service: &shapes::Service) -> Family {
    match service.protocol {
        shapes::Protocol::Query => Family::Query,
        shapes::Protocol::Ec2 => Family::Ec2,
        shapes::Protocol::RestJson | shapes::Protocol::Json11 => Family::Json,
    }
}

fn answer(
    service: &shapes::Service,
    operation: &shapes::Operation,
    output: &Node,
    request_id: &str,
) -> Reply {
    use wire::protocol::{ec2, json11, query, rest_json};
    let (name, has_output, namespace) = (operation.name, operation.has_output, service.namespace);
    match service.protocol {
        shapes::Protocol::RestJson => rest_json::answer(operation.success, output, request_id),
        shapes::Protocol::Json11 => json11::answer(output, request_id),
        shapes::Protocol::Query => query::answer(name, has_output, namespace, output, request_id),
        shapes::Protocol::Ec2 => ec2::answer(name, has_output, namespace, output, request_id),
    }
}

fn refuse(service: &shapes::Service, fault: &Fault, request_id: &str) -> Reply {
    use wire::protocol::{ec2, json11, query, rest_json};
    match service.protocol {
        shapes::Protocol::RestJson => rest_json::fault(fault, request_id),
        shapes::Protocol::Json11 => json11::fault(fault, request_id),
        shapes::Protocol::Query => query::fault(service.namespace, fault, request_id),
        shapes::Protocol::Ec2 => ec2::fault(fault, request_id),
    }
}

/// A refusal for a request of unknown service: XML for what looks like a form or is meant for S3,
/// else JSON.
#[allow(clippy::needless_pass_by_value, reason = "it is the end of the fault's way")]
fn unaddressed(call: &Call, fault: Fault, request_id: &str) -> Reply {
    use wire::protocol::{json11, query, rest_json};
    let form = call.header("content-type").is_some_and(|kind| kind.contains("form-urlencoded"));
    let s3 = call.header("authorization").is_some_and(|value| value.contains("/s3/aws4_request"));
    match () {
        () if call.header("x-amz-target").is_some() => json11::fault(&fault, request_id),
        () if form || s3 || call.query.contains("Action=") => query::fault("", &fault, request_id),
        () => rest_json::fault(&fault, request_id),
    }
}
