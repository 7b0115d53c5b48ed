//! Requests as they come: a length of four bytes, then that many bytes.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{Instant, timeout_at};

use crate::memory::{Lease, Memory};

/// Frames up to this size are not charged to the memory budget.
const FREE_BYTES: usize = 128 << 10;
const LENGTH_BYTES: usize = 4;
/// What a connection reads at once when it is quiet; a busy one goes up to [`FREE_BYTES`].
const STEP_BYTES: usize = 8 << 10;

/// Why no further frame comes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("a frame of {length} bytes is outside 0 to {limit}")]
    Length { length: i32, limit: usize },
    #[error("the connection ended inside a frame, {got} of {length} bytes had come")]
    Half { got: usize, length: usize },
    #[error("the rest of a frame did not come in time, {got} bytes had")]
    Stalled { got: usize },
    #[error("nothing was asked for a long time")]
    Idle,
    #[error("reading from the socket")]
    Io(#[from] std::io::Error),
}

/// A request's bytes and its share of the memory budget.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) bytes: Bytes,
    pub(crate) lease: Lease,
}

/// Cuts a stream of bytes into frames. Dropping the future of [`FrameReader::next`] loses nothing.
#[derive(Debug)]
pub(crate) struct FrameReader<R> {
    source: R,
    memory: Memory,
    limit: usize,
    idle: Duration,
    stall: Duration,
    buffer: BytesMut,
    /// How much is read at once, as long as no frame asks for more.
    step: usize,
    lease: Lease,
    /// When the frame that is coming in must be whole, or, between frames, when the client counts as idle.
    deadline: Instant,
    inside: bool,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    pub(crate) fn new(source: R, memory: &Memory, limit: usize, idle: Duration, stall: Duration) -> Self {
        Self {
            source,
            memory: memory.clone(),
            limit,
            idle,
            stall,
            buffer: BytesMut::new(),
            step: STEP_BYTES,
            lease: memory.lease(),
            deadline: Instant::now() + idle,
            inside: false,
        }
    }

    /// The next frame; `None` when the client has closed the connection between two.
    pub(crate) async fn next(&mut self) -> Result<Option<Frame>, FrameError> {
        loop {
            if let Some(frame) = self.take()? {
                return Ok(Some(frame));
            }
            let read = timeout_at(self.deadline, async {
                self.lease.grow_to(self.charged()).await;
                self.reserve();
                self.source.read_buf(&mut self.buffer).await
            });
            match read.await {
                Err(_) if self.buffer.is_empty() => return Err(FrameError::Idle),
                Err(_) => return Err(FrameError::Stalled { got: self.buffer.len() }),
                Ok(Err(error)) => return Err(FrameError::Io(error)),
                Ok(Ok(0)) => return self.end(),
                Ok(Ok(read)) => self.note_progress(read),
            }
        }
    }

    /// The next frame, if all of it has been read already. What is wrong with it is for [`FrameReader::next`] to say.
    pub(crate) fn buffered(&mut self) -> Option<Frame> {
        self.take().ok().flatten()
    }

    /// Whether [`FrameReader::buffered`] has another one.
    pub(crate) fn has_frame(&self) -> bool {
        self.length().ok().flatten().is_some_and(|length| self.buffer.len() >= LENGTH_BYTES + length)
    }

    /// Starts the clocks anew after a pause in which nothing was read.
    pub(crate) fn refresh(&mut self) {
        self.deadline = Instant::now() + if self.inside { self.stall } else { self.idle };
    }

    /// A client has as long for one frame as the stall time-out says, from its first byte on.
    fn note_progress(&mut self, read: usize) {
        if self.buffer.len() == self.buffer.capacity() {
            self.step = (self.step * 2).min(FREE_BYTES);
        } else if read < self.step / 4 {
            self.step = (self.step / 2).max(STEP_BYTES);
        }
        if !self.inside {
            self.inside = true;
            self.deadline = Instant::now() + self.stall;
        }
    }

    fn length(&self) -> Result<Option<usize>, FrameError> {
        let Some(prefix) = self.buffer.first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
        let length = i32::from_be_bytes(*prefix);
        let error = FrameError::Length { length, limit: self.limit };
        usize::try_from(length).ok().filter(|length| *length <= self.limit).map(Some).ok_or(error)
    }

    fn take(&mut self) -> Result<Option<Frame>, FrameError> {
        let Some(length) = self.length()? else { return Ok(None) };
        if self.buffer.len() < LENGTH_BYTES + length {
            return Ok(None);
        }
        let mut whole = self.buffer.split_to(LENGTH_BYTES + length);
        let bytes = whole.split_off(LENGTH_BYTES).freeze();
        let lease = std::mem::replace(&mut self.lease, self.memory.lease());
        self.inside = !self.buffer.is_empty();
        self.refresh();
        Ok(Some(Frame { bytes, lease }))
    }

