//! What an error costs, as seen by the sum that a linear model makes of a row.
//!
//! A linear model only needs the slope of its loss: how the cost changes with the raw sum `p`. The losses of numbers
//! compare `p` with the target `y`; those of classes see the margin `m = s p`, where `s` is 1 for the class and -1 for
//! the other one. Slopes and defaults are those of River's `optim.losses`, except where a loss says otherwise.

use serde::{Deserialize, Serialize};

use crate::exponential::exp;
use crate::options::{OptionError, Options};

/// The largest exponent whose power of e stays below [`crate::row::VALUE_MAX`].
const EXPONENT_MAX: f64 = 230.0;

/// The margin from which on River's logarithmic loss is a straight line, one way, and a power of e the other way.
const LOG_MARGIN_MAX: f64 = 18.0;

/// A loss of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum RegressionLoss {
    /// `(p - y)^2`.
    Squared,
    /// `|p - y|`.
    Absolute,
    /// Squared up to `epsilon`, absolute beyond (Huber, 1964).
    Huber {
        /// Where it turns into a straight line.
        epsilon: f64,
    },
    /// The `alpha`-quantile is its best answer.
    Quantile {
        /// Which quantile.
        alpha: f64,
    },
    /// `max(|p - y| - epsilon, 0)`. River's class of this name maps the target as if it were a class first; this does not.
    EpsilonInsensitive {
        /// The error that costs nothing.
        epsilon: f64,
    },
    /// `ln(1 + ((p - y) / c)^2)`: outliers count less and less.
    Cauchy {
        /// The error at which that begins.
        c: f64,
    },
    /// `e^p - y p`, for counts; the answer is `e^p`.
    Poisson,
}

/// A loss of two classes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum BinaryLoss {
    /// `ln(1 + e^-m)`.
    Log,
    /// `max(threshold - m, 0)`: 1 is that of support vector machines, 0 that of the perceptron.
    Hinge {
        /// The margin that is wide enough.
        threshold: f64,
    },
    /// `max(1 - m, 0)^2` for `m >= -1`, `-4 m` beyond (Zhang, 2004).
    ModifiedHuber,
    /// The focal loss (Lin et al., 2017; the variant with a star): easy rows count less.
    Focal {
        /// How much less.
        gamma: f64,
        /// Moves the margin at which a row is easy.
        shift: f64,
    },
}

const REGRESSION_WORDS: &[(&str, RegressionLoss)] = &[
    ("squared", RegressionLoss::Squared),
    ("absolute", RegressionLoss::Absolute),
    ("huber", RegressionLoss::Huber { epsilon: 0.1 }),
    ("quantile", RegressionLoss::Quantile { alpha: 0.5 }),
    ("epsilon_insensitive", RegressionLoss::EpsilonInsensitive { epsilon: 0.1 }),
    ("cauchy", RegressionLoss::Cauchy { c: 80.0 }),
    ("poisson", RegressionLoss::Poisson),
];

const BINARY_WORDS: &[(&str, BinaryLoss)] = &[
    ("log", BinaryLoss::Log),
    ("hinge", BinaryLoss::Hinge { threshold: 1.0 }),
    ("modified_huber", BinaryLoss::ModifiedHuber),
    ("focal", BinaryLoss::Focal { gamma: 2.0, shift: 1.0 }),
];

impl RegressionLoss {
    /// The options it reads.
    pub(crate) const OPTIONS: [&str; 4] = ["loss", "epsilon", "alpha", "c"];

    pub(crate) fn from_options(options: &Options) -> Result<Self, OptionError> {
        let mut loss = options.choice("loss", REGRESSION_WORDS)?.unwrap_or(RegressionLoss::Squared);
        match &mut loss {
            RegressionLoss::Huber { epsilon } | RegressionLoss::EpsilonInsensitive { epsilon } => {
                options.set("epsilon", 0.0..=1e12, epsilon)?;
            }
            RegressionLoss::Quantile { alpha } => options.set("alpha", 0.0..=1.0, alpha)?,
            RegressionLoss::Cauchy { c } => options.set("c", 1e-9..=1e12, c)?,
            _ => {}
        }
        let unused = |name, with| options.get(name).map(|_| OptionError::Unused { name, with });
        let wrong = match loss {
            RegressionLoss::Huber { .. } | RegressionLoss::EpsilonInsensitive { .. } => None,
            _ => unused("epsilon", "the losses huber and epsilon_insensitive"),
        };
        let wrong = wrong.or_else(|| match loss {
            RegressionLoss::Quantile { .. } => unused("c", "the loss cauchy"),
            RegressionLoss::Cauchy { .. } => unused("alpha", "the loss quantile"),
            _ => unused("c", "the loss cauchy").or_else(|| unused("alpha", "the loss quantile")),
        });
        wrong.map_or(Ok(loss), Err)
    }

