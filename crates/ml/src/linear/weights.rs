//! One weight per column, an intercept, and what the optimizer remembers of them.

use serde::{Deserialize, Serialize};

use crate::linear::config::Config;
use crate::linear::optimizer::{Powers, Rule};
use crate::row::Row;

/// The largest weight. A row's sum of products with values up to 1e100 stays finite.
pub(crate) const WEIGHT_MAX: f64 = 1e150;

/// The largest gradient of one weight that is followed: its square stays finite, however many are added up.
pub(crate) const GRADIENT_MAX: f64 = 1e120;

/// A linear function of a row that follows gradients.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Weights {
    weights: Vec<f64>,
    intercept: f64,
    /// Steps made so far.
    steps: u64,
    /// Per column, as far as the optimizer wants it: velocity, mean gradient, or FTRL's z.
    signed: Vec<f64>,
    /// Per column: squared gradients, or FTRL's n.
    squares: Vec<f64>,
    /// Per column: squared steps.
    squared_steps: Vec<f64>,
    /// How much L1 penalty every weight should have paid by now, and how much each has paid.
    penalty_due: f64,
    penalties: Vec<f64>,
    #[serde(skip)]
    powers: [Powers; 2],
}

impl Weights {
    /// All weights 0.
    pub(crate) fn new(dim: usize, config: &Config) -> Self {
        let memory = config.optimizer.memory();
        let column = |wanted: bool| vec![0.0; if wanted { dim } else { 0 }];
        Weights {
            weights: column(true),
            intercept: config.intercept_init,
            steps: 0,
            signed: column(memory.signed),
            squares: column(memory.squares),
            squared_steps: column(memory.steps),
            penalty_due: 0.0,
            penalties: column(config.l1 > 0.0),
            powers: Default::default(),
        }
    }

    /// What would have been learned with the two classes the other way round.
    pub(crate) fn mirrored(&self) -> Self {
        let mut twin = self.clone();
        let signed = twin.weights.iter_mut().chain(&mut twin.signed).chain(&mut twin.penalties);
        signed.for_each(|number| *number = -*number);
        twin.intercept = -twin.intercept;
        twin
    }

    pub(crate) fn weights(&self) -> &[f64] {
        &self.weights
    }

    pub(crate) fn weights_mut(&mut self) -> &mut [f64] {
        &mut self.weights
    }

    pub(crate) fn intercept(&self) -> f64 {
        self.intercept
    }

    /// The weighted sum of a row.
    pub(crate) fn sum(&self, row: Row<'_>) -> f64 {
        dot(&self.weights, row) + self.intercept
    }

    /// Adds a multiple of a row, without any optimizer.
    pub(crate) fn move_along(&mut self, row: Row<'_>, factor: f64, with_intercept: bool) {
        let (factor, weights) = (factor.clamp(-WEIGHT_MAX, WEIGHT_MAX), &mut self.weights);
        row.for_each(|column, value| {
            let moved = weights[column] + factor * value;
            weights[column] = moved.clamp(-WEIGHT_MAX, WEIGHT_MAX);
        });
        if with_intercept {
            self.intercept = (self.intercept + factor).clamp(-WEIGHT_MAX, WEIGHT_MAX);
        }
    }

    /// What some optimizers do before they ask for a gradient.
    pub(crate) fn look_ahead(&mut self, config: &Config, row: Row<'_>) {
        if let Rule::Nesterov { rho } = config.optimizer.rule {
            let (weights, signed) = (&mut self.weights, &self.signed);
            row.for_each(|column, _| weights[column] -= rho * signed[column]);
        }
    }

    /// Follows the slope of the loss at the sum of `row`.
    pub(crate) fn follow(&mut self, config: &Config, row: Row<'_>, slope: f64) {
        let slope = slope.clamp(-config.clip_gradient, config.clip_gradient);
        self.intercept -= config.intercept_lr * slope;
        let rate = config.optimizer.rate(self.steps);
        match config.optimizer.rule {
            Rule::Sgd if config.l2 == 0.0 => add_scaled(&mut self.weights, row, -rate * slope),
            _ => self.follow_rule(config, row, slope, rate),
        }
        self.steps += 1;
        if config.l1 > 0.0 {
            self.penalty_due += config.l1 * config.optimizer.rate(self.steps);
            self.pay_penalties(row);
        }
    }

