//! Messages through the public interface.

mod kafka;
