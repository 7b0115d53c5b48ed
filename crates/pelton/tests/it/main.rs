//! The binary as a user meets it, and the server as another program embeds it.
#![cfg(test)]

mod command_line;
mod completions;
mod consume;
mod documentation;
mod embedded;
mod examples;
mod failures;
mod group;
mod model;
mod outside;
mod pipeline;
mod produce;
mod running;
mod submit;
mod topic;