    /// Says whether its numbers can be worked with.
    pub(crate) fn is_sound(self) -> bool {
        match self {
            RegressionLoss::Huber { epsilon } | RegressionLoss::EpsilonInsensitive { epsilon } => {
                (0.0..=1e12).contains(&epsilon)
            }
            RegressionLoss::Quantile { alpha } => (0.0..=1.0).contains(&alpha),
            RegressionLoss::Cauchy { c } => (1e-9..=1e12).contains(&c),
            RegressionLoss::Squared | RegressionLoss::Absolute | RegressionLoss::Poisson => true,
        }
    }

    /// The slope at the raw sum `sum`.
    pub(crate) fn slope(self, sum: f64, target: f64) -> f64 {
        let error = sum - target;
        match self {
            RegressionLoss::Squared => 2.0 * error,
            RegressionLoss::Absolute => sign(error > 0.0),
            RegressionLoss::Huber { epsilon } => error.clamp(-epsilon, epsilon),
            RegressionLoss::Quantile { alpha } => f64::from(u8::from(error > 0.0)) - alpha,
            RegressionLoss::EpsilonInsensitive { epsilon } if error.abs() > epsilon => sign(error > 0.0),
            RegressionLoss::EpsilonInsensitive { .. } => 0.0,
            RegressionLoss::Cauchy { c } => error / ((error / c) * (error / c) + 1.0),
            RegressionLoss::Poisson => libm::exp(sum.min(EXPONENT_MAX)) - target,
        }
    }

    /// The answer that a raw sum stands for.
    pub(crate) fn answer(self, sum: f64) -> f64 {
        match self {
            RegressionLoss::Poisson => libm::exp(sum.min(EXPONENT_MAX)),
            _ => sum,
        }
    }
}

impl BinaryLoss {
    /// The options it reads.
    pub(crate) const OPTIONS: [&str; 4] = ["loss", "threshold", "gamma", "shift"];

    pub(crate) fn from_options(options: &Options) -> Result<Self, OptionError> {
        let mut loss = options.choice("loss", BINARY_WORDS)?.unwrap_or(BinaryLoss::Log);
        match &mut loss {
            BinaryLoss::Hinge { threshold } => options.set("threshold", 0.0..=1e12, threshold)?,
            BinaryLoss::Focal { gamma, shift } => {
                options.set("gamma", 1e-3..=1e3, gamma)?;
                options.set("shift", -1e3..=1e3, shift)?;
            }
            _ => {}
        }
        let of_hinge = ("threshold", "the loss hinge");
        let of_focal = [("gamma", "the loss focal"), ("shift", "the loss focal")];
        let unused: &[_] = match loss {
            BinaryLoss::Hinge { .. } => &of_focal,
            BinaryLoss::Focal { .. } => &[of_hinge],
            _ => &[of_hinge, of_focal[0], of_focal[1]],
        };
        let wrong = unused.iter().find(|(name, _)| options.get(name).is_some());
        wrong.map_or(Ok(loss), |&(name, with)| Err(OptionError::Unused { name, with }))
    }

    /// Says whether its numbers can be worked with.
    pub(crate) fn is_sound(self) -> bool {
        match self {
            BinaryLoss::Hinge { threshold } => (0.0..=1e12).contains(&threshold),
            BinaryLoss::Focal { gamma, shift } => {
                (1e-3..=1e3).contains(&gamma) && (-1e3..=1e3).contains(&shift)
            }
            BinaryLoss::Log | BinaryLoss::ModifiedHuber => true,
        }
    }

