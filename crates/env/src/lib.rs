//! The world as an argument: clock, randomness, files and named threads.
//!
//! Every other crate takes an [`Env`] and asks it for the time, for random numbers and for files. The binary
//! hands over [`Env::real`]; a test hands over a [`ManualClock`] and a [`SimDisk`], advances time by hand, fails
//! the third write, or pulls the plug and looks at what is left.
//!
//! What this crate deliberately does not know: async runtimes, sockets, record formats. What is outside its
//! limits: file permissions, symbolic links, memory maps, more than one disk below one [`Disk`].
//!
//! ```
//! use env::{Disk, OpenMode, SimDisk};
//! use std::path::Path;
//!
//! let disk = SimDisk::new();
//! disk.create_dir_all(Path::new("/data")).unwrap();
//! let file = disk.open(Path::new("/data/a"), OpenMode::Create).unwrap();
//! file.write_at(b"kept", 0).unwrap();
//! file.sync_data().unwrap();
//! disk.sync_dir(Path::new("/data")).unwrap();
//! file.write_at(b"lost", 4).unwrap(); // written, never synced
//!
//! let after = disk.crash();
//! assert_eq!(after.read(Path::new("/data/a")).unwrap(), b"kept");
//! ```
//!
//! Read `clock`, then `disk` (the traits), then `disk/real` and `disk/sim` side by side.

mod atomic;
mod clock;
mod disk;
mod environment;
mod lock;
mod random;
mod thread;

pub use atomic::write_atomically;
pub use clock::{Clock, ManualClock, SystemClock};
pub use disk::{Disk, DiskEntry, DiskFile, DiskSpace, OpenMode, RealDisk, SimDisk};
pub use environment::Env;
pub use lock::{DirLock, FileGuard, LockError};
pub use random::{OsRandom, Random, SeededRandom};
pub use thread::{spawn_background_thread, spawn_thread};
