//! The calls, one file each.

pub(crate) mod analyze;
pub(crate) mod artifacts;
pub(crate) mod command;
pub(crate) mod config;
pub(crate) mod control;
pub(crate) mod databases;
pub(crate) mod describe;
pub(crate) mod execute;
pub(crate) mod streaming;
pub(crate) mod tables;
pub(crate) mod variables;
pub(crate) mod write;
