//! One module per command. Each parses its flags, asks a server through its doors, prints.

pub(crate) mod bench;
pub(crate) mod complete;
pub(crate) mod completions;
pub(crate) mod consume;
pub(crate) mod group;
pub(crate) mod model;
pub(crate) mod output;
pub(crate) mod produce;
pub(crate) mod query;
pub(crate) mod run;
pub(crate) mod serve;
pub(crate) mod sql;
pub(crate) mod submit;
pub(crate) mod topic;
