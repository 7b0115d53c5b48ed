//! Fetch, key 1, versions 0 to 18.
//!
//! Answers at once when enough bytes are there, or something is wrong; else it waits, woken by the partitions'
//! watches, up to the time that the client gives. Batches leave as they lie in the log, whole: the first may begin
//! before the offset that was asked for, and the first of all is never held back for its size (KIP-74).
//!
//! Sessions (KIP-227) spare both sides what did not change, see `session`. Not done: followers are not served.
//!
//! With isolation level 1, read_committed, a fetch ends at the last stable offset, and names the aborted transactions among
//! what it returns: clients leave their records out. A transaction's marker moves the high watermark, so whoever waits for
//! the last stable offset wakes, too.
//!
//! Versions 0 and 1 get message sets of magic 0, 2 and 3 of magic 1. Zstd needs version 10. From version 13 topics go
//! by id.

mod plan;
mod read;
mod session;

use std::time::Duration;

use futures::future::Either;
use protocol::messages::{FetchRequest, FetchResponse};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};

use crate::context::{Context, turned};
use crate::long_poll;
use crate::memory::Lease;
use plan::Plan;
use session::Kind;
pub(crate) use session::Sessions;

/// No client waits longer than this, whatever it says.
const MAX_WAIT: Duration = Duration::from_secs(300);

/// The answer, and the memory that its records take.
pub(crate) fn handle(
    context: &Context,
    mut request: FetchRequest,
) -> impl Future<Output = (FetchResponse, Lease)> + Send + use<> {
    let mut lease = context.shared.memory.lease();
    let shared = std::sync::Arc::clone(&context.shared);
    let (version, now) = (context.api_version, shared.env.clock.monotonic());
    let kind = match shared.fetch_sessions.begin(&mut request, version, now) {
        Ok(kind) => kind,
        Err(error) => {
            let refused = FetchResponse { error_code: error.code(), ..Default::default() };
            return Either::Left(std::future::ready((refused, lease)));
        }
    };
    let remembered = if kind == Kind::First { request.topics.clone() } else { Vec::new() };
    let wait = Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0)).min(MAX_WAIT);
    let min_bytes = usize::try_from(request.min_bytes).unwrap_or(0);
    let plan = std::sync::Arc::new(Plan::new(context, request));
    let mut closing = context.shared.closing.clone();
    Either::Right(async move {
        let deadline = Instant::now() + wait;
        // Made when there is something to wait for, and looked behind once: it may have come in between.
        let mut watches = None;
        let mut last_chance = wait.is_zero();
        loop {
            if last_chance || plan.is_ready(min_bytes) {
                lease.grow_to(plan.bytes_at_most()).await;
                let read = match read::read_now(&plan) {
                    Some(read) => read,
                    None => {
                        let reading = std::sync::Arc::clone(&plan);
                        spawn_blocking(move || read::read(&reading)).await.expect("reading does not panic")
                    }
                };
                if last_chance || read.is_final || read.bytes >= min_bytes {
                    lease.shrink_to(read.bytes);
                    let mut response = read.response;
                    shared.fetch_sessions.end(kind, remembered, version, now, &mut response);
                    return (response, lease);
                }
                lease.shrink_to(0);
            }
            let Some(watches) = &mut watches else {
                watches = Some(plan.watches());
                continue;
            };
            tokio::select! {
                biased;
                () = long_poll::any_changed(watches) => {}
                () = sleep_until(deadline) => last_chance = true,
                () = turned(&mut closing) => last_chance = true,
            }
        }
    })
}