    /// Twice of what has come is paid for, never the length that a client claims.
    fn charged(&self) -> usize {
        let next = self.next_capacity();
        if next <= FREE_BYTES { 0 } else { next }
    }

    fn next_capacity(&self) -> usize {
        let claimed = self.length().ok().flatten().map_or(FREE_BYTES, |length| LENGTH_BYTES + length);
        let doubled = (self.buffer.len() * 2).max(FREE_BYTES);
        claimed.min(doubled)
    }

    fn reserve(&mut self) {
        let step = self.step.min(FREE_BYTES.saturating_sub(self.buffer.len()));
        let begun = self.buffer.len() >= LENGTH_BYTES;
        let wanted = if begun { self.next_capacity().saturating_sub(self.buffer.len()) } else { 0 };
        self.buffer.reserve(wanted.max(step).max(1));
    }

    fn end(&self) -> Result<Option<Frame>, FrameError> {
        if self.buffer.is_empty() {
            return Ok(None);
        }
        let length = self.length()?.unwrap_or(LENGTH_BYTES);
        Err(FrameError::Half { got: self.buffer.len(), length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(bytes: &[u8], limit: usize) -> FrameReader<&[u8]> {
        let second = Duration::from_secs(1);
        FrameReader::new(bytes, &Memory::new(1 << 20), limit, second, second)
    }

    fn frame(body: &[u8]) -> Vec<u8> {
        let mut bytes = i32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
        bytes.extend_from_slice(body);
        bytes
    }

    #[tokio::test]
    async fn frames_come_one_by_one() {
        let large = vec![7; 300_000];
        let mut bytes = frame(b"abc");
        bytes.extend(frame(b""));
        bytes.extend(frame(&large));
        let mut reader = reader(&bytes, 1 << 20);
        assert_eq!(&reader.next().await.unwrap().unwrap().bytes[..], b"abc");
        assert_eq!(&reader.next().await.unwrap().unwrap().bytes[..], b"");
        assert_eq!(&reader.next().await.unwrap().unwrap().bytes[..], &large[..]);
        assert!(reader.next().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn what_came_along_is_there_without_reading() {
        let mut bytes = [frame(b"abc"), frame(b"de"), frame(b"f")].concat();
        bytes.extend_from_slice(&[0, 0, 0, 9, 1]);
        let mut reader = reader(&bytes, 100);
        assert!(reader.buffered().is_none());
        assert_eq!(&reader.next().await.unwrap().unwrap().bytes[..], b"abc");
        assert_eq!(&reader.buffered().unwrap().bytes[..], b"de");
        assert_eq!(&reader.buffered().unwrap().bytes[..], b"f");
        assert!(reader.buffered().is_none(), "the last one is not whole");
        assert!(matches!(reader.next().await, Err(FrameError::Half { got: 5, length: 9 })));
    }

    #[tokio::test]
    async fn who_sends_much_is_read_in_larger_steps() {
        let bytes = frame(&[1; 1_000]).repeat(1_000);
        let mut reader = reader(&bytes, 2_000);
        for _ in 0..1_000 {
            assert_eq!(reader.next().await.unwrap().unwrap().bytes.len(), 1_000);
            assert!(reader.buffer.capacity() <= 2 * FREE_BYTES);
        }
        assert!(reader.step > STEP_BYTES);
        assert!(reader.next().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_length_out_of_bounds_ends_it() {
        for prefix in [(-1i32).to_be_bytes(), i32::MAX.to_be_bytes(), 101i32.to_be_bytes()] {
            let error = reader(&prefix, 100).next().await.unwrap_err();
            assert!(matches!(error, FrameError::Length { .. }), "{error}");
        }
    }

    #[tokio::test]
    async fn half_a_frame_is_named() {
        let bytes = frame(b"abcdef");
        for cut in 1..bytes.len() {
            let error = reader(&bytes[..cut], 100).next().await.unwrap_err();
            assert!(matches!(error, FrameError::Half { got, .. } if got == cut), "{error}");
        }
    }

    #[tokio::test]
    async fn the_rest_must_come_in_time() {
        let (mut client, server) = tokio::io::duplex(64);
        let moment = Duration::from_millis(5);
        let mut reader = FrameReader::new(server, &Memory::new(1 << 20), 100, moment, moment);
        assert!(matches!(reader.next().await, Err(FrameError::Idle)));
        reader.refresh();
        tokio::io::AsyncWriteExt::write_all(&mut client, b"\0\0").await.unwrap();
        assert!(matches!(reader.next().await, Err(FrameError::Stalled { got: 2 })));
    }

    #[test]
    fn a_claim_alone_costs_nothing() {
        let mut reader = reader(b"", 100 << 20);
        reader.buffer.extend_from_slice(&(100i32 << 20).to_be_bytes());
        assert_eq!(reader.charged(), 0);
        reader.reserve();
        assert!(reader.buffer.capacity() <= 2 * FREE_BYTES);
    }
}
