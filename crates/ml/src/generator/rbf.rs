//! Clouds around random centres, which may wander (the generator of random radial basis functions of Kirkby,
//! *Improving Hoeffding trees*, 2007; with drift, Bifet et al., *New ensemble methods for evolving data streams*, 2009).
//!
//! Each of `centers` (50) has a place in the unit cube of `columns` (10), one of `classes` (2), a weight, and a
//! deviation uniform in 0 to 1. A row takes a centre by weight and lies from it in a random direction at a normal distance.
//! With `speed` above 0 the first `drifting` centres (all, unless it is said) move that far per row, straight on until
//! a wall of the cube turns them back.

use std::collections::BTreeMap;

use super::{Generator, concept, numbers, rows, seed};
use crate::options::{OptionError, Options};
use crate::random::Random;
use crate::schema::{Label, Schema};

pub(super) const NAME: &str = "rbf";

/// The stream.
#[derive(Debug)]
pub struct Rbf {
    columns: usize,
    centers: Vec<Center>,
    /// Those that wander are the first.
    drifting: usize,
    speed: f64,
    weight: f64,
    random: Random,
}

#[derive(Debug)]
struct Center {
    place: Vec<f64>,
    class: usize,
    deviation: f64,
    weight: f64,
    /// Where it goes, of length 1.
    direction: Vec<f64>,
}

pub(super) fn make(options: &BTreeMap<String, String>) -> Result<Box<dyn Generator>, OptionError> {
    let known = &["columns", "classes", "centers", "drifting", "speed", "seed"];
    let options = Options::new(NAME, known, options)?;
    let columns = options.number("columns", 1..=1_000)?.unwrap_or(10);
    let classes = options.number("classes", 1..=1_000)?.unwrap_or(2);
    let count = options.number("centers", 1..=10_000)?.unwrap_or(50);
    let seed = seed(&options)?;
    let mut concept = concept(seed);
    let centers: Vec<Center> = (0..count)
        .map(|_| Center {
            place: (0..columns).map(|_| concept.uniform()).collect(),
            class: concept.index(classes),
            deviation: concept.uniform(),
            weight: concept.uniform(),
            direction: direction(columns, &mut concept),
        })
        .collect();
    Ok(Box::new(Rbf {
        columns,
        drifting: options.number("drifting", 0..=count)?.unwrap_or(count),
        speed: options.number("speed", 0.0..=1.0)?.unwrap_or(0.0),
        weight: centers.iter().map(|center| center.weight).sum(),
        centers,
        random: rows(seed),
    }))
}

/// A random vector of length 1.
fn direction(columns: usize, random: &mut Random) -> Vec<f64> {
    let mut direction: Vec<f64> = (0..columns).map(|_| 2.0 * random.uniform() - 1.0).collect();
    let length = direction.iter().map(|part| part * part).sum::<f64>().sqrt();
    if length > 0.0 {
        direction.iter_mut().for_each(|part| *part /= length);
    }
    direction
}

impl Center {
    fn wander(&mut self, speed: f64) {
        for (place, direction) in self.place.iter_mut().zip(&mut self.direction) {
            *place += speed * *direction;
            if !(0.0..=1.0).contains(place) {
                *place = place.clamp(0.0, 1.0);
                *direction = -*direction;
            }
        }
    }
}

impl Generator for Rbf {
    fn schema(&self) -> Schema {
        numbers(self.columns, Label::Class)
    }

    fn next_row(&mut self, row: &mut Vec<f64>) -> f64 {
        if self.speed > 0.0 {
            let speed = self.speed;
            self.centers[..self.drifting].iter_mut().for_each(|center| center.wander(speed));
        }
        let mut left = self.random.uniform() * self.weight;
        let last = self.centers.len() - 1;
        let chosen = self.centers[..last].iter().position(|center| {
            left -= center.weight;
            left < 0.0
        });
        let center = &self.centers[chosen.unwrap_or(last)];
        let away = direction(self.columns, &mut self.random);
        let distance = center.deviation * self.random.normal();
        row.clear();
        row.extend(center.place.iter().zip(away).map(|(place, part)| place + distance * part));
        center.class as f64
    }
}
