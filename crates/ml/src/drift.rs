//! Noticing that a stream of numbers no longer behaves as it did: errors of a model, or values themselves.
//!
//! A [`DriftDetector`] takes one number after the other. [`Detector`] is any of them, chosen by name with [`create`].
//! Those that watch whether a model was wrong (1) or right (0) say so on their page; the others take any number.

pub mod adwin;
pub mod cusum;
pub mod ddm;
pub mod eddm;
pub mod hddm_a;
pub mod hddm_w;
pub mod kswin;
mod mean;
pub mod page_hinkley;
mod watch;

pub use adwin::Adwin;
pub use cusum::Cusum;
pub use ddm::Ddm;
pub use eddm::Eddm;
pub use hddm_a::HddmA;
pub use hddm_w::HddmW;
pub use kswin::Kswin;
pub use page_hinkley::PageHinkley;
pub(crate) use watch::Watch;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::learner::{Drift, DriftDetector, Learner};
use crate::options::OptionError;
use crate::row::{Rejection, VALUE_MAX};
use crate::snapshot::{self, SnapshotError, State};

/// What a detector may be given.
fn check(value: f64) -> Result<(), Rejection> {
    if !value.is_finite() {
        Err(Rejection::NotFinite { column: 0 })
    } else if value.abs() > VALUE_MAX {
        Err(Rejection::TooLarge { column: 0 })
    } else {
        Ok(())
    }
}

/// Makes a type a [`DriftDetector`] that has a `config`, counts `rows_learned` itself, describes what it saw with
/// `describe` and takes a good value with `step`.
macro_rules! detector {
    ($detector:ty, $name:expr) => {
        impl $crate::learner::DriftDetector for $detector {
            fn update(
                &mut self,
                value: f64,
            ) -> Result<$crate::learner::Drift, $crate::row::Rejection> {
                $crate::drift::check(value)?;
                Ok(self.step(value))
            }
        }

        impl $detector {
            /// The same detector with nothing seen.
            #[must_use]
            pub fn fresh(&self) -> Self {
                Self::new(self.config)
            }
        }

        impl $crate::learner::Learner for $detector {
            fn algorithm(&self) -> &'static str {
                $name
            }

            fn rows_learned(&self) -> u64 {
                self.rows_learned
            }

            fn dim(&self) -> Option<usize> {
                Some(1)
            }

            fn snapshot(&self) -> Vec<u8> {
                $crate::snapshot::write(self)
            }

            fn export(&self) -> serde_json::Value {
                $crate::snapshot::export(self)
            }

            fn describe(&self) -> serde_json::Value {
                serde_json::json!({
                    "algorithm": $name,
                    "rows_learned": self.rows_learned,
                    "options": self.config,
                    "seen": self.describe(),
                })
            }

            fn restore(snapshot: &[u8]) -> Result<Self, $crate::snapshot::SnapshotError> {
                $crate::snapshot::read(snapshot)
            }
        }
    };
}
use detector;

/// The enum of all detectors, and what chooses among them.
macro_rules! detectors {
    ($($module:ident => $detector:ident),* $(,)?) => {
        /// A drift detector of any kind.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Detector {
            $(
                #[doc = concat!("See [`", stringify!($module), "`].")]
                $detector($detector),
            )*
        }

        /// The names that [`create`] knows.
        pub const NAMES: &[&str] = &[$($module::NAME),*];

        /// Makes the detector `name`, which has seen nothing yet.
        ///
        /// # Errors
        ///
        /// If there is no such detector, or an option is unknown, malformed or out of range; the message names what
        /// would be accepted.
        pub fn create(name: &str, options: &BTreeMap<String, String>) -> Result<Detector, OptionError> {
            match name.to_ascii_lowercase().as_str() {
                $(
                    $module::NAME => {
                        Ok(Detector::$detector($detector::new($module::Config::from_options(options)?)))
                    }
                )*
                _ => Err(OptionError::UnknownAlgorithm { name: name.to_owned(), known: NAMES.join(", ") }),
            }
        }

        impl Detector {
            /// The detector that an export was of.
            ///
            /// # Errors
            ///
            /// If there is no detector of this name, or the export is not one of its.
            pub fn import(name: &str, exported: Value) -> Result<Self, SnapshotError> {
                match name {
                    $($module::NAME => Ok(Detector::$detector(snapshot::import(exported)?)),)*
                    _ => Err(SnapshotError::UnknownAlgorithm { name: name.to_owned() }),
                }
            }

            /// The same detector with nothing seen.
            #[must_use]
            pub fn fresh(&self) -> Self {
                match self {
                    $(Detector::$detector(detector) => Detector::$detector(detector.fresh()),)*
                }
            }

            /// Says what is impossible about a detector that was read as a part of something else.
            ///
            /// # Errors
            ///
            /// What is impossible about it.
            pub fn validate(&self) -> Result<(), &'static str> {
                match self {
                    $(Detector::$detector(detector) => detector.validate(),)*
                }
            }

            fn inner(&self) -> &dyn Learner {
                match self {
                    $(Detector::$detector(detector) => detector,)*
                }
            }
        }

        impl DriftDetector for Detector {
            fn update(&mut self, value: f64) -> Result<Drift, Rejection> {
                match self {
                    $(Detector::$detector(detector) => detector.update(value),)*
                }
            }
        }

        impl Learner for Detector {
            fn algorithm(&self) -> &'static str {
                self.inner().algorithm()
            }

            fn rows_learned(&self) -> u64 {
                self.inner().rows_learned()
            }

            fn dim(&self) -> Option<usize> {
                self.inner().dim()
            }

            fn snapshot(&self) -> Vec<u8> {
                self.inner().snapshot()
            }

            fn export(&self) -> Value {
                self.inner().export()
            }

            fn describe(&self) -> Value {
                self.inner().describe()
            }

            fn restore(bytes: &[u8]) -> Result<Self, SnapshotError> {
                match snapshot::algorithm(bytes)? {
                    $($module::NAME => Ok(Detector::$detector(snapshot::read(bytes)?)),)*
                    name => Err(SnapshotError::UnknownAlgorithm { name: name.to_owned() }),
                }
            }
        }
    };
}

detectors! {
    adwin => Adwin,
    cusum => Cusum,
    ddm => Ddm,
    eddm => Eddm,
    hddm_a => HddmA,
    hddm_w => HddmW,
    kswin => Kswin,
    page_hinkley => PageHinkley,
}

#[cfg(test)]
mod tests;
