//! Where a query's rows go.

pub(crate) mod dead_letter;
pub(crate) mod json;
pub(crate) mod topic;
