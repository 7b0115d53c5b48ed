//! Plans: from SQL to what runs with every batch.

pub(crate) mod incremental;
