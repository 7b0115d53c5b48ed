//! How weights follow gradients.
//!
//! With `g` the gradient of one weight `w` and `r` the learning rate, `t` counting steps from 0:
//!
//! | rule | what it does | remembers |
//! |---|---|---|
//! | `sgd` | `w -= r g` | |
//! | `momentum` (Polyak, 1964) | `s = rho s + r g; w -= s` | `s` |
//! | `nesterov` (1983) | the same, the gradient taken at `w - rho s` | `s` |
//! | `adagrad` (Duchi et al., 2011) | `q += g^2; w -= r g / sqrt(q + eps)` | `q` |
//! | `rmsprop` (Tieleman and Hinton, 2012) | `q = rho q + (1 - rho) g^2; w -= r g / sqrt(q + eps)` | `q` |
//! | `adadelta` (Zeiler, 2012) | `d = g sqrt(u + eps) / sqrt(q + eps)` with `q` as above; `u = rho u + (1 - rho) d^2; w -= d` | `q`, `u` |
//! | `adam` (Kingma and Ba, 2015) | `m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; w -= r c m / (sqrt(v) + eps)` | `m`, `v` |
//! | `adamax` (the same) | `u = max(b2 u, abs(g)); w -= r m / ((1 - b1^(t+1)) (u + eps))` | `m`, `u` |
//! | `nadam` (Dozat, 2016) | Adam with `b1 m + (1 - b1) g` in place of `m` | `m`, `v` |
//! | `ftrl` (McMahan et al., 2013) | below | `z`, `n` |
//!
//! where `c = sqrt(1 - b2^(t+1)) / (1 - b1^(t+1))` makes up for starting at 0. FTRL-Proximal sets
//! `w = -(z - sign(z) l1) / ((beta + sqrt(n)) / alpha + l2)`, 0 where `|z| <= l1`, and then
//! `s = (sqrt(n + g^2) - sqrt(n)) / alpha; z += g - s w; n += g^2`.
//!
//! Rules and defaults are River's (`optim`, 0.26), to the order of the steps: as there, FTRL's weights lag one gradient
//! behind `z`. Unlike there, a weight whose `z` falls back to `l1` becomes 0, as its paper has it.
//!
//! Only the weights of columns that a row lists are touched.

use serde::{Deserialize, Serialize};

use crate::options::{OptionError, Options};

/// The options that [`Optimizer::from_options`] reads.
pub(crate) const OPTIONS: [&str; 9] =
    ["optimizer", "lr", "learning_rate", "lr_power", "rho", "beta", "beta_1", "beta_2", "eps"];

/// A rule and its learning rate, `lr / (t + 1)^power` at step `t`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Optimizer {
    /// How a gradient becomes a step.
    pub rule: Rule,
    /// How long a step is; FTRL's alpha.
    pub lr: f64,
    /// How fast steps get shorter: 0 not at all, 0.5 as the square root of their number.
    pub power: f64,
}

/// How a gradient becomes a step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the page of the module says what the numbers are")]
pub enum Rule {
    Sgd,
    Momentum { rho: f64 },
    Nesterov { rho: f64 },
    AdaGrad { eps: f64 },
    RmsProp { rho: f64, eps: f64 },
    AdaDelta { rho: f64, eps: f64 },
    Adam { beta_1: f64, beta_2: f64, eps: f64 },
    AdaMax { beta_1: f64, beta_2: f64, eps: f64 },
    Nadam { beta_1: f64, beta_2: f64, eps: f64 },
    Ftrl { beta: f64, l1: f64, l2: f64 },
}

const EPS: f64 = 1e-8;
const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;

/// Rules by name, with their defaults.
const RULES: &[(&str, Rule)] = &[
    ("sgd", Rule::Sgd),
    ("momentum", Rule::Momentum { rho: 0.9 }),
    ("nesterov", Rule::Nesterov { rho: 0.9 }),
    ("adagrad", Rule::AdaGrad { eps: EPS }),
    ("rmsprop", Rule::RmsProp { rho: 0.9, eps: EPS }),
    ("adadelta", Rule::AdaDelta { rho: 0.95, eps: EPS }),
    ("adam", Rule::Adam { beta_1: BETA_1, beta_2: BETA_2, eps: EPS }),
    ("adamax", Rule::AdaMax { beta_1: BETA_1, beta_2: BETA_2, eps: EPS }),
    ("nadam", Rule::Nadam { beta_1: BETA_1, beta_2: BETA_2, eps: EPS }),
    ("ftrl", Rule::Ftrl { beta: 1.0, l1: 0.0, l2: 1.0 }),
];

