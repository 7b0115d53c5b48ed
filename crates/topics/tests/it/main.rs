//! The store through its public interface.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod admin;
mod alter;
mod append;
mod burst;
mod cleaner;
mod crash;
mod restart;
mod support;
mod transactions;
