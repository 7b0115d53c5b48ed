//! Tests that need every message at once.

mod differential;
mod golden;
mod hostile;
mod round_trip;
pub(crate) mod sample;
