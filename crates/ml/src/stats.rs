//! Running statistics: of all numbers so far, of those that fade, and of the last ones.
//!
//! Each takes a finite number with `add` and tells what it came to with `get`, `None` before there is anything to tell.

mod fading;
mod moments;
mod quantile;
mod rolling;

pub use fading::{FadingMean, FadingVariance};
pub use moments::Summary;
pub use quantile::Quantile;
pub use rolling::Rolling;
