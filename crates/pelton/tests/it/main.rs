//! The binary as a user meets it, and the server as another program embeds it.
#![cfg(test)]

mod command_line;
mod embedded;
mod running;
