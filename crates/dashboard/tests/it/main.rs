//! The door over HTTP, with a real log and a real engine in a temporary directory.

mod client;
mod guard;
mod house;
mod live;
mod page;
mod records;
mod restart;
mod telling;
