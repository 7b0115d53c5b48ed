//! The engine through its public interface, over a real embedded log.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod aggregation;
mod bad_rows;
mod catalog;
mod checkpoints;
mod crash;
mod crash_event_time;
mod databases;
mod delayed;
mod docs;
mod event_time;
mod file_sink;
mod flows;
mod formats;
mod golden;
mod joins;
mod language;
mod models;
mod postgres;
mod select;
mod sinks;
mod sources;
mod support;
mod trees;
