//! The engine through its public interface, over a real embedded log.

mod aggregation;
mod bad_rows;
mod catalog;
mod crash;
mod docs;
mod select;
mod support;
