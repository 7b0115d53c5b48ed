//! Plans: from SQL to what runs with every batch.

pub(crate) mod bounded;
pub(crate) mod compile;
pub(crate) mod incremental;
pub(crate) mod number;
pub(crate) mod resolve;
