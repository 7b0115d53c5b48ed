//! Groups from the outside: what members see.

mod classic_client;
mod consumer;
mod consumer_histories;
mod consumer_world;
mod expiry;
mod handshake;
mod histories;
mod migration;
mod migration_histories;
mod offsets;
mod static_members;
mod support;
mod timeouts;
mod transaction_histories;
mod transaction_world;
mod transactions;
