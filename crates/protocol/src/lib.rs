//! Kafka messages to and from bytes.
//!
//! Every message is a table in [`messages`]: one file per API, one line per field with its type
//! and versions. [`Message`] reads and writes them, [`RequestHeader`] reads what stands in front
//! of any request, [`Frame`] puts length, header and message together.
//!
//! ```
//! use protocol::messages::{MetadataRequest, MetadataResponse};
//! use protocol::{ApiKey, Decoder, Frame, Message, RequestHeader};
//!
//! let request = MetadataRequest { topics: Some(vec![]), ..Default::default() };
//! let frame = Frame::request(7, Some("me"), 12, &request).into_bytes();
//!
//! // Whoever reads the frame takes the first four bytes as its length.
//! let mut decoder = Decoder::new(frame.slice(4..));
//! let header = RequestHeader::decode(&mut decoder)?;
//! assert_eq!(header.api(), Some(ApiKey::Metadata));
//! assert_eq!(MetadataRequest::decode(&mut decoder, header.api_version)?, request);
//!
//! let answer = Frame::response(header.correlation_id, header.api_version, &MetadataResponse::default());
//! assert!(answer.len() > 4);
//! # Ok::<(), protocol::DecodeError>(())
//! ```
//!
//! Limits: a length or count from a peer is compared with the bytes that are left before anything
//! is allocated for it, and all arrays of a message together may take sixteen times the frame
//! (or 64 KiB). Text, bytes and records are slices of the frame. Tagged fields that nobody knows
//! are skipped.
//!
//! # APIs and versions
//!
//! All that clients of Apache Kafka 4.3 send, and the old versions that Kafka itself has given up and scripts still
//! send. Missing are share groups (76 to 79, 90 to 92) and what only brokers and controllers say to each other. Kafka's
//! own Java classes judge every message in every version (`tests/golden`), the `kafka-protocol` crate judges them with
//! random content, and `fuzz` sees to it that no bytes do harm.
//!
//! | key | API | versions | flexible from |
//! |---|---|---|---|
//! | 0 | Produce | 0-13 | 9 |
//! | 1 | Fetch | 0-18 | 12 |
//! | 2 | ListOffsets | 0-11 | 6 |
//! | 3 | Metadata | 0-13 | 9 |
//! | 8 | OffsetCommit | 0-10 | 8 |
//! | 9 | OffsetFetch | 0-10 | 6 |
//! | 10 | FindCoordinator | 0-6 | 3 |
//! | 11 | JoinGroup | 0-9 | 6 |
//! | 12 | Heartbeat | 0-4 | 4 |
//! | 13 | LeaveGroup | 0-5 | 4 |
//! | 14 | SyncGroup | 0-5 | 4 |
//! | 15 | DescribeGroups | 0-6 | 5 |
//! | 16 | ListGroups | 0-5 | 3 |
//! | 17 | SaslHandshake | 0-1 | never |
//! | 18 | ApiVersions | 0-4 | 3 |
//! | 19 | CreateTopics | 0-7 | 5 |
//! | 20 | DeleteTopics | 0-6 | 4 |
//! | 21 | DeleteRecords | 0-2 | 2 |
//! | 22 | InitProducerId | 0-5 | 2 |
//! | 23 | OffsetForLeaderEpoch | 0-4 | 4 |
//! | 24 | AddPartitionsToTxn | 0-5 | 3 |
//! | 25 | AddOffsetsToTxn | 0-4 | 3 |
//! | 26 | EndTxn | 0-5 | 3 |
//! | 27 | WriteTxnMarkers | 0-2 | 1 |
//! | 28 | TxnOffsetCommit | 0-5 | 3 |
//! | 29 | DescribeAcls | 0-3 | 2 |
//! | 30 | CreateAcls | 0-3 | 2 |
//! | 31 | DeleteAcls | 0-3 | 2 |
//! | 32 | DescribeConfigs | 0-4 | 4 |
//! | 33 | AlterConfigs | 0-2 | 2 |
//! | 34 | AlterReplicaLogDirs | 0-2 | 2 |
//! | 35 | DescribeLogDirs | 0-5 | 2 |
//! | 36 | SaslAuthenticate | 0-2 | 2 |
//! | 37 | CreatePartitions | 0-3 | 2 |
//! | 38 | CreateDelegationToken | 0-3 | 2 |
//! | 39 | RenewDelegationToken | 0-2 | 2 |
//! | 40 | ExpireDelegationToken | 0-2 | 2 |
//! | 41 | DescribeDelegationToken | 0-3 | 2 |
//! | 42 | DeleteGroups | 0-2 | 2 |
//! | 43 | ElectLeaders | 0-2 | 2 |
//! | 44 | IncrementalAlterConfigs | 0-1 | 1 |
//! | 45 | AlterPartitionReassignments | 0-1 | 0 |
//! | 46 | ListPartitionReassignments | 0 | 0 |
//! | 47 | OffsetDelete | 0 | never |
//! | 48 | DescribeClientQuotas | 0-1 | 1 |
//! | 49 | AlterClientQuotas | 0-1 | 1 |
//! | 50 | DescribeUserScramCredentials | 0 | 0 |
//! | 51 | AlterUserScramCredentials | 0 | 0 |
//! | 55 | DescribeQuorum | 0-2 | 0 |
//! | 57 | UpdateFeatures | 0-2 | 0 |
//! | 60 | DescribeCluster | 0-2 | 0 |
//! | 61 | DescribeProducers | 0 | 0 |
//! | 64 | UnregisterBroker | 0 | 0 |
//! | 65 | DescribeTransactions | 0 | 0 |
//! | 66 | ListTransactions | 0-2 | 0 |
//! | 68 | ConsumerGroupHeartbeat | 0-1 | 0 |
//! | 69 | ConsumerGroupDescribe | 0-1 | 0 |
//! | 71 | GetTelemetrySubscriptions | 0 | 0 |
//! | 72 | PushTelemetry | 0 | 0 |
//! | 74 | ListConfigResources | 0-1 | 0 |
//! | 75 | DescribeTopicPartitions | 0 | 0 |
//! | 80 | AddRaftVoter | 0-1 | 0 |
//! | 81 | RemoveRaftVoter | 0 | 0 |
//! | 88 | StreamsGroupHeartbeat | 0 | 0 |
//! | 89 | StreamsGroupDescribe | 0 | 0 |
//!
//! What reading and writing costs: `cargo run --release -p protocol --example codec`.
//!
//! What this crate does not know: sockets, topics, what a message means, what is in its records,
//! which versions a broker chooses to serve.

#[macro_use]
mod message;

mod api_key;
mod decoder;
mod encoder;
mod error;
mod error_code;
mod field;
mod header;
pub mod messages;
mod secret;
mod str_bytes;
#[cfg(test)]
mod tests;

pub use api_key::ApiKey;
pub use decoder::Decoder;
pub use encoder::Encoder;
pub use error::{DecodeError, ErrorKind};
pub use error_code::ErrorCode;
pub use header::{Frame, RequestHeader, ResponseHeader};
pub use message::Message;
pub use secret::Secret;
pub use str_bytes::StrBytes;
pub use uuid::Uuid;
