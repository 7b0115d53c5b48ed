//! The door from the outside: real sockets, raw frames.

mod acknowledgement;
mod administration;
mod configuration;
mod consumer_group;
mod group;
mod hostile;
mod old_versions;
mod order;
mod produce_fetch;
mod restart;
mod support;
mod topic_admin;
mod transaction_histories;
mod transactions;
mod waiting;