/// How many numbers a rule remembers per weight: ones with a sign, and others.
pub(crate) struct Memory {
    pub(crate) signed: bool,
    pub(crate) squares: bool,
    pub(crate) steps: bool,
}

impl Optimizer {
    /// Stochastic gradient descent with steps of a fixed length.
    #[must_use]
    pub fn sgd(lr: f64) -> Self {
        Optimizer { rule: Rule::Sgd, lr, power: 0.0 }
    }

    /// Reads the options of [`OPTIONS`]; FTRL takes `l1` and `l2` for itself. `otherwise` is the rate of plain
    /// gradient descent if none is given.
    pub(crate) fn from_options(options: &Options, otherwise: f64) -> Result<Self, OptionError> {
        let mut rule = options.choice("optimizer", RULES)?.unwrap_or(Rule::Sgd);
        for (name, with) in unused(rule) {
            if options.get(name).is_some() {
                return Err(OptionError::Unused { name, with });
            }
        }
        match &mut rule {
            Rule::Sgd => {}
            Rule::Momentum { rho } | Rule::Nesterov { rho } => options.set("rho", 0.0..=0.999_999, rho)?,
            Rule::AdaGrad { eps } => options.set("eps", EPS_MIN..=1.0, eps)?,
            Rule::RmsProp { rho, eps } | Rule::AdaDelta { rho, eps } => {
                options.set("rho", 0.0..=0.999_999, rho)?;
                options.set("eps", EPS_MIN..=1.0, eps)?;
            }
            Rule::Adam { beta_1, beta_2, eps }
            | Rule::AdaMax { beta_1, beta_2, eps }
            | Rule::Nadam { beta_1, beta_2, eps } => {
                options.set("beta_1", 0.0..=0.999_999, beta_1)?;
                options.set("beta_2", 0.0..=0.999_999_9, beta_2)?;
                options.set("eps", EPS_MIN..=1.0, eps)?;
            }
            Rule::Ftrl { beta, l1, l2 } => {
                options.set("beta", 1e-6..=1e6, beta)?;
                options.set("l1", 0.0..=1e6, l1)?;
                options.set("l2", 0.0..=1e6, l2)?;
            }
        }
        let mut lr = match rule {
            Rule::Sgd => otherwise,
            Rule::Ftrl { .. } => 0.05,
            _ => 0.1,
        };
        if options.get("lr").is_some() && options.get("learning_rate").is_some() {
            return Err(OptionError::Conflict { one: "lr", other: "learning_rate" });
        }
        let least = if matches!(rule, Rule::Ftrl { .. }) { 1e-9 } else { 0.0 };
        options.set("lr", least..=LR_MAX, &mut lr)?;
        options.set("learning_rate", least..=LR_MAX, &mut lr)?;
        let mut power = 0.0;
        options.set("lr_power", 0.0..=2.0, &mut power)?;
        Ok(Optimizer { rule, lr, power })
    }

    /// The learning rate at step `step`.
    pub(crate) fn rate(&self, step: u64) -> f64 {
        if self.power == 0.0 { self.lr } else { self.lr / libm::pow((step + 1) as f64, self.power) }
    }

    pub(crate) fn memory(&self) -> Memory {
        let (signed, squares, steps) = match self.rule {
            Rule::Sgd => (false, false, false),
            Rule::Momentum { .. } | Rule::Nesterov { .. } => (true, false, false),
            Rule::AdaGrad { .. } | Rule::RmsProp { .. } => (false, true, false),
            Rule::AdaDelta { .. } => (false, true, true),
            Rule::Adam { .. } | Rule::AdaMax { .. } | Rule::Nadam { .. } | Rule::Ftrl { .. } => {
                (true, true, false)
            }
        };
        Memory { signed, squares, steps }
    }

