//! How a forest is written down: without its boxes, which follow from rows and cuts, and read back with every link
//! checked.

use serde::{Deserialize, Serialize};

use super::tree::{Kind, Node, Tree};
use super::{Config, RandomCutForest, SIZE_MAX, TREES_MAX};
use crate::random::Random;
use crate::row::VALUE_MAX;

/// A forest on its way to bytes and back.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Saved {
    config: Config,
    rows_learned: u64,
    dim: Option<usize>,
    random: Random,
    points: Vec<f64>,
    trees: Vec<SavedTree>,
}

#[derive(Clone, Serialize, Deserialize)]
struct SavedTree {
    root: Option<u32>,
    nodes: Vec<Node>,
    free: Vec<u32>,
    leaves: Vec<u32>,
}

impl From<RandomCutForest> for Saved {
    fn from(forest: RandomCutForest) -> Self {
        let trees = forest.trees.into_iter().map(|tree| SavedTree {
            root: tree.root,
            nodes: tree.nodes,
            free: tree.free,
            leaves: tree.leaves,
        });
        Saved {
            config: forest.config,
            rows_learned: forest.rows_learned,
            dim: forest.dim,
            random: forest.random,
            points: forest.points,
            trees: trees.collect(),
        }
    }
}

impl TryFrom<Saved> for RandomCutForest {
    type Error = &'static str;

    fn try_from(saved: Saved) -> Result<Self, Self::Error> {
        let Config { n_trees, tree_size, .. } = saved.config;
        let options = (1..=TREES_MAX).contains(&n_trees) && (2..=SIZE_MAX).contains(&tree_size);
        let dim = saved.dim.unwrap_or(0);
        if !options
            || saved.trees.len() != n_trees as usize
            || dim > saved.config.widest() && !saved.points.is_empty()
        {
            return Err("its options");
        }
        let held = saved.rows_learned.min(u64::from(tree_size)) as usize;
        let points = held.checked_mul(dim) == Some(saved.points.len()) && (held == 0 || dim > 0);
        if !points || !saved.points.iter().all(|value| value.abs() <= VALUE_MAX) {
            return Err("its rows");
        }
        let trees = saved.trees.into_iter().map(|tree| tree.checked(&saved.points, dim, held));
        Ok(RandomCutForest {
            trees: trees.collect::<Option<_>>().ok_or("its trees")?,
            config: saved.config,
            rows_learned: saved.rows_learned,
            dim: saved.dim,
            random: saved.random,
            points: saved.points,
        })
    }
}

impl SavedTree {
    /// The tree with its boxes; `None` if it is none, or does not hold exactly the rows there are.
    fn checked(self, points: &[f64], dim: usize, held: usize) -> Option<Tree> {
        let nodes = self.nodes.len();
        if self.leaves.len() != held || nodes > 2 * held {
            return None;
        }
        let mut used = vec![false; nodes];
        let mut order: Vec<u32> = Vec::new();
        order.extend(self.root);
        let mut next = 0;
        while let Some(&at) = order.get(next) {
            next += 1;
            let node = self.nodes.get(at as usize)?;
            if std::mem::replace(&mut used[at as usize], true) {
                return None;
            }
            if let Kind::Branch { left, right, column, cut } = node.kind {
                let mine = |child: u32| Some(self.nodes.get(child as usize)?.parent == Some(at));
                if !mine(left)? || !mine(right)? || column as usize >= dim || !cut.is_finite() {
                    return None;
                }
                order.extend([left, right]);
            }
        }
        for &free in &self.free {
            if std::mem::replace(used.get_mut(free as usize)?, true) {
                return None;
            }
        }
        let rooted = self.root.is_none_or(|root| self.nodes[root as usize].parent.is_none());
        if !rooted || self.root.is_none() != (held == 0) || used.contains(&false) {
            return None;
        }
        self.counted(&order, points, dim)
    }

    /// Checks the counts from the leaves up, and draws the boxes.
    fn counted(self, order: &[u32], points: &[f64], dim: usize) -> Option<Tree> {
        let mut rows = vec![0_u32; self.nodes.len()];
        for &leaf in &self.leaves {
            *rows.get_mut(leaf as usize)? += 1;
        }
        let boxes = vec![0.0; self.nodes.len() * 2 * dim];
        let mut tree =
            Tree { root: self.root, nodes: self.nodes, free: self.free, leaves: self.leaves, boxes };
        for &at in order.iter().rev() {
            let Node { count, kind, .. } = tree.nodes[at as usize];
            match kind {
                Kind::Leaf { slot } => {
                    if count == 0 || rows[at as usize] != count || *tree.leaves.get(slot as usize)? != at {
                        return None;
                    }
                }
                Kind::Branch { left, right, .. } => {
                    let below = [left, right].map(|child| tree.nodes[child as usize].count);
                    if rows[at as usize] != 0 || below[0].checked_add(below[1]) != Some(count) {
                        return None;
                    }
                    tree.measure(at, points, dim);
                }
            }
        }
        let total: u32 = order.iter().map(|&at| rows[at as usize]).sum();
        (total as usize == tree.leaves.len()).then_some(tree)
    }
}
