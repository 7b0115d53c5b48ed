//! Running queries: one task each, one journal each.

pub(crate) mod driver;
pub(crate) mod feed;
pub(crate) mod journal;
pub(crate) mod lookup;
pub(crate) mod output;
pub(crate) mod progress;
pub(crate) mod report;
pub(crate) mod trigger;
