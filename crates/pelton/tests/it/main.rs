//! The binary as a user meets it, and the server as another program embeds it.

mod command_line;
mod embedded;
mod running;
