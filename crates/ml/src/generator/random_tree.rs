//! A random decision tree (Domingos and Hulten, *Mining high-speed data streams*, 2000).
//!
//! Rows are uniform: `numbers` (5) columns in 0 to 1, and `categories` (5) columns of `values` (5) each. A tree that is
//! drawn from `concept` (42) decides the class, one of `classes` (2): each of its nodes splits a random column, a
//! number at a random place within what is left of its range, a category, once on a path, by its values. From the level
//! `first_leaf` (3) on a node is a leaf with a chance of `leaf_share` (0.15), and at `depth` (5) all are.

use std::collections::BTreeMap;

use super::{Generator, column, concept, numbers, rows, seed};
use crate::options::{OptionError, Options};
use crate::random::Random;
use crate::schema::{Kind, Label, Schema};

pub(super) const NAME: &str = "random_tree";
/// Nodes a tree may have.
const NODES_MAX: usize = 1 << 20;

/// The stream.
#[derive(Debug)]
pub struct RandomTree {
    shape: Shape,
    nodes: Vec<Node>,
    random: Random,
}

/// What the options say of rows and tree.
#[derive(Clone, Copy, Debug)]
struct Shape {
    numbers: usize,
    categories: usize,
    values: usize,
    classes: usize,
    depth: u32,
    first_leaf: u32,
    leaf_share: f64,
}

#[derive(Debug)]
enum Node {
    Leaf {
        class: usize,
    },
    /// Below the place on the left, the rest on the right.
    Number {
        column: usize,
        at: f64,
        children: [usize; 2],
    },
    /// A child for each value.
    Category {
        column: usize,
        children: Vec<usize>,
    },
}

pub(super) fn make(options: &BTreeMap<String, String>) -> Result<Box<dyn Generator>, OptionError> {
    let known = &[
        "numbers",
        "categories",
        "values",
        "classes",
        "depth",
        "first_leaf",
        "leaf_share",
        "concept",
        "seed",
    ];
    let options = Options::new(NAME, known, options)?;
    let shape = Shape {
        numbers: options.number("numbers", 0..=1_000)?.unwrap_or(5),
        categories: options.number("categories", 0..=1_000)?.unwrap_or(5),
        values: options.number("values", 2..=100)?.unwrap_or(5),
        classes: options.number("classes", 1..=1_000)?.unwrap_or(2),
        depth: options.number("depth", 0..=16)?.unwrap_or(5),
        first_leaf: options.number("first_leaf", 0..=16)?.unwrap_or(3),
        leaf_share: options.number("leaf_share", 0.0..=1.0)?.unwrap_or(0.15),
    };
    if shape.numbers + shape.categories == 0 {
        return Err(OptionError::Schema { algorithm: NAME, needs: "needs columns" });
    }
    let mut random = concept(options.number("concept", 0..=u64::MAX)?.unwrap_or(42));
    let mut tree = Growing { shape, nodes: Vec::new(), random: &mut random };
    tree.grow(0, &mut vec![(0.0, 1.0); shape.numbers], &mut vec![true; shape.categories]);
    let nodes = tree.nodes;
    Ok(Box::new(RandomTree { shape, nodes, random: rows(seed(&options)?) }))
}

/// A tree while it is drawn.
struct Growing<'a> {
    shape: Shape,
    nodes: Vec<Node>,
    random: &'a mut Random,
}

impl Growing<'_> {
    /// Adds a node and all below it; `ranges` and `free` are what the path left of the columns.
    fn grow(&mut self, level: u32, ranges: &mut Vec<(f64, f64)>, free: &mut Vec<bool>) -> usize {
        let open: Vec<usize> = (0..free.len()).filter(|&category| free[category]).collect();
        let choices = ranges.len() + open.len();
        let full = level >= self.shape.depth || choices == 0 || self.nodes.len() >= NODES_MAX;
        let place = self.nodes.len();
        self.nodes.push(Node::Leaf { class: self.random.index(self.shape.classes) });
        if full || level >= self.shape.first_leaf && self.random.uniform() < self.shape.leaf_share {
            return place;
        }
        let chosen = self.random.index(choices);
        self.nodes[place] = if chosen < ranges.len() {
            let (low, high) = ranges[chosen];
            let at = low + (high - low) * self.random.uniform();
            let mut below = |range, tree: &mut Self| {
                ranges[chosen] = range;
                tree.grow(level + 1, ranges, free)
            };
            let children = [below((low, at), self), below((at, high), self)];
            ranges[chosen] = (low, high);
            Node::Number { column: chosen, at, children }
        } else {
            let category = open[chosen - ranges.len()];
            free[category] = false;
            let children = (0..self.shape.values).map(|_| self.grow(level + 1, ranges, free)).collect();
            free[category] = true;
            Node::Category { column: self.shape.numbers + category, children }
        };
        place
    }
}

impl Generator for RandomTree {
    fn schema(&self) -> Schema {
        let mut schema = numbers(self.shape.numbers, Label::Class);
        let names = (0..self.shape.categories).map(|at| column(&format!("c{at}"), Kind::Category));
        schema.columns.extend(names);
        schema
    }

    fn next_row(&mut self, row: &mut Vec<f64>) -> f64 {
        row.clear();
        row.extend((0..self.shape.numbers).map(|_| self.random.uniform()));
        row.extend((0..self.shape.categories).map(|_| self.random.index(self.shape.values) as f64));
        let mut place = 0;
        loop {
            place = match &self.nodes[place] {
                Node::Leaf { class } => return *class as f64,
                Node::Number { column, at, children } => children[usize::from(row[*column] >= *at)],
                Node::Category { column, children } => children[row[*column] as usize],
            };
        }
    }
}
