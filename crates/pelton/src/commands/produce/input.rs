//! The input in pieces: read on a thread of its own, so that what was read goes out while the next is awaited.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use anyhow::{Context, anyhow};

/// Bytes of one read.
const CHUNK_BYTES: usize = 256 << 10;
/// Reads ahead of the sender.
const CHUNKS_MAX: usize = 8;
/// How soon an interrupt is noticed while nothing comes.
pub(super) const INTERRUPT_POLL: Duration = Duration::from_millis(100);

/// What the input does.
#[derive(Debug)]
pub(super) enum Event {
    /// A piece of a file of records.
    Bytes(Vec<u8>),
    /// A file that is one record.
    Whole(Vec<u8>),
    /// A file of records ends; what has no delimiter behind it is a record too.
    EndOfFile,
    /// Nothing came in time.
    Idle,
    /// There is no more.
    End,
}

/// The input as it comes.
pub(super) struct Chunks {
    receiver: Receiver<anyhow::Result<Event>>,
}

impl Chunks {
    /// Reads files, or standard input if there are none; `split` is whether they hold many records.
    pub(super) fn open(files: &[PathBuf], split: bool) -> anyhow::Result<Self> {
        let (sender, receiver) = sync_channel(CHUNKS_MAX);
        let files = if files.is_empty() { vec![PathBuf::from("-")] } else { files.to_vec() };
        let body = move || {
            for file in &files {
                if let Err(error) = read(file, split, &sender) {
                    // When nobody listens any more, nothing is left to say.
                    let _ = sender.send(Err(error));
                    return;
                }
            }
        };
        env::spawn_thread("input", body).context("start the thread of the input")?;
        Ok(Self { receiver })
    }

    /// What comes next, within `patience`.
    pub(super) fn next(&mut self, patience: Duration) -> anyhow::Result<Event> {
        match self.receiver.recv_timeout(patience) {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout) => Ok(Event::Idle),
            Err(RecvTimeoutError::Disconnected) => Ok(Event::End),
        }
    }
}

fn read(file: &Path, split: bool, sender: &SyncSender<anyhow::Result<Event>>) -> anyhow::Result<()> {
    let failed = |error: std::io::Error| anyhow!("cannot read {}: {error}", file.display());
    let mut input: Box<dyn Read> = match file.to_str() {
        Some("-") => Box::new(std::io::stdin()),
        _ => Box::new(std::fs::File::open(file).map_err(failed)?),
    };
    if !split {
        let mut whole = Vec::new();
        input.read_to_end(&mut whole).map_err(failed)?;
        let _ = sender.send(Ok(Event::Whole(whole)));
        return Ok(());
    }
    loop {
        let mut chunk = vec![0; CHUNK_BYTES];
        let length = input.read(&mut chunk).map_err(failed)?;
        chunk.truncate(length);
        let event = if length == 0 { Event::EndOfFile } else { Event::Bytes(chunk) };
        if sender.send(Ok(event)).is_err() || length == 0 {
            return Ok(());
        }
    }
}

/// Cuts pieces of input into records at a delimiter.
pub(super) struct Splitter {
    delimiter: Vec<u8>,
    /// The beginning of a record whose end has not come.
    rest: Vec<u8>,
}

impl Splitter {
    /// Cuts at `delimiter`, which is not empty.
    pub(super) fn new(delimiter: Vec<u8>) -> Self {
        assert!(!delimiter.is_empty(), "a delimiter has bytes");
        Self { delimiter, rest: Vec::new() }
    }

    /// Hands over every record that ends in this piece.
    pub(super) fn feed(
        &mut self,
        chunk: &[u8],
        mut record: impl FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut left = chunk;
        if !self.rest.is_empty() {
            // The delimiter itself may be cut in two.
            let seen = self.rest.len().saturating_sub(self.delimiter.len() - 1);
            let before = self.rest.len();
            self.rest.extend_from_slice(chunk);
            let Some(at) = find(&self.rest[seen..], &self.delimiter) else { return Ok(()) };
            record(&self.rest[..seen + at])?;
            left = &chunk[seen + at + self.delimiter.len() - before..];
            self.rest.clear();
        }
        while let Some(at) = find(left, &self.delimiter) {
            record(&left[..at])?;
            left = &left[at + self.delimiter.len()..];
        }
        self.rest.extend_from_slice(left);
        Ok(())
    }

    /// Hands over what is left at the end of a file.
    pub(super) fn end(&mut self, record: impl FnOnce(&[u8]) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let rest = std::mem::take(&mut self.rest);
        if rest.is_empty() { Ok(()) } else { record(&rest) }
    }
}

/// Where `needle` begins first.
pub(super) fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    loop {
        let at = from + bytes.get(from..)?.iter().position(|byte| *byte == first)?;
        if bytes[at..].starts_with(needle) {
            return Some(at);
        }
        from = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(chunks: &[&[u8]], delimiter: &[u8]) -> Vec<Vec<u8>> {
        let mut splitter = Splitter::new(delimiter.to_vec());
        let mut records: Vec<Vec<u8>> = Vec::new();
        let mut keep = |record: &[u8]| {
            records.push(record.to_vec());
            Ok(())
        };
        for chunk in chunks {
            splitter.feed(chunk, &mut keep).unwrap();
        }
        splitter.end(keep).unwrap();
        records
    }

    #[test]
    fn lines_are_cut_and_the_last_needs_no_end() {
        assert_eq!(split(&[b"a\nb", b"c\n\nd"], b"\n"), [&b"a"[..], b"bc", b"", b"d"]);
        assert_eq!(split(&[b"a\n"], b"\n"), [b"a"]);
        assert_eq!(split(&[b"a=", b"=b="], b"=="), [&b"a"[..], b"b="]);
        assert_eq!(split(&[], b"\n"), Vec::<Vec<u8>>::new());
    }

    proptest! {
        /// However the input is cut into pieces, the records are those of the whole.
        #[test]
        fn pieces_do_not_matter(
            bytes in proptest::collection::vec(0_u8..3, 0..60),
            delimiter in proptest::collection::vec(0_u8..2, 1..4),
            cuts in proptest::collection::vec(0_usize..60, 0..6),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
            prop_assert_eq!(split(&pieces, &delimiter), split(&[&bytes], &delimiter));
        }
    }
}
