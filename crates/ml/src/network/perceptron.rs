//! A small neural network: layers of sums of what the layer before gives, each bent by an activation.
//!
//! `hidden` (`16`) lists the widths of the layers between, as in `'32, 16'`; `activation` is `relu` (the default),
//! `tanh` or `sigmoid`. Weights start uniform within `sqrt(6 / (inputs + outputs))` (Glorot and Bengio, 2010), from
//! `seed` (42), and follow the gradient row by row: by `optimizer` `adam` (the default; Kingma and Ba, 2015, with its 0.9
//! and 0.999) or `sgd`, by `lr` (0.01), with `l2` (0) drawing weights towards 0.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CELLS_MAX, Classes, Numbers, Outputs, SLOPE_MAX, VALUE_MAX, WEIGHT_MAX, bounded};
use crate::onnx::Graph;
use crate::options::{OptionError, Options};
use crate::random::Random;
use crate::row::Row;
use crate::scratch::Lent;

/// A neural network for classes.
pub type MlpClassifier = Classes<Network>;

/// A neural network for numbers.
pub type MlpRegressor = Numbers<Network>;

/// The most layers, and the widest.
const LAYERS_MAX: usize = 8;
const WIDTH_MAX: usize = 4_096;

/// What Adam keeps of the mean gradient and of the mean square, each row.
const KEPT: (f64, f64) = (0.9, 0.999);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Activation {
    Relu,
    Tanh,
    Sigmoid,
}

impl Activation {
    fn of(self, sum: f64) -> f64 {
        match self {
            Activation::Relu => sum.max(0.0),
            Activation::Tanh => libm::tanh(sum),
            Activation::Sigmoid => 1.0 / (1.0 + libm::exp(-sum)),
        }
    }

    /// The name of ONNX's operator.
    fn operator(self) -> &'static str {
        match self {
            Activation::Relu => "Relu",
            Activation::Tanh => "Tanh",
            Activation::Sigmoid => "Sigmoid",
        }
    }

    /// The slope, by what it gave.
    fn slope(self, given: f64) -> f64 {
        match self {
            Activation::Relu => f64::from(u8::from(given > 0.0)),
            Activation::Tanh => 1.0 - given * given,
            Activation::Sigmoid => given * (1.0 - given),
        }
    }
}

/// A network with an output per class or a single one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Network {
    hidden: Vec<usize>,
    activation: Activation,
    adam: bool,
    lr: f64,
    l2: f64,
    random: Random,
    steps: u64,
    layers: Vec<Layer>,
}

/// Sums of inputs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Layer {
    inputs: usize,
    /// By output: a weight for each input, then what is added.
    weights: Vec<f64>,
    /// Adam's mean gradients and squares, in the same places.
    means: Vec<f64>,
    squares: Vec<f64>,
}

impl Layer {
    fn outputs(&self) -> usize {
        self.weights.len() / (self.inputs + 1)
    }

    /// Adds outputs with random weights.
    fn widen(&mut self, outputs: usize, adam: bool, random: &mut Random) {
        let reach = (6.0 / (self.inputs + outputs) as f64).sqrt();
        for _ in self.outputs()..outputs {
            let weights = (0..self.inputs).map(|_| reach * (2.0 * random.uniform() - 1.0));
            self.weights.extend(weights);
            self.weights.push(0.0);
        }
        let memory = if adam { self.weights.len() } else { 0 };
        self.means.resize(memory, 0.0);
        self.squares.resize(memory, 0.0);
    }

    /// The sum of each output. The last input is what the added weight counts: 1.
    fn sums(&self, inputs: &[f64]) -> impl Iterator<Item = f64> {
        self.weights.chunks_exact(self.inputs + 1).map(move |weights| {
            let sum: f64 = weights.iter().zip(inputs).map(|(weight, input)| weight * input).sum();
            bounded(sum, WEIGHT_MAX)
        })
    }
}

/// How Adam makes up for means of few gradients, which are too near to 0, where they began.
#[derive(Clone, Copy)]
struct Begun {
    mean: f64,
    square: f64,
}

