//! What is attacked.

mod compaction;
mod events;
mod logs;
mod messages;
mod metadata;
mod records;

use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;

/// The memory that one run of a target may hold at once.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// Bytes per byte of input.
    pub per_byte: usize,
    /// Bytes beside that.
    pub fixed: usize,
}

impl Allowance {
    /// The bytes that an input may take.
    #[must_use]
    pub fn bytes(self, input: usize) -> usize {
        input.saturating_mul(self.per_byte).saturating_add(self.fixed)
    }
}

/// A decoder, honest inputs for it, and the memory it may take.
pub struct Target {
    /// What it is called on the command line and in `regressions/`.
    pub name: String,
    /// Inputs that the decoder likes.
    pub seeds: Vec<Bytes>,
    /// The memory of one run.
    pub allowance: Allowance,
    decode: Box<dyn Fn(&Bytes) -> u64>,
}

impl Target {
    /// A target whose answers are told apart by how they are written for debugging.
    fn new<A: Debug>(
        name: impl Into<String>,
        allowance: Allowance,
        seeds: Vec<Bytes>,
        decode: impl Fn(&Bytes) -> A + 'static,
    ) -> Self {
        let decode = move |input: &Bytes| fingerprint(&decode(input));
        Self { name: name.into(), seeds, allowance, decode: Box::new(decode) }
    }

    /// Runs the decoder; the answer is the same for inputs that led to the same.
    ///
    /// # Panics
    /// If the decoder does, or accepts what it cannot keep.
    #[must_use]
    pub fn run(&self, input: &Bytes) -> u64 {
        (self.decode)(input)
    }
}

fn fingerprint(answer: &impl Debug) -> u64 {
    struct Sink(DefaultHasher);
    impl std::fmt::Write for Sink {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            text.hash(&mut self.0);
            Ok(())
        }
    }
    let mut sink = Sink(DefaultHasher::new());
    let _ = std::fmt::write(&mut sink, format_args!("{answer:?}"));
    sink.0.finish()
}

/// Every target there is, by crate.
#[must_use]
pub fn targets() -> Vec<Target> {
    let mut targets = messages::targets();
    targets.extend(records::targets());
    targets.extend(events::targets());
    targets.extend(metadata::targets());
    targets.extend(logs::targets());
    targets.extend(compaction::targets());
    targets
}
