//! Statements: cut apart, told apart, their own parts parsed. A `SELECT` stays a row of tokens that
//! [`plan`](crate::plan) hands to DataFusion.

mod cursor;
mod escapes;
pub(crate) mod interval;
mod model_functions;
pub(crate) mod options;
mod parse;
pub(crate) mod secrets;
mod select;
pub(crate) mod sink_options;
pub(crate) mod statement;
mod stream;
pub(crate) mod types;
mod windows;

pub(crate) use escapes::unescaped;
pub(crate) use parse::{parse, renamed};
pub(crate) use select::Select;
pub(crate) use statement::{CreateModel, CreateNetwork, CreateTable, Parsed, Show, Statement};

#[cfg(test)]
mod tests;
