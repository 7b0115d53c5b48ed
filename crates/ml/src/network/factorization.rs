//! The factorization machine (Rendle, *Factorization machines*, 2010), as River's: a linear model, and for each pair of
//! columns what both together mean, as the product of two short vectors.
//!
//! `p = b + sum w_i x_i + sum over i < j of (v_i . v_j) x_i x_j`, which costs no more than the columns that are listed
//! times `n_factors` (10): `1/2 sum over f of ((sum v_if x_i)^2 - sum v_if^2 x_i^2)`. Made for rows of many columns of
//! which few are set, as `hashing` and `one_hot` give them: two categories that never met still have a product.
//!
//! All follow plain gradients by `lr` (0.01), with `l2` (0) drawing weights and vectors towards 0. Vectors start with
//! bell-shaped numbers of deviation `latent_init` (0.1), from `seed` (42). Other than River's, a model of classes has
//! one machine per class, and one of numbers learns at the scale of its targets.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CELLS_MAX, Classes, Numbers, Outputs, SLOPE_MAX, VALUE_MAX, WEIGHT_MAX, bounded};
use crate::onnx::Graph;
use crate::options::{OptionError, Options};
use crate::random::Random;
use crate::row::Row;
use crate::scratch::Lent;

/// Factorization machines for classes.
pub type FactorizationMachine = Classes<Machines>;

/// A factorization machine for numbers.
pub type FactorizationMachineRegressor = Numbers<Machines>;

/// One machine per output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machines {
    factors: usize,
    lr: f64,
    l2: f64,
    latent_init: f64,
    random: Random,
    dim: usize,
    machines: Vec<Machine>,
}

/// A function of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Machine {
    intercept: f64,
    weights: Vec<f64>,
    /// By column, then factor.
    vectors: Vec<f64>,
}

impl Machine {
    /// For each factor the sum of `v_if x_i`, and the output.
    fn output(&self, row: Row<'_>, sums: &mut [f64], factors: usize) -> f64 {
        sums.fill(0.0);
        let (mut output, mut squares) = (self.intercept, 0.0);
        row.for_each(|column, value| {
            let value = bounded(value, VALUE_MAX);
            output += self.weights[column] * value;
            let vector = &self.vectors[column * factors..(column + 1) * factors];
            for (sum, factor) in sums.iter_mut().zip(vector) {
                *sum += factor * value;
                squares += (factor * value) * (factor * value);
            }
        });
        output + 0.5 * (sums.iter().map(|sum| sum * sum).sum::<f64>() - squares)
    }
}

