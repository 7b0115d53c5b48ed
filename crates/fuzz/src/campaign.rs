//! Bending inputs of one target for as long as anybody likes.

use std::any::Any;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use env::SeededRandom;

use crate::Target;
use crate::mutate::mutate;

/// How many inputs are kept because they led to something new.
const CORPUS_MAX: usize = 2048;

/// An input that a decoder does not stand.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The input, cut down to what matters.
    pub input: Bytes,
    /// What happened.
    pub what: String,
}

/// One target under attack.
pub struct Campaign<'a> {
    target: &'a Target,
    random: SeededRandom,
    corpus: Vec<Bytes>,
    seen: HashSet<u64>,
    runs: u64,
}

impl<'a> Campaign<'a> {
    /// A campaign that begins with the target's honest inputs.
    #[must_use]
    pub fn new(target: &'a Target, seed: u64) -> Self {
        let corpus = target.seeds.clone();
        Self { target, random: SeededRandom::new(seed), corpus, seen: HashSet::new(), runs: 0 }
    }

    /// How many inputs were tried.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// How many different answers they led to.
    #[must_use]
    pub fn answers(&self) -> usize {
        self.seen.len()
    }

    /// Tries `count` inputs.
    ///
    /// # Errors
    /// The first [`Finding`].
    pub fn round(&mut self, count: u64) -> Result<(), Finding> {
        for _ in 0..count {
            let input = Bytes::from(mutate(&self.random, self.pick(), self.pick()));
            self.runs += 1;
            match run_once(self.target, &input) {
                Ok(answer) => self.keep(answer, input),
                Err(_) => return Err(shrink(self.target, &input)),
            }
        }
        Ok(())
    }

    fn pick(&self) -> &[u8] {
        match u64::try_from(self.corpus.len()) {
            Ok(0) | Err(_) => &[],
            Ok(count) => &self.corpus[usize::try_from(self.random.below(count)).expect("below a length")],
        }
    }

    fn keep(&mut self, answer: u64, input: Bytes) {
        if !self.seen.insert(answer) {
            return;
        }
        if self.corpus.len() < CORPUS_MAX {
            self.corpus.push(input);
            return;
        }
        // The honest inputs stay.
        let honest = self.target.seeds.len().min(CORPUS_MAX - 1);
        let rest = u64::try_from(CORPUS_MAX - honest).expect("a small number");
        let at = honest + usize::try_from(self.random.below(rest)).expect("below a length");
        self.corpus[at] = input;
    }
}

/// Runs one input and answers what it led to.
///
/// # Errors
/// What the decoder should not have done: panic, or take more memory than it is allowed.
pub fn run_once(target: &Target, input: &Bytes) -> Result<u64, String> {
    let mut answer = Ok(0);
    let memory = allocation_counter::measure(|| {
        answer = catch_unwind(AssertUnwindSafe(|| target.run(input)));
    });
    let answer = answer.map_err(|panic| message(&*panic))?;
    let allowed = target.allowance.bytes(input.len());
    if memory.bytes_max > u64::try_from(allowed).unwrap_or(u64::MAX) {
        let (taken, length) = (memory.bytes_max, input.len());
        return Err(format!("{taken} bytes of memory for {length} bytes of input, {allowed} allowed"));
    }
    Ok(answer)
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words").to_owned()
}

/// Cuts pieces out of an input for as long as it still does harm.
fn shrink(target: &Target, input: &Bytes) -> Finding {
    let mut input = input.to_vec();
    let mut piece = input.len().div_ceil(2);
    while piece > 0 {
        let mut at = 0;
        while at < input.len() {
            let mut shorter = input.clone();
            shorter.drain(at..(at + piece).min(input.len()));
            if run_once(target, &Bytes::from(shorter.clone())).is_err() {
                input = shorter;
            } else {
                at += piece;
            }
        }
        piece /= 2;
    }
    let input = Bytes::from(input);
    let what = run_once(target, &input).err().unwrap_or_else(|| "not found again".to_owned());
    Finding { input, what }
}

/// An input that did harm once.
#[derive(Clone, Debug)]
pub struct Regression {
    /// The target.
    pub target: String,
    /// The file it stands in.
    pub file: PathBuf,
    /// The input.
    pub input: Bytes,
}

/// Everything that was ever found, from `crates/fuzz/regressions/<target>/`; nothing if there is no such directory.
///
/// # Errors
/// Whatever the file system answers.
pub fn regressions(directory: &Path) -> io::Result<Vec<Regression>> {
    let mut all = Vec::new();
    if !directory.exists() {
        return Ok(all);
    }
    for of_target in fs::read_dir(directory)? {
        let of_target = of_target?;
        if !of_target.file_type()?.is_dir() {
            continue;
        }
        for file in fs::read_dir(of_target.path())? {
            let file = file?.path();
            let input = Bytes::from(fs::read(&file)?);
            all.push(Regression { target: of_target.file_name().to_string_lossy().into(), file, input });
        }
    }
    Ok(all)
}
