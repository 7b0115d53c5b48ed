//! Groups from the outside: what members see.

mod expiry;
mod handshake;
mod histories;
mod offsets;
mod static_members;
mod support;
mod timeouts;
mod transactions;
