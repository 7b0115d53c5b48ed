//! One partition on disk: Kafka's record batches in Kafka's segment files, found by offset and by time.
//!
//! A [`Log`] belongs to one writer and is plain `&mut self` code; [`LogReader`]s read it from any thread. A request
//! is appended with its offsets patched in place, one write for as many requests as there are; [`Log::flush`] makes
//! them durable. Idempotent producers' repetitions are recognised, gaps and impostors refused.
//!
//! After a crash the torn end of the last segment is cut. Rotten bytes with sound batches behind them are reported
//! with file and position, stay where they are, and cost nothing but themselves. Index files and the producers'
//! file can be rebuilt, and none of them can prevent a start.
//!
//! What this crate deliberately does not know: topics, the high watermark (an argument), the time (an argument),
//! threads, tokio, the network. Its limits: one writer, segments below 2 GiB.
//!
//! ```
//! use std::{path::Path, sync::Arc};
//! use commitlog::{Config, LastStop, Log};
//! use env::{Disk, SimDisk};
//! use record::{BatchBuilder, Compression, Producer};
//!
//! let disk = SimDisk::new();
//! disk.create_dir_all(Path::new("/t-0")).unwrap();
//! let (mut log, _) = Log::open(Arc::new(disk), Path::new("/t-0"), Config::default(), LastStop::Unclean)?;
//!
//! let mut batch = BatchBuilder::new(Compression::None, Producer::NONE);
//! batch.push(1_700_000_000_000, None, Some(b"hello"), &[]);
//! let answers = log.append(&[batch.build()], 1_700_000_000_000);
//! assert_eq!(answers[0].as_ref().unwrap().base_offset, 0);
//! log.flush()?;
//! assert!(!log.reader().read(0, log.next_offset(), 1 << 20, true)?.is_empty());
//! # Ok::<(), commitlog::Error>(())
//! ```
//!
//! Read `log` (the writer), `reader`, `ready` (what needs no waiting), `segment`, then `scan`, which every look at a file goes through, and
//! `recovery`; `retention` and `compaction` are what happens to old segments. The bytes are drawn in `docs/formats/log.md`.

mod buffers;
mod compaction;
mod config;
mod error;
mod flush;
mod index;
mod log;
mod marker;
mod names;
mod places;
mod producer_state;
mod reader;
mod ready;
mod recovery;
mod retention;
mod scan;
mod segment;
mod stage;
mod tail;
mod transaction;

pub use compaction::{Assistant, Backlog, Compacted, CompactionConfig, Rewritten, compact};
pub use config::{Config, TailBudget};
pub use error::{Error, ErrorKind};
pub use flush::Flush;
pub use log::{Appended, Log};
pub use marker::{leave_clean_marker, take_clean_marker};
pub use reader::LogReader;
pub use recovery::{CutTail, LastStop, Recovery, Rotten};
pub use retention::{Retention, Tidied};
pub use transaction::{AbortedTransaction, ProducerStatus};
