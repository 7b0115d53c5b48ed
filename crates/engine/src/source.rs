//! Where a query's rows come from.

pub(crate) mod bounded;
pub(crate) mod json;
pub(crate) mod metadata;
pub(crate) mod topic;
