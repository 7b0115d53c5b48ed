//! Streams, micro-batches and online learning in one program.
