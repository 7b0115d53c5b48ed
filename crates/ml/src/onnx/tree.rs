//! Trees: the operator `TreeEnsembleRegressor` finds the number of a row's leaf.

use super::graph::{Attribute, Data, Graph};

/// The forks and leaves of one tree, by the places of its nodes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Branching {
    columns: Vec<i64>,
    thresholds: Vec<f64>,
    yes: Vec<i64>,
    no: Vec<i64>,
    gaps: Vec<i64>,
    /// The nodes that are leaves.
    leaves: Vec<i64>,
}

impl Branching {
    /// Adds a fork: `yes` and `no` are nodes, and a missing value is a yes or a no.
    pub(crate) fn fork(&mut self, column: u32, threshold: f64, yes: u32, missing_is_yes: bool) {
        self.columns.push(i64::from(column));
        self.thresholds.push(threshold);
        self.yes.push(i64::from(yes));
        self.no.push(i64::from(yes) + 1);
        self.gaps.push(i64::from(missing_is_yes));
    }

    /// Adds a leaf; leaves are numbered from 0 in this order.
    pub(crate) fn leaf(&mut self) {
        self.leaves.push(i64::try_from(self.columns.len()).unwrap_or(i64::MAX));
        self.columns.push(0);
        self.thresholds.push(0.0);
        self.yes.push(0);
        self.no.push(0);
        self.gaps.push(0);
    }

    /// The number of each row's leaf.
    pub(crate) fn place(&self, graph: &mut Graph, rows: &str) -> String {
        let count = self.columns.len();
        let nodes: Vec<i64> = (0..).take(count).collect();
        let (zeros, leaf_zeros) = (vec![0; count], vec![0; self.leaves.len()]);
        let modes: Vec<&str> = nodes
            .iter()
            .map(|node| if self.leaves.binary_search(node).is_ok() { "LEAF" } else { "BRANCH_LEQ" })
            .collect();
        let numbers: Vec<f64> = (0_u32..).take(self.leaves.len()).map(f64::from).collect();
        let place = graph.op_with(
            "TreeEnsembleRegressor",
            &[rows],
            &[
                ("n_targets", Attribute::Int(1)),
                ("aggregate_function", Attribute::Text("SUM")),
                ("post_transform", Attribute::Text("NONE")),
                ("nodes_treeids", Attribute::Ints(&zeros)),
                ("nodes_nodeids", Attribute::Ints(&nodes)),
                ("nodes_featureids", Attribute::Ints(&self.columns)),
                ("nodes_modes", Attribute::Texts(&modes)),
                ("nodes_values_as_tensor", Attribute::Doubles(&self.thresholds)),
                ("nodes_truenodeids", Attribute::Ints(&self.yes)),
                ("nodes_falsenodeids", Attribute::Ints(&self.no)),
                ("nodes_missing_value_tracks_true", Attribute::Ints(&self.gaps)),
                ("target_treeids", Attribute::Ints(&leaf_zeros)),
                ("target_nodeids", Attribute::Ints(&self.leaves)),
                ("target_ids", Attribute::Ints(&leaf_zeros)),
                ("target_weights_as_tensor", Attribute::Doubles(&numbers)),
            ],
        );
        let axes = graph.constant(&[1], Data::Ints(&[1]));
        let place = graph.op("Squeeze", &[&place, &axes]);
        // 7 is a whole number of 64 bits.
        graph.op_with("Cast", &[&place], &[("to", Attribute::Int(7))])
    }
}