    fn follow_rule(&mut self, config: &Config, row: Row<'_>, slope: f64, rate: f64) {
        let gradient = Gradient { row, slope, l2: config.l2 };
        let (w, s, q) = (&mut self.weights, &mut self.signed, &mut self.squares);
        match config.optimizer.rule {
            Rule::Sgd => gradient.each(w, [], |w, [], g| *w -= rate * g),
            Rule::Momentum { rho } => gradient.each(w, [s], |w, [s], g| {
                *s = rho * *s + rate * g;
                *w -= *s;
            }),
            Rule::Nesterov { rho } => gradient.each(w, [s], |w, [s], g| {
                *w += rho * *s;
                *s = rho * *s + rate * g;
                *w -= *s;
            }),
            Rule::AdaGrad { eps } => gradient.each(w, [q], |w, [q], g| {
                *q += g * g;
                *w -= rate / (*q + eps).sqrt() * g;
            }),
            Rule::RmsProp { rho, eps } => gradient.each(w, [q], |w, [q], g| {
                *q = rho * *q + (1.0 - rho) * (g * g);
                *w -= rate / (*q + eps).sqrt() * g;
            }),
            Rule::AdaDelta { rho, eps } => gradient.each(w, [q, &mut self.squared_steps], |w, [q, u], g| {
                *q = rho * *q + (1.0 - rho) * (g * g);
                let step = ((*u + eps).sqrt() / (*q + eps).sqrt() * g).clamp(-WEIGHT_MAX, WEIGHT_MAX);
                *u = rho * *u + (1.0 - rho) * (step * step);
                *w -= step;
            }),
            Rule::Ftrl { beta, l1, l2 } => gradient.each(w, [s, q], |w, [z, n], g| {
                let beyond = (z.abs() - l1).max(0.0).copysign(*z);
                *w = -beyond / ((beta + n.sqrt()) / rate + l2);
                let sum = *n + g * g;
                *z += g - (sum.sqrt() - n.sqrt()) / rate * *w;
                *n = sum;
            }),
            Rule::Adam { .. } | Rule::AdaMax { .. } | Rule::Nadam { .. } => {
                self.follow_moments(config.optimizer.rule, &gradient, rate);
            }
        }
    }

    /// Adam and its kin.
    fn follow_moments(&mut self, rule: Rule, gradient: &Gradient<'_>, rate: f64) {
        let step = self.steps + 1;
        let (w, m, v) = (&mut self.weights, &mut self.signed, &mut self.squares);
        let [first, second] = &mut self.powers;
        match rule {
            Rule::AdaMax { beta_1, beta_2, eps } => {
                let rate = rate / (1.0 - first.of(beta_1, step));
                gradient.each(w, [m, v], |w, [m, v], g| {
                    *m = beta_1 * *m + (1.0 - beta_1) * g;
                    *v = (beta_2 * *v).max(g.abs());
                    *w -= rate * *m / (*v + eps);
                });
            }
            Rule::Nadam { beta_1, beta_2, eps } => {
                let (mean, square) = (1.0 - first.of(beta_1, step), 1.0 - second.of(beta_2, step));
                gradient.each(w, [m, v], |w, [m, v], g| {
                    *m = beta_1 * *m + (1.0 - beta_1) * g;
                    *v = beta_2 * *v + (1.0 - beta_2) * (g * g);
                    let ahead = beta_1 * (*m / mean) + (1.0 - beta_1) * g / mean;
                    *w -= rate * ahead / ((*v / square).sqrt() + eps);
                });
            }
            Rule::Adam { beta_1, beta_2, eps } => {
                let rate = rate * (1.0 - second.of(beta_2, step)).sqrt() / (1.0 - first.of(beta_1, step));
                gradient.each(w, [m, v], |w, [m, v], g| {
                    *m = beta_1 * *m + (1.0 - beta_1) * g;
                    *v = beta_2 * *v + (1.0 - beta_2) * (g * g);
                    *w -= rate * *m / (v.sqrt() + eps);
                });
            }
            _ => {}
        }
    }

    /// The cumulative L1 penalty (Tsuruoka et al., 2009): a weight pays what it owes when a row has its column, and
    /// stops at 0.
    fn pay_penalties(&mut self, row: Row<'_>) {
        let (due, weights, paid) = (self.penalty_due, &mut self.weights, &mut self.penalties);
        row.for_each(|column, _| {
            let (weight, paid) = (&mut weights[column], &mut paid[column]);
            let before = *weight;
            if before > 0.0 {
                *weight = (before - (due + *paid)).max(0.0);
            } else if before < 0.0 {
                *weight = (before + (due - *paid)).min(0.0);
            }
            *paid += *weight - before;
        });
    }