impl Network {
    /// What each layer is given, the row first, and behind each a 1; then what the last one gives.
    fn run(&self, row: Row<'_>) -> Lent {
        let (mut given, mut next) = (Lent::new(), Lent::new());
        row.append_to(&mut given);
        given.iter_mut().for_each(|value| *value = bounded(*value, VALUE_MAX));
        for (place, layer) in self.layers.iter().enumerate() {
            let start = given.len() - layer.inputs;
            given.push(1.0);
            next.clear();
            next.extend(layer.sums(&given[start..]));
            let last = place + 1 == self.layers.len();
            given.extend(next.iter().map(|&sum| if last { sum } else { self.activation.of(sum) }));
        }
        given
    }

    /// Follows the slopes over what a layer gave, and writes those over what it was given.
    fn step(&mut self, place: usize, inputs: &[f64], slopes: &[f64], before: &mut Vec<f64>) {
        let Network { adam, lr, l2, steps, layers, .. } = self;
        let Some(layer) = layers.get_mut(place) else { return };
        let width = layer.inputs + 1;
        let begun = (*steps).min(100_000) as f64;
        let begun = Begun { mean: 1.0 - libm::pow(KEPT.0, begun), square: 1.0 - libm::pow(KEPT.1, begun) };
        before.clear();
        before.resize(layer.inputs, 0.0);
        for (output, &slope) in slopes.iter().enumerate() {
            let slope = bounded(slope, SLOPE_MAX);
            let place = output * width..(output + 1) * width;
            let weights = &mut layer.weights[place.clone()];
            before.iter_mut().zip(&*weights).for_each(|(before, weight)| *before += slope * weight);
            let gradient =
                |weight: f64, value: f64| bounded(slope * value, SLOPE_MAX * VALUE_MAX) + *l2 * weight;
            if !*adam {
                for (weight, value) in weights.iter_mut().zip(inputs) {
                    *weight = bounded(*weight - *lr * gradient(*weight, *value), WEIGHT_MAX);
                }
                continue;
            }
            let memory = layer.means[place.clone()].iter_mut().zip(&mut layer.squares[place]);
            for ((weight, value), (mean, square)) in weights.iter_mut().zip(inputs).zip(memory) {
                let gradient = gradient(*weight, *value);
                *mean += (1.0 - KEPT.0) * (gradient - *mean);
                *square += (1.0 - KEPT.1) * (gradient * gradient - *square);
                let step = *mean / begun.mean / ((*square / begun.square).sqrt() + 1e-8);
                *weight = bounded(*weight - *lr * step, WEIGHT_MAX);
            }
        }
    }
}

fn layers(options: &Options) -> Result<Vec<usize>, OptionError> {
    let Some(list) = options.get("hidden") else { return Ok(vec![16]) };
    let widths: Option<Vec<usize>> = list
        .split(',')
        .map(|width| width.trim().parse().ok().filter(|width| (1..=WIDTH_MAX).contains(width)))
        .collect();
    widths.filter(|widths| widths.len() <= LAYERS_MAX).ok_or_else(|| {
        options.invalid("hidden", format!("up to {LAYERS_MAX} widths from 1 to {WIDTH_MAX}, as '32, 16'"))
    })
}