    /// The name of the rule.
    pub(crate) fn name(&self) -> &'static str {
        let same = |rule: &Rule| std::mem::discriminant(rule) == std::mem::discriminant(&self.rule);
        RULES.iter().find(|(_, rule)| same(rule)).map_or("", |(name, _)| name)
    }

    /// Says whether its numbers can be worked with.
    pub(crate) fn is_sound(&self) -> bool {
        let part = |number: f64| (0.0..1.0).contains(&number);
        let positive = |number: f64| number > 0.0 && number.is_finite();
        let rule = match self.rule {
            Rule::Sgd => true,
            Rule::Momentum { rho } | Rule::Nesterov { rho } => part(rho),
            Rule::AdaGrad { eps } => positive(eps),
            Rule::RmsProp { rho, eps } | Rule::AdaDelta { rho, eps } => part(rho) && positive(eps),
            Rule::Adam { beta_1, beta_2, eps }
            | Rule::AdaMax { beta_1, beta_2, eps }
            | Rule::Nadam { beta_1, beta_2, eps } => part(beta_1) && part(beta_2) && positive(eps),
            Rule::Ftrl { beta, l1, l2 } => positive(beta) && l1 >= 0.0 && l2 >= 0.0 && self.lr > 0.0,
        };
        rule && (0.0..=LR_MAX).contains(&self.lr) && (0.0..=2.0).contains(&self.power)
    }
}

/// The longest step that can be asked for.
pub(crate) const LR_MAX: f64 = 1e6;

/// Keeps quotients finite.
const EPS_MIN: f64 = 1e-30;

/// The options that `rule` has no use for, and what would.
fn unused(rule: Rule) -> Vec<(&'static str, &'static str)> {
    let with_rho = "the optimizers momentum, nesterov, rmsprop and adadelta";
    let with_betas = "the optimizers adam, adamax and nadam";
    let all = [
        ("rho", with_rho),
        ("eps", "the optimizers adagrad, rmsprop, adadelta, adam, adamax and nadam"),
        ("beta_1", with_betas),
        ("beta_2", with_betas),
        ("beta", "the optimizer ftrl"),
    ];
    let used: &[&str] = match rule {
        Rule::Sgd => &[],
        Rule::Momentum { .. } | Rule::Nesterov { .. } => &["rho"],
        Rule::AdaGrad { .. } => &["eps"],
        Rule::RmsProp { .. } | Rule::AdaDelta { .. } => &["rho", "eps"],
        Rule::Adam { .. } | Rule::AdaMax { .. } | Rule::Nadam { .. } => &["beta_1", "beta_2", "eps"],
        Rule::Ftrl { .. } => &["beta"],
    };
    all.into_iter().filter(|(name, _)| !used.contains(name)).collect()
}

/// Powers of one number, step by step. Powers are slow, so those up to [`Powers::NEAR`] are looked up, and the rest is
/// a power that serves as many steps; what comes out depends on the number and the step alone. No part of what a learner
/// is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Powers {
    near: Vec<f64>,
    far: Option<(u64, f64)>,
}

impl Powers {
    const NEAR: u64 = 64;

    /// `beta^steps`, of one `beta` for ever; exactly 0 where 1 minus it would round to 1 anyway.
    pub(crate) fn of(&mut self, beta: f64, steps: u64) -> f64 {
        // beta^n <= e^(-n (1 - beta)), and e^-40 is below half a unit in the last place of 1.
        if steps as f64 * (1.0 - beta) > 40.0 {
            return 0.0;
        }
        let power = |steps: u64| libm::pow(beta, steps as f64);
        if self.near.is_empty() {
            self.near = (0..Self::NEAR).map(power).collect();
        }
        let (block, rest) = (steps / Self::NEAR, steps % Self::NEAR);
        let far = match self.far {
            Some((known, far)) if known == block => far,
            _ => power(block * Self::NEAR),
        };
        self.far = Some((block, far));
        far * self.near[rest as usize]
    }
}

impl PartialEq for Powers {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
