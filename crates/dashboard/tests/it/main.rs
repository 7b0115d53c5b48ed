//! The door over HTTP, with a real log and a real engine in a temporary directory.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod client;
mod guard;
mod house;
mod live;
mod models;
mod page;
mod pipeline;
mod records;
mod restart;
mod telling;
