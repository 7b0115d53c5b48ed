//! The log through its public interface, on a disk that fails and loses power on demand.

mod crash;
mod full_disk;
mod model;
mod producers;
mod rot;
mod support;
mod time;
mod torn;
