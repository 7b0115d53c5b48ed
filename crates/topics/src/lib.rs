//! All partitions of one data directory, one owner each: append, read, watch.
//!
//! [`Topics`] is the store, [`Partition`] the handle. Whoever finds a partition free appends on its own thread; others
//! hand over, through a bounded queue, to a writer thread, which drains the queue, appends what belongs together with
//! one write per partition, flushes once where somebody asked for it, shows readers the new high watermark, and
//! answers. Appends go on during a flush. A caller that may wait for the disk flushes its own append, if nobody else has the
//! partition. Reads happen on the caller's thread and never wait for a writer.
//!
//! What is promised: with [`Acks::Leader`] an answered append survives the end of the process, with [`Acks::All`]
//! also a power cut. Appends of one partition keep the order of the calls. After a failed flush the partition takes
//! no more writes until the next start; a full disk refuses appends until space returns.
//!
//! What this crate deliberately does not know: Kafka's requests and error codes, consumer groups. Its limits: one
//! process per directory, a writer per partition, and one open file per segment in use.
//!
//! ```
//! use std::collections::BTreeMap;
//! use env::{Env, ManualClock, SimDisk};
//! use record::{BatchBuilder, Compression, Producer};
//! use topics::{Acks, Config, Topics};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let env = Env::simulated(ManualClock::new(1_700_000_000_000).into(), &SimDisk::new(), 7);
//! let (topics, _) = Topics::open(Config::new("/data"), env)?;
//! let partition = topics.create("greetings", 1, BTreeMap::new())?.partition(0).unwrap();
//!
//! let mut batch = BatchBuilder::new(Compression::None, Producer::NONE);
//! batch.push(1_700_000_000_000, None, Some(b"hello"), &[]);
//! let appended = partition.enqueue(batch.build(), Acks::All)?.await?;
//! assert_eq!((appended.base_offset, partition.high_watermark()), (0, 1));
//! topics.close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! Read `store`, `partition`, then `admission`, `owner`, `burst`, `writer` and `queue`; `settings` is the table of what topics may be told,
//! `cleaner` what happens to old records, `metadata` the list of topics on disk.

mod admission;
mod burst;
mod cleaner;
mod config;
mod error;
mod metadata;
mod owner;
mod partition;
mod queue;
mod settings;
mod store;
mod topic;
mod transactions;
mod writer;

pub use burst::Burst;
pub use cleaner::Cleaned;
pub use commitlog::{AbortedTransaction, ProducerStatus};
pub use config::Config;
pub use error::{
    AlterError, AppendError, CloseError, CreateError, CreatePartitionsError, DeleteError, ErrorKind,
    OpenError, ProducerIdError, ReadError,
};
pub use partition::{Acks, AppendFuture, Appended, Partition, ReadBatches, TimestampedOffset};
pub use settings::{
    Allowed, BROKER_SETTINGS, CleanupPolicy, Setting, SettingError, SettingKind, SettingSource, SettingSpec,
    TOPIC_SETTINGS, TimestampType, TopicConfig, check_setting,
};
pub use store::{RecoveryReport, Topics};
pub use topic::Topic;