    /// Says what is impossible about weights that were read.
    pub(crate) fn validate(&self, dim: usize, config: &Config) -> Result<(), &'static str> {
        let memory = config.optimizer.memory();
        let fits = |column: &[f64], wanted: bool| column.len() == if wanted { dim } else { 0 };
        let whole = fits(&self.weights, true)
            && fits(&self.signed, memory.signed)
            && fits(&self.squares, memory.squares)
            && fits(&self.squared_steps, memory.steps)
            && fits(&self.penalties, config.l1 > 0.0);
        if !whole {
            return Err("its sizes");
        }
        let signed = [&self.weights, &self.signed, &self.penalties];
        let squares = [&self.squares, &self.squared_steps];
        let good = signed.iter().all(|column| column.iter().all(|number| number.is_finite()))
            && squares.iter().all(|column| column.iter().all(|number| *number >= 0.0 && number.is_finite()))
            && self.intercept.is_finite()
            && self.penalty_due.is_finite();
        if good { Ok(()) } else { Err("its numbers") }
    }
}

/// The slope of a row's loss, and what pulls weights to 0.
struct Gradient<'a> {
    row: Row<'a>,
    slope: f64,
    l2: f64,
}

impl Gradient<'_> {
    /// Calls `rule` with each weight that the row has a value for, what the optimizer remembers of it, and its gradient.
    fn each<const N: usize>(
        &self,
        weights: &mut [f64],
        memory: [&mut Vec<f64>; N],
        mut rule: impl FnMut(&mut f64, [&mut f64; N], f64),
    ) {
        let mut memory = memory.map(Vec::as_mut_slice);
        match self.row {
            Row::F64(values) => self.each_dense(values, weights, memory, rule),
            Row::F32(values) => self.each_dense(values, weights, memory, rule),
            Row::Sparse(row) => {
                for (&column, &value) in row.columns().iter().zip(row.values()) {
                    let at = column as usize;
                    let remembered = memory.each_mut().map(|numbers| &mut numbers[at]);
                    self.step(value, &mut weights[at], remembered, &mut rule);
                }
            }
        }
    }

    /// The same, of a row without missing values: in slices of one length, so that several columns go at a time.
    fn each_dense<const N: usize, T: Copy + Into<f64>>(
        &self,
        values: &[T],
        weights: &mut [f64],
        memory: [&mut [f64]; N],
        mut rule: impl FnMut(&mut f64, [&mut f64; N], f64),
    ) {
        let count = values.len().min(weights.len());
        let (values, weights) = (&values[..count], &mut weights[..count]);
        let mut memory = memory.map(|numbers| &mut numbers[..count]);
        for (at, (value, weight)) in values.iter().zip(weights).enumerate() {
            let remembered = memory.each_mut().map(|numbers| &mut numbers[at]);
            self.step((*value).into(), weight, remembered, &mut rule);
        }
    }

    #[inline(always)]
    fn step<const N: usize>(
        &self,
        value: f64,
        weight: &mut f64,
        remembered: [&mut f64; N],
        rule: &mut impl FnMut(&mut f64, [&mut f64; N], f64),
    ) {
        let gradient = self.slope * value + self.l2 * *weight;
        rule(weight, remembered, gradient.clamp(-GRADIENT_MAX, GRADIENT_MAX));
        *weight = weight.clamp(-WEIGHT_MAX, WEIGHT_MAX);
    }
}

/// The sum of products, in four lanes that are added at the end: always in the same order.
pub(crate) fn dot(weights: &[f64], row: Row<'_>) -> f64 {
    match row {
        Row::F64(values) => dot_dense(weights, values),
        Row::F32(values) => dot_dense(weights, values),
        Row::Sparse(row) => {
            let pairs = row.columns().iter().zip(row.values());
            pairs.map(|(&column, &value)| weights[column as usize] * value).sum()
        }
    }
}

fn dot_dense<T: Copy + Into<f64>>(weights: &[f64], values: &[T]) -> f64 {
    let (weight_chunks, weight_rest) = weights.as_chunks::<4>();
    let (chunks, rest) = values.as_chunks::<4>();
    let mut lanes = [0.0; 4];
    for (weights, values) in weight_chunks.iter().zip(chunks) {
        for lane in 0..4 {
            lanes[lane] += weights[lane] * values[lane].into();
        }
    }
    let mut sum = (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);
    for (weight, &value) in weight_rest.iter().zip(rest) {
        sum += weight * value.into();
    }
    sum
}

/// `weights += factor * row`.
pub(crate) fn add_scaled(weights: &mut [f64], row: Row<'_>, factor: f64) {
    match row {
        Row::F64(values) => add_scaled_dense(weights, values, factor),
        Row::F32(values) => add_scaled_dense(weights, values, factor),
        Row::Sparse(row) => {
            for (&column, &value) in row.columns().iter().zip(row.values()) {
                weights[column as usize] += factor * value;
            }
        }
    }
}

fn add_scaled_dense<T: Copy + Into<f64>>(weights: &mut [f64], values: &[T], factor: f64) {
    for (weight, &value) in weights.iter_mut().zip(values) {
        *weight += factor * value.into();
    }
}
