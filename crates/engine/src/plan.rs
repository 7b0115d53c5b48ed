//! Plans: from SQL to what runs with every batch.

pub(crate) mod bounded;
pub(crate) mod compile;
pub(crate) mod event_time;
pub(crate) mod incremental;
pub(crate) mod keyed;
pub(crate) mod number;
pub(crate) mod optimize;
pub(crate) mod pipeline;
pub(crate) mod projections;
pub(crate) mod resolve;
pub(crate) mod slot;
pub(crate) mod stage;
pub(crate) mod stream;
pub(crate) mod subquery;
pub(crate) mod watermark;
pub(crate) mod zone;
