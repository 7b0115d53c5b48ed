//! Bytes that mean no good, for every decoder.
//!
//! A [`Target`] is a decoder, honest inputs for it, and the memory it may take. A [`Campaign`] bends the honest
//! inputs and watches: no panic, no more memory than the target is allowed, and whatever a decoder accepts must
//! survive being written and read again. Inputs that lead to something new (another error, another position) are
//! kept and bent further, which takes the place of coverage. The same seed gives the same campaign.
//!
//! ```text
//! cargo run -p fuzz -- --seconds 600                      every target, in turn
//! cargo run -p fuzz -- --seconds 60 --target fetch        those whose name contains it
//! cargo test -p fuzz                                      some hundred rounds each, and every input ever found
//! ```
//!
//! What is found is cut down to what matters, printed, and written to `crates/fuzz/regressions/<target>/`; it stays there
//! when the decoder is mended, and the tests run it for ever.
//!
//! Why an own loop: coverage-guided engines need a nightly compiler or a build of their own, and without coverage
//! they are a loop like this one. Memory is counted by a global allocator, so what zstd's C code takes is not seen;
//! its window is bounded in `record`.
//!
//! Read `target` (what is attacked, by crate), then `campaign`, then `mutate`.

mod campaign;
mod mutate;
mod target;

pub use campaign::{Campaign, Finding, Regression, regressions, run_once};
pub use target::{Allowance, Target, targets};
