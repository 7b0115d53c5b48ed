//! What stands in front of every message, and whole frames.

use bytes::Bytes;

use crate::field::Field;
use crate::{ApiKey, DecodeError, Decoder, Encoder, Message, StrBytes};

/// The bytes of a frame's length.
const LENGTH_BYTES: usize = 4;

/// The header of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestHeader {
    /// The API's number, which need not name one; see [`RequestHeader::api`].
    pub api_key: i16,
    /// The version of the message that follows, which need not be supported.
    pub api_version: i16,
    /// What the response must repeat.
    pub correlation_id: i32,
    /// What the client calls itself.
    pub client_id: Option<StrBytes>,
}

impl RequestHeader {
    /// The API, if there is one with this number.
    #[must_use]
    pub fn api(&self) -> Option<ApiKey> {
        ApiKey::from_code(self.api_key)
    }

    fn is_flexible(&self) -> bool {
        self.api().is_some_and(|api| api.is_flexible(self.api_version))
    }

    /// Reads the header of any frame (without the frame's length), also for APIs and versions
    /// that nobody knows. The decoder then stands at the message.
    ///
    /// # Errors
    /// [`DecodeError`] if the bytes are no header.
    pub fn decode(decoder: &mut Decoder) -> Result<RequestHeader, DecodeError> {
        // The client's id keeps its 16-bit length even in headers that have tagged fields.
        decoder.set_flexible(false);
        let header = RequestHeader {
            api_key: Field::read(decoder, 0, false)?,
            api_version: Field::read(decoder, 0, false)?,
            correlation_id: Field::read(decoder, 0, false)?,
            client_id: Field::read(decoder, 0, true)?,
        };
        if header.is_flexible() {
            decoder.tagged_fields(|_, _| Ok(false))?;
        }
        Ok(header)
    }

    /// Writes the header.
    pub fn encode(&self, encoder: &mut Encoder) {
        encoder.set_flexible(false);
        self.api_key.write(encoder, 0, false);
        self.api_version.write(encoder, 0, false);
        self.correlation_id.write(encoder, 0, false);
        self.client_id.write(encoder, 0, true);
        if self.is_flexible() {
            encoder.unsigned_varint(0);
        }
    }
}

/// The header of a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResponseHeader {
    /// The request's correlation id.
    pub correlation_id: i32,
}

impl ResponseHeader {
    /// `ApiVersions` never has tagged fields here: a client that asks with a version too new for
    /// its broker must be able to read the answer.
    fn is_flexible(api: ApiKey, version: i16) -> bool {
        api != ApiKey::ApiVersions && api.is_flexible(version)
    }

    /// Reads the header of a response to a request of this API and version.
    ///
    /// # Errors
    /// [`DecodeError`] if the bytes are no header.
    pub fn decode(decoder: &mut Decoder, api: ApiKey, version: i16) -> Result<Self, DecodeError> {
        let header = ResponseHeader { correlation_id: Field::read(decoder, 0, false)? };
        if Self::is_flexible(api, version) {
            decoder.tagged_fields(|_, _| Ok(false))?;
        }
        Ok(header)
    }

    /// Writes the header of a response to a request of this API and version.
    pub fn encode(&self, encoder: &mut Encoder, api: ApiKey, version: i16) {
        self.correlation_id.write(encoder, 0, false);
        if Self::is_flexible(api, version) {
            encoder.unsigned_varint(0);
        }
    }
}

/// A whole frame, its length in front, as the chunks of a vectored write: records of a response
/// stay the slices they were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    chunks: Vec<Bytes>,
}

impl Frame {
    /// A request with its header.
    ///
    /// # Panics
    /// If the message has no such version, or the frame exceeds 2 GiB.
    #[must_use]
    pub fn request<M: Message>(
        correlation_id: i32,
        client_id: Option<&str>,
        version: i16,
        message: &M,
    ) -> Frame {
        let header = RequestHeader {
            api_key: M::KEY.code(),
            api_version: version,
            correlation_id,
            client_id: client_id.map(StrBytes::from),
        };
        Self::write(|encoder| {
            header.encode(encoder);
            message.encode(encoder, version);
        })
    }

    /// A response with its header.
    ///
    /// # Panics
    /// If the message has no such version, or the frame exceeds 2 GiB.
    #[must_use]
    pub fn response<M: Message>(correlation_id: i32, version: i16, message: &M) -> Frame {
        Self::write(|encoder| {
            ResponseHeader { correlation_id }.encode(encoder, M::KEY, version);
            message.encode(encoder, version);
        })
    }

    fn write(content: impl FnOnce(&mut Encoder)) -> Frame {
        let mut encoder = Encoder::new();
        encoder.put(&[0; LENGTH_BYTES]);
        content(&mut encoder);
        let length = i32::try_from(encoder.len() - LENGTH_BYTES).expect("a frame stays below 2 GiB");
        encoder.patch(&length.to_be_bytes());
        Frame { chunks: encoder.into_chunks() }
    }

    /// The bytes of the frame, its length included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chunks.iter().map(Bytes::len).sum()
    }

    /// Never: a frame has at least its length.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The frame in order.
    #[must_use]
    pub fn into_chunks(self) -> Vec<Bytes> {
        self.chunks
    }

    /// The frame in one piece.
    #[must_use]
    pub fn into_bytes(mut self) -> Bytes {
        if self.chunks.len() == 1 {
            return self.chunks.remove(0);
        }
        self.chunks.concat().into()
    }
}
