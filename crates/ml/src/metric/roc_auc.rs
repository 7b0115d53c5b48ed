//! The area under the ROC curve.

/// The chance that a row of the class gets a larger score than a row that is not of it, ties counting half
/// (Mann and Whitney, 1947): exactly, in `O(n log n)`. `None` unless there are rows of both kinds.
#[must_use]
pub fn roc_auc(scored: &mut [(f64, bool)]) -> Option<f64> {
    scored.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
    let (mut below, mut wins, mut start) = (0.0, 0.0, 0);
    while start < scored.len() {
        let score = scored[start].0;
        let end = start + scored[start..].iter().take_while(|row| row.0 == score).count();
        let of_it = scored[start..end].iter().filter(|row| row.1).count() as f64;
        let others = (end - start) as f64 - of_it;
        wins += of_it * (below + others / 2.0);
        below += others;
        start = end;
    }
    let of_it = scored.len() as f64 - below;
    (of_it > 0.0 && below > 0.0).then(|| wins / (of_it * below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_count_half() {
        let mut scored = [(0.1, false), (0.4, false), (0.35, true), (0.8, true)];
        assert_eq!(roc_auc(&mut scored), Some(0.75), "scikit-learn's example");
        assert_eq!(roc_auc(&mut [(0.5, true), (0.5, false)]), Some(0.5));
        assert_eq!(roc_auc(&mut [(0.5, true)]), None);
    }
}
