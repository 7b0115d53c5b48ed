//! The messages of Spark Connect as tables: name, type, number. Facts of Apache Spark's `spark/connect/*.proto`,
//! version 4.2. Parts that this door does not read are [`types::Absent`].

pub(crate) mod analyze;
pub(crate) mod command;
pub(crate) mod deep;
pub(crate) mod execute;
pub(crate) mod expression;
pub(crate) mod function;
pub(crate) mod local;
pub(crate) mod relation;
pub(crate) mod session;
pub(crate) mod statistics;
pub(crate) mod streaming;
pub(crate) mod types;
