//! The transaction coordinator as a pure state machine.
//!
//! A transactional id belongs to one producer at a time. [`Transactions`] knows for each id which producer id and
//! epoch that is, which partitions its transaction has touched and how far its end has come. It decides; it writes
//! nothing itself: [`Effect::Persist`] has to be durable before any answer leaves, and before the markers of
//! [`Effect::WriteMarkers`] are written. When they are, [`Transactions::markers_written`] completes the transaction.
//! After a crash in between, [`Transactions::replayed`] asks for the same markers again.
//!
//! ```
//! use groups::transactions::{AddRequest, Config, Effect, EndRequest, InitRequest, Transactions, Version};
//!
//! let mut transactions = Transactions::new(Config::default());
//! transactions.supply_producer_id(4_000);
//! let init = InitRequest { transactional_id: "t".into(), timeout_ms: 60_000, expected: None };
//! let (_, producer) = transactions.init_producer_id(&init, 0);
//! let producer = producer?;
//! let transactional_id = String::from("t");
//! let partitions = vec![("orders".to_owned(), 0)];
//! let add = AddRequest { transactional_id, producer, partitions, version: Version::V2 };
//! transactions.add_partitions(&add, 1).1?;
//! let transactional_id = String::from("t");
//! let end = EndRequest { transactional_id, producer, commit: true, version: Version::V2 };
//! let (effects, next) = transactions.end(&end, 2);
//! assert_eq!(next?.epoch, producer.epoch + 1);
//! let [Effect::Persist(_), Effect::WriteMarkers(markers)] = &effects[..] else { panic!() };
//! transactions.markers_written(&markers.transactional_id, markers.producer, 3);
//! # Ok::<(), groups::transactions::Error>(())
//! ```
//!
//! Producers end their transactions in one of two manners. In the older one, [`Version::V1`], an epoch lasts as long
//! as its producer, so a request that was on its way for long cannot be told from one of the next transaction. In the
//! newer one, [`Version::V2`] (KIP-890), every end raises the epoch, and such a request is fenced.
//!
//! Read `transaction` (one transactional id), `coordinator` (all of them), `init`, `partitions`, `end`, `timer` (what can
//! be asked), `event` (what is written, in the layout of Kafka's `__transaction_state`).

mod config;
mod coordinator;
mod end;
mod error;
mod event;
mod init;
mod list;
mod partitions;
mod state;
mod timer;
mod transaction;

pub use config::Config;
pub use coordinator::{Effect, Markers, Transactions};
pub use end::EndRequest;
pub use error::Error;
pub use event::Event;
pub use init::InitRequest;
pub use list::{Filter, Listed};
pub use partitions::AddRequest;
pub use state::{State, Version};
pub use transaction::{Partitions, Transaction};
