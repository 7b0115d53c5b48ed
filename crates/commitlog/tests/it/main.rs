//! The log through its public interface, on a disk that fails and loses power on demand.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod compaction;
mod compaction_model;
mod crash;
mod full_disk;
mod model;
mod power_cuts;
mod producers;
mod ready;
mod retention;
mod rot;
mod support;
mod time;
mod torn;
mod transactions;
