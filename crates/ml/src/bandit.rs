//! Which of several arms to pull, where only the pulled one says what it was worth.
//!
//! A [`Bandit`] is asked with [`pull`](Bandit::pull) and told with [`update`](Bandit::update), as River's policies; each
//! arm is pulled `burn_in` times first. The policies:
//!
//! - *epsilon-greedy*: the arm with the highest mean reward, or with chance `epsilon * e^(-decay n)` any one;
//! - *upper confidence bounds* (Auer, Cesa-Bianchi and Fischer, *Finite-time analysis of the multiarmed bandit problem*,
//!   2002): the arm with the highest `mean + delta sqrt(2 ln(n) / pulls)`, one that was never pulled first;
//! - *Thompson sampling* (1933), for rewards from 0 to 1: each arm draws from the beta distribution of what it has given
//!   so far, and the highest number wins.
//!
//! They choose actions rather than answer rows, so they are no models of SQL.
//!
//! ```
//! use ml::bandit::{Bandit, Policy};
//!
//! let mut bandit = Bandit::new(3, Policy::Thompson, 0, 42);
//! for _ in 0..1_000 {
//!     let arm = bandit.pull();
//!     bandit.update(arm, if arm == 1 { 1.0 } else { 0.0 });
//! }
//! assert!(bandit.pulls(1) > 900);
//! ```

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use crate::random::Random;
use crate::snapshot::{self, SnapshotError, State};

/// The most arms.
const ARMS_MAX: usize = 1 << 20;

/// How an arm is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Policy {
    /// Mostly the best so far.
    EpsilonGreedy {
        /// The chance of any arm.
        epsilon: f64,
        /// How fast that chance falls.
        decay: f64,
    },
    /// The best that an arm may still be.
    Ucb {
        /// How much doubt counts.
        delta: f64,
    },
    /// By chance, as likely as an arm is the best.
    Thompson,
}

/// Arms, and what each has given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bandit {
    policy: Policy,
    burn_in: u64,
    random: Random,
    pulls: Vec<u64>,
    means: Vec<f64>,
    total: u64,
}

impl Bandit {
    /// A bandit that knows nothing yet.
    ///
    /// # Panics
    ///
    /// If there are no arms, or more than 2^20.
    #[must_use]
    pub fn new(arms: usize, policy: Policy, burn_in: u64, seed: u64) -> Self {
        assert!((1..=ARMS_MAX).contains(&arms), "a bandit has from 1 to {ARMS_MAX} arms");
        let (pulls, means) = (vec![0; arms], vec![0.0; arms]);
        Bandit { policy, burn_in, random: Random::new(seed), pulls, means, total: 0 }
    }

    /// The arm to pull next.
    pub fn pull(&mut self) -> usize {
        if let Some(arm) = self.pulls.iter().position(|&pulls| pulls < self.burn_in) {
            return arm;
        }
        let arms = self.pulls.len();
        match self.policy {
            Policy::EpsilonGreedy { epsilon, decay } => {
                let chance = epsilon * libm::exp(-decay * self.total as f64);
                if self.random.uniform() < chance {
                    return self.random.index(arms);
                }
                self.best(|bandit, arm| bandit.means[arm])
            }
            Policy::Ucb { delta } => self.best(|bandit, arm| match bandit.pulls[arm] {
                0 => f64::INFINITY,
                pulls => {
                    let doubt = (2.0 * libm::log(bandit.total as f64) / pulls as f64).sqrt();
                    bandit.means[arm] + delta * doubt
                }
            }),
            Policy::Thompson => self.best(|bandit, arm| {
                let (mean, pulls) = (bandit.means[arm].clamp(0.0, 1.0), bandit.pulls[arm] as f64);
                let won = gamma(&mut bandit.random, 1.0 + mean * pulls);
                let lost = gamma(&mut bandit.random, 1.0 + (1.0 - mean) * pulls);
                won / (won + lost)
            }),
        }
    }

    /// The first arm with the highest number.
    fn best(&mut self, worth: impl Fn(&mut Self, usize) -> f64) -> usize {
        let mut best = (0, f64::NEG_INFINITY);
        for arm in 0..self.pulls.len() {
            let worth = worth(self, arm);
            if worth > best.1 {
                best = (arm, worth);
            }
        }
        best.0
    }

    /// Says what an arm gave. A reward that is not a finite number, or of no arm, is not taken; false then.
    pub fn update(&mut self, arm: usize, reward: f64) -> bool {
        let known = arm < self.pulls.len() && reward.abs() <= 1e100;
        if known {
            self.total += 1;
            self.pulls[arm] += 1;
            self.means[arm] += (reward - self.means[arm]) / self.pulls[arm] as f64;
        }
        known
    }

    /// How often an arm was pulled.
    #[must_use]
    pub fn pulls(&self, arm: usize) -> u64 {
        self.pulls.get(arm).copied().unwrap_or(0)
    }

