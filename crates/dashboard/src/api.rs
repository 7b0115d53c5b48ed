//! The handlers, one module per thing that can be asked.

mod body;
pub(crate) mod live;
pub(crate) mod models;
pub(crate) mod queries;
pub(crate) mod read;
pub(crate) mod records;
pub(crate) mod sql;
