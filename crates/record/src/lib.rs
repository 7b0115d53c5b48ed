//! Kafka record batches: layout, checksum, compression, and the older message sets on the way in
//! and out.
//!
//! A batch stays one slice of the bytes it came in: [`batches`] walks them, [`Batch`] checks one
//! and reads its records, [`BatchBuilder`] writes one, [`assign_offsets`] gives one its place.
//! [`ControlRecord`] is what the broker itself writes: the ends of transactions.
//! [`legacy`] turns the message sets of formats 0 and 1 into batches and back.
//!
//! ```
//! use record::{Batch, BatchBuilder, Compression, Producer};
//!
//! let mut builder = BatchBuilder::new(Compression::Lz4, Producer::NONE);
//! builder.push(1_700_000_000_000, Some(b"key"), Some(b"value"), &[]);
//! let batch = Batch::parse(&builder.build())?;
//! batch.verify_crc()?;
//! batch.validate(1 << 20)?;
//! for record in batch.records(1 << 20)? {
//!     assert_eq!(record?.value.as_deref(), Some(&b"value"[..]));
//! }
//! # Ok::<(), record::Error>(())
//! ```
//!
//! Limits: every length is compared with the bytes that are there before anything is allocated
//! for it, and whatever is decompressed stops at a limit the caller gives. Beside that limit,
//! decoders hold working memory of their own: up to 8 MiB for lz4, and for zstd a window of no
//! more than the limit or 8 MiB, whichever is larger.
//!
//! What this crate does not know: topics, partitions, files, sequence numbers' meaning, the state
//! of transactions, the time, tokio. It decides nothing about who may write.
//!
//! How to read it: `header`, `batch`, `record`, `builder`, `rewrite`, `control` are format 2; `compression` the codecs;
//! `legacy` the formats before; `partitioner` where Kafka's clients put a key.

mod batch;
mod builder;
mod compression;
mod control;
mod cursor;
mod error;
mod header;
pub mod legacy;
mod partitioner;
mod record;
mod rewrite;

pub use batch::{Batch, assign_offsets, batches, set_log_append_time};
pub use builder::{BatchBuilder, Built, Producer};
pub use compression::{Compression, UnknownCompression};
pub use control::ControlRecord;
pub use error::{Error, ErrorKind};
pub use header::{BatchHeader, HEADER_BYTES};
pub use partitioner::{murmur2, partition_for_key};
pub use record::{Header, Located, Record, Records};
pub use rewrite::empty_batch;