    /// The slope at the raw sum `sum` of a row that is of the class, or is not.
    pub(crate) fn slope(self, sum: f64, of_class: bool) -> f64 {
        let side = sign(of_class);
        let margin = side * sum;
        match self {
            // River's bounds: beyond the first, its slope is 1 to the last bit, and not 1.5e-8 less.
            BinaryLoss::Log if margin < -LOG_MARGIN_MAX => -side,
            BinaryLoss::Log if margin > LOG_MARGIN_MAX => -side * exp(-margin),
            BinaryLoss::Log => -side / (exp(margin) + 1.0),
            // A margin of exactly the threshold is still too small.
            BinaryLoss::Hinge { threshold } if margin <= threshold => -side,
            BinaryLoss::Hinge { .. } => 0.0,
            BinaryLoss::ModifiedHuber if margin >= 1.0 => 0.0,
            BinaryLoss::ModifiedHuber if margin >= -1.0 => -2.0 * side * (1.0 - margin),
            BinaryLoss::ModifiedHuber => -4.0 * side,
            BinaryLoss::Focal { gamma, shift } => side * (sigmoid(gamma * margin + shift) - 1.0),
        }
    }
}

/// The probability that a raw sum stands for.
pub(crate) fn sigmoid(sum: f64) -> f64 {
    1.0 / (1.0 + exp(-sum))
}

fn sign(positive: bool) -> f64 {
    if positive { 1.0 } else { -1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The loss itself, to compare its difference quotient with the slope.
    fn cost(loss: RegressionLoss, sum: f64, target: f64) -> f64 {
        let error = sum - target;
        match loss {
            RegressionLoss::Squared => error * error,
            RegressionLoss::Absolute => error.abs(),
            RegressionLoss::Huber { epsilon } if error.abs() <= epsilon => error * error / 2.0,
            RegressionLoss::Huber { epsilon } => epsilon * error.abs() - epsilon * epsilon / 2.0,
            RegressionLoss::Quantile { alpha } if error > 0.0 => (1.0 - alpha) * error,
            RegressionLoss::Quantile { alpha } => -alpha * error,
            RegressionLoss::EpsilonInsensitive { epsilon } => (error.abs() - epsilon).max(0.0),
            RegressionLoss::Cauchy { c } => c * c / 2.0 * (1.0 + (error / c).powi(2)).ln(),
            RegressionLoss::Poisson => sum.exp() - target * sum,
        }
    }

    #[test]
    fn slopes_are_those_of_their_losses() {
        let losses = REGRESSION_WORDS.iter().map(|(_, loss)| *loss);
        for loss in losses.chain([RegressionLoss::Quantile { alpha: 0.9 }]) {
            for (sum, target) in [(0.3, 1.0), (2.0, -1.5), (0.35, 0.3), (-1.0, 4.0)] {
                let step = 1e-6;
                let rise = cost(loss, sum + step, target) - cost(loss, sum - step, target);
                let slope = loss.slope(sum, target);
                assert!((rise / (2.0 * step) - slope).abs() < 1e-5, "{loss:?} {sum} {target}: {slope}");
            }
        }
    }

    #[test]
    fn binary_losses_are_the_same_from_both_sides() {
        for (_, loss) in BINARY_WORDS {
            for sum in [-3.0, -1.0, -0.5, 0.0, 0.2, 1.0, 1.5, 40.0, 1e200] {
                assert_eq!(loss.slope(sum, true), -loss.slope(-sum, false), "{loss:?}");
                assert!(loss.slope(sum, true) <= 0.0);
            }
        }
        assert!((BinaryLoss::Log.slope(0.7, true) + 1.0 / (1.0 + 0.7_f64.exp())).abs() < 1e-15);
        // River 0.26.1: optim.losses.Log().gradient(True, p) for p of -18.5 and 18.5.
        assert_eq!(BinaryLoss::Log.slope(-18.5, true), -1.0);
        assert!((BinaryLoss::Log.slope(18.5, true) / -9.237_449_661_970_594e-9 - 1.0).abs() < 1e-15);
        assert_eq!(BinaryLoss::ModifiedHuber.slope(-2.0, true), -4.0);
    }
}