impl Outputs for Machines {
    const NAMES: [&'static str; 2] = ["factorization_machine", "factorization_machine_regressor"];

    fn from_options(name: usize, options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let known = ["n_factors", "lr", "l2", "latent_init", "seed"];
        let options = Options::new(Self::NAMES[name], &known, options)?;
        Ok(Machines {
            factors: options.number("n_factors", 1..=1_000)?.unwrap_or(10),
            lr: options.number("lr", 0.0..=1.0)?.unwrap_or(0.01),
            l2: options.number("l2", 0.0..=1.0)?.unwrap_or(0.0),
            latent_init: options.number("latent_init", 0.0..=10.0)?.unwrap_or(0.1),
            random: Random::new(options.number("seed", 0..=u64::MAX)?.unwrap_or(42)),
            dim: 0,
            machines: Vec::new(),
        })
    }

    fn cells(&self, dim: usize, outputs: usize) -> usize {
        dim.saturating_mul(self.factors + 1).saturating_mul(outputs)
    }

    fn grow(&mut self, dim: usize, outputs: usize) {
        self.dim = dim;
        while self.machines.len() < outputs {
            let vectors = (0..dim * self.factors).map(|_| self.latent_init * self.random.normal());
            let vectors = vectors.collect();
            self.machines.push(Machine { intercept: 0.0, weights: vec![0.0; dim], vectors });
        }
    }

    fn outputs(&self, row: Row<'_>, outputs: &mut Vec<f64>) {
        let mut sums = Lent::zeros(self.factors);
        outputs.clear();
        outputs.extend(self.machines.iter().map(|machine| machine.output(row, &mut sums, self.factors)));
    }

    fn follow(&mut self, row: Row<'_>, slopes: &[f64]) {
        let Machines { factors, lr, l2, machines, .. } = self;
        let (factors, lr, l2, mut sums) = (*factors, *lr, *l2, Lent::zeros(*factors));
        for (machine, &slope) in machines.iter_mut().zip(slopes) {
            machine.output(row, &mut sums, factors);
            let slope = bounded(slope, SLOPE_MAX);
            machine.intercept = bounded(machine.intercept - lr * slope, WEIGHT_MAX);
            let Machine { weights, vectors, .. } = machine;
            row.for_each(|column, value| {
                let value = bounded(value, VALUE_MAX);
                let weight = &mut weights[column];
                let step = bounded(slope * value, SLOPE_MAX) + l2 * *weight;
                *weight = bounded(*weight - lr * step, WEIGHT_MAX);
                for (factor, sum) in vectors[column * factors..(column + 1) * factors].iter_mut().zip(&*sums)
                {
                    let slope = bounded(slope * (value * sum - *factor * value * value), SLOPE_MAX);
                    *factor = bounded(*factor - lr * (slope + l2 * *factor), WEIGHT_MAX);
                }
            });
        }
    }

    fn draw(&self, graph: &mut Graph, rows: &str) -> Option<String> {
        let rows = graph.clipped(rows, -VALUE_MAX, VALUE_MAX);
        let squares = graph.op("Mul", &[&rows, &rows]);
        let half = graph.row(&[0.5]);
        let mut outputs = Vec::new();
        for machine in &self.machines {
            let factor = |factor| machine.vectors.iter().skip(factor).step_by(self.factors);
            let vectors: Vec<Vec<f64>> = (0..self.factors).map(|at| factor(at).copied().collect()).collect();
            let squared: Vec<Vec<f64>> =
                (0..self.factors).map(|at| factor(at).map(|number| number * number).collect()).collect();
            let zeros = vec![0.0; self.factors];
            let sums = graph.sums(&rows, &vectors, &zeros);
            let (with, alone) = (graph.op("Mul", &[&sums, &sums]), graph.sums(&squares, &squared, &zeros));
            let between = graph.op("Sub", &[&with, &alone]);
            let between = graph.total(&between);
            let between = graph.op("Mul", &[&between, &half]);
            let line = graph.sums(&rows, &[&machine.weights], &[machine.intercept]);
            outputs.push(graph.op("Add", &[&line, &between]));
        }
        let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
        (!outputs.is_empty()).then(|| graph.beside(&outputs))
    }

    fn describe(&self) -> Value {
        let intercepts: Vec<f64> = self.machines.iter().map(|machine| machine.intercept).collect();
        json!({ "n_factors": self.factors, "lr": self.lr, "l2": self.l2, "intercepts": intercepts })
    }

    fn validate(&self, dim: usize, outputs: usize) -> Result<(), &'static str> {
        let settings = (1..=1_000).contains(&self.factors)
            && [self.lr, self.l2, self.latent_init].iter().all(|number| (0.0..=10.0).contains(number))
            && self.machines.len() == outputs
            && (outputs == 0 || self.dim == dim)
            && self.cells(dim, outputs) <= CELLS_MAX;
        let sound = |machine: &Machine| {
            let mut numbers = machine.weights.iter().chain(&machine.vectors).chain([&machine.intercept]);
            machine.weights.len() == dim
                && machine.vectors.len() == dim * self.factors
                && numbers.all(|number| number.abs() <= WEIGHT_MAX)
        };
        if settings && self.machines.iter().all(sound) { Ok(()) } else { Err("its machines") }
    }
}