impl Outputs for Network {
    const NAMES: [&'static str; 2] = ["mlp_classifier", "mlp_regressor"];

    fn from_options(name: usize, options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let known = ["hidden", "activation", "optimizer", "lr", "l2", "seed"];
        let options = Options::new(Self::NAMES[name], &known, options)?;
        let bends =
            [("relu", Activation::Relu), ("tanh", Activation::Tanh), ("sigmoid", Activation::Sigmoid)];
        Ok(Network {
            hidden: layers(&options)?,
            activation: options.choice("activation", &bends)?.unwrap_or(Activation::Relu),
            adam: options.choice("optimizer", &[("adam", true), ("sgd", false)])?.unwrap_or(true),
            lr: options.number("lr", 0.0..=1.0)?.unwrap_or(0.01),
            l2: options.number("l2", 0.0..=1.0)?.unwrap_or(0.0),
            random: Random::new(options.number("seed", 0..=u64::MAX)?.unwrap_or(42)),
            steps: 0,
            layers: Vec::new(),
        })
    }

    fn cells(&self, dim: usize, outputs: usize) -> usize {
        let widths = self.hidden.iter().copied().chain([outputs]);
        let sums = widths.scan(dim, |inputs, width| Some((std::mem::replace(inputs, width) + 1) * width));
        sums.sum::<usize>().saturating_mul(3)
    }

    fn grow(&mut self, dim: usize, outputs: usize) {
        let Network { hidden, adam, random, layers, .. } = self;
        if layers.is_empty() {
            let mut inputs = dim;
            for &width in hidden.iter() {
                let mut layer = Layer { inputs, ..Layer::default() };
                layer.widen(width, *adam, random);
                layers.push(layer);
                inputs = width;
            }
            layers.push(Layer { inputs, ..Layer::default() });
        }
        if let Some(last) = layers.last_mut() {
            last.widen(outputs, *adam, random);
        }
    }

    fn outputs(&self, row: Row<'_>, outputs: &mut Vec<f64>) {
        let given = self.run(row);
        let count = self.layers.last().map_or(0, Layer::outputs);
        outputs.clear();
        outputs.extend_from_slice(&given[given.len() - count..]);
    }

    fn follow(&mut self, row: Row<'_>, slopes: &[f64]) {
        let given = self.run(row);
        self.steps += 1;
        let (mut slopes, mut before) = (Lent::of(slopes.iter().copied()), Lent::new());
        let mut end = given.len() - self.layers.last().map_or(0, Layer::outputs);
        for place in (0..self.layers.len()).rev() {
            let start = end - self.layers[place].inputs - 1;
            let inputs = &given[start..end];
            self.step(place, inputs, &slopes, &mut before);
            std::mem::swap(&mut slopes, &mut before);
            if place > 0 {
                let bend = |(slope, &given): (&mut f64, &f64)| *slope *= self.activation.slope(given);
                slopes.iter_mut().zip(inputs).for_each(bend);
            }
            end = start;
        }
    }

    fn draw(&self, graph: &mut Graph, rows: &str) -> Option<String> {
        let mut given = graph.clipped(rows, -VALUE_MAX, VALUE_MAX);
        for (place, layer) in self.layers.iter().enumerate() {
            let (weights, added): (Vec<&[f64]>, Vec<f64>) = layer
                .weights
                .chunks_exact(layer.inputs + 1)
                .map(|all| (&all[..layer.inputs], all[layer.inputs]))
                .unzip();
            given = graph.sums(&given, &weights, &added);
            if place + 1 < self.layers.len() {
                given = graph.op(self.activation.operator(), &[&given]);
            }
        }
        (!self.layers.is_empty()).then_some(given)
    }

    fn describe(&self) -> Value {
        let cells: usize = self.layers.iter().map(|layer| layer.weights.len()).sum();
        json!({ "hidden": self.hidden, "lr": self.lr, "l2": self.l2, "weights": cells, "steps": self.steps })
    }

    fn validate(&self, dim: usize, outputs: usize) -> Result<(), &'static str> {
        let widths = self.hidden.iter().all(|width| (1..=WIDTH_MAX).contains(width));
        let layers = if outputs == 0 { 0 } else { self.hidden.len() + 1 };
        let settings = widths && self.hidden.len() <= LAYERS_MAX && self.layers.len() == layers;
        if !settings || self.cells(dim, outputs) > CELLS_MAX {
            return Err("its layers");
        }
        let mut inputs = dim;
        for (place, layer) in self.layers.iter().enumerate() {
            let width = self.hidden.get(place).copied().unwrap_or(outputs);
            let memory = if self.adam { layer.weights.len() } else { 0 };
            let sizes = layer.inputs == inputs
                && layer.weights.len() == (inputs + 1) * width
                && layer.means.len() == memory
                && layer.squares.len() == memory;
            let mut numbers = layer.weights.iter().chain(&layer.means).chain(&layer.squares);
            if !sizes
                || !numbers.all(|number| number.is_finite())
                || layer.squares.iter().any(|&square| square < 0.0)
            {
                return Err("a layer");
            }
            inputs = width;
        }
        Ok(())
    }
}