    /// What an arm gave on average; 0 before it gave anything.
    #[must_use]
    pub fn mean(&self, arm: usize) -> f64 {
        self.means.get(arm).copied().unwrap_or(0.0)
    }

    /// Everything it is, as bytes.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        snapshot::write(self)
    }

    /// The bandit that [`Bandit::snapshot`] wrote; it chooses on as the original would.
    ///
    /// # Errors
    ///
    /// If the bytes are damaged, or of something else.
    pub fn restore(snapshot: &[u8]) -> Result<Self, SnapshotError> {
        snapshot::read(snapshot)
    }
}

impl State for Bandit {
    const NAME: &'static str = "bandit";
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let finite = match self.policy {
            Policy::EpsilonGreedy { epsilon, decay } => epsilon.is_finite() && decay.is_finite(),
            Policy::Ucb { delta } => delta.is_finite(),
            Policy::Thompson => true,
        };
        let arms = (1..=ARMS_MAX).contains(&self.pulls.len()) && self.means.len() == self.pulls.len();
        let pulls = self.pulls.iter().try_fold(0_u64, |sum, &pulls| sum.checked_add(pulls));
        let good = finite && arms && pulls == Some(self.total);
        if good && self.means.iter().all(|mean| mean.is_finite()) { Ok(()) } else { Err("its arms") }
    }
}

/// A number of the gamma distribution of a shape from 1 on (Marsaglia and Tsang, 2000).
fn gamma(random: &mut Random, shape: f64) -> f64 {
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        // Box and Muller, 1958.
        let (radius, angle) = (1.0 - random.uniform(), TAU * random.uniform());
        let x = (-2.0 * libm::log(radius)).sqrt() * libm::cos(angle);
        let v = (1.0 + c * x) * (1.0 + c * x) * (1.0 + c * x);
        let accepted = 1.0 - random.uniform();
        if v > 0.0 && libm::log(accepted) < 0.5 * x * x + d - d * v + d * libm::log(v) {
            return d * v;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICIES: [Policy; 4] = [
        Policy::EpsilonGreedy { epsilon: 0.1, decay: 0.0 },
        Policy::EpsilonGreedy { epsilon: 1.0, decay: 0.01 },
        Policy::Ucb { delta: 0.5 },
        Policy::Thompson,
    ];

    /// Arms that give 1 with these chances.
    fn play(bandit: &mut Bandit, random: &mut Random, times: usize) -> Vec<usize> {
        let chances = [0.2, 0.5, 0.8, 0.4];
        let mut pulled = Vec::new();
        for _ in 0..times {
            let arm = bandit.pull();
            let reward = if random.uniform() < chances[arm] { 1.0 } else { 0.0 };
            assert!(bandit.update(arm, reward));
            pulled.push(arm);
        }
        pulled
    }

    #[test]
    fn the_best_arm_is_found_and_remembered() {
        for policy in POLICIES {
            let (mut bandit, mut random) = (Bandit::new(4, policy, 3, 7), Random::new(1));
            play(&mut bandit, &mut random, 2_000);
            assert!(bandit.pulls(2) > 1_400, "{policy:?}: {:?}", bandit.pulls);
            assert!((bandit.mean(2) - 0.8).abs() < 0.05, "{policy:?}");
            let mut twin = Bandit::restore(&bandit.snapshot()).expect("its own snapshot");
            let mut same = random.clone();
            assert_eq!(play(&mut bandit, &mut random, 200), play(&mut twin, &mut same, 200));
            assert_eq!(bandit, twin);
            assert!(!bandit.update(4, 1.0) && !bandit.update(0, f64::NAN));
        }
    }

    #[test]
    fn bounds_choose_as_rivers() {
        let mut bandit = Bandit::new(3, Policy::Ucb { delta: 1.0 }, 1, 0);
        let rewards = [[0.3, 0.5, 0.4], [0.4, 0.7, 0.1]];
        let mut pulled = Vec::new();
        for at in 0..20 {
            let arm = bandit.pull();
            bandit.update(arm, rewards[at % 2][arm]);
            pulled.push(arm);
        }
        // River 0.26.1: UCB(delta=1, burn_in=1), the same rewards.
        assert_eq!(pulled, [0, 1, 2, 1, 2, 0, 1, 2, 1, 0, 1, 0, 2, 1, 1, 0, 2, 1, 0, 1]);
    }

    #[test]
    fn gamma_numbers_have_their_mean_and_variance() {
        let mut random = Random::new(2);
        for shape in [1.0, 3.5, 40.0] {
            let numbers: Vec<f64> = (0..20_000).map(|_| gamma(&mut random, shape)).collect();
            let mean = numbers.iter().sum::<f64>() / 20_000.0;
            let variance = numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / 20_000.0;
            assert!(
                (mean / shape - 1.0).abs() < 0.03 && (variance / shape - 1.0).abs() < 0.06,
                "{shape}: {mean} {variance}"
            );
        }
    }
}
