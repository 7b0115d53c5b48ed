//! Replies on their way to the socket.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// Slices handed to one write call.
const SLICES: usize = 64;

/// Chunks of replies, written together.
#[derive(Debug)]
pub(super) struct Outgoing<W> {
    sink: W,
    chunks: VecDeque<Bytes>,
    len: usize,
    stall: Duration,
}

impl<W: AsyncWrite + Unpin> Outgoing<W> {
    pub(super) fn new(sink: W, stall: Duration) -> Self {
        Self { sink, chunks: VecDeque::new(), len: 0, stall }
    }

    /// Bytes that wait for [`Outgoing::flush`].
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, chunks: Vec<Bytes>) {
        for chunk in chunks.into_iter().filter(|chunk| !chunk.is_empty()) {
            self.len += chunk.len();
            self.chunks.push_back(chunk);
        }
    }

    /// Writes everything; a client that takes nothing for the stall time-out is given up.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        while !self.chunks.is_empty() {
            let slices: Vec<IoSlice<'_>> =
                self.chunks.iter().take(SLICES).map(|chunk| IoSlice::new(chunk)).collect();
            let written = timeout(self.stall, self.sink.write_vectored(&slices))
                .await
                .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.advance(written);
        }
        Ok(())
    }

    fn advance(&mut self, mut written: usize) {
        self.len -= written;
        while written > 0 {
            let first = self.chunks.front_mut().expect("no more is written than there was");
            let step = written.min(first.len());
            first.advance(step);
            written -= step;
            if first.is_empty() {
                self.chunks.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn chunks_arrive_whole_and_in_order() {
        let (sink, mut source) = tokio::io::duplex(7);
        let mut outgoing = Outgoing::new(sink, Duration::from_secs(1));
        let mut expected = Vec::new();
        for length in 0..100u8 {
            let chunk = vec![length; usize::from(length)];
            expected.extend_from_slice(&chunk);
            outgoing.push(vec![chunk.into()]);
        }
        assert_eq!(outgoing.len(), expected.len());
        let writing = tokio::spawn(async move { outgoing.flush().await });
        let mut got = Vec::new();
        source.read_to_end(&mut got).await.unwrap();
        writing.await.unwrap().unwrap();
        assert_eq!(got, expected);
    }

    #[tokio::test]
    async fn who_does_not_read_is_given_up() {
        let (sink, _source) = tokio::io::duplex(7);
        let mut outgoing = Outgoing::new(sink, Duration::from_millis(5));
        outgoing.push(vec![vec![0; 8].into()]);
        assert_eq!(outgoing.flush().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
