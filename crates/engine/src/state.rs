//! What an operator remembers between batches: one state row per key, in columns.
//!
//! [`store`] holds the rows and finds them by key; [`block`] keeps their arrays owned and compact; [`key`]
//! turns key columns into comparable bytes and into key groups; [`record`] is the form in which rows leave
//! for a checkpoint and come back; [`layout`] says what a row consists of, so that rows of another layout
//! are refused and not misread; [`expiry`] knows which keys a watermark ends, [`related`] which keys have a part in
//! common; [`keeper`] is a store that commits, is written down and restored batch by batch.
//!
//! Absent on purpose: files, clocks, queries. The store is told a batch id and rows; who writes the
//! bytes it hands out, and when, is the driver's business.

mod arena;
pub(crate) mod block;
pub(crate) mod error;
pub(crate) mod expiry;
pub(crate) mod keeper;
pub(crate) mod key;
pub(crate) mod layout;
pub(crate) mod record;
mod related;
pub(crate) mod store;

pub(crate) use error::StateError;
