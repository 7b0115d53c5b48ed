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
pub use str_bytes::StrBytes;
pub use uuid::Uuid;
