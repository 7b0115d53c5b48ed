//! How well rows lie in their clusters, by the clusters' middles (the simplified silhouette: Hruschka, de Castro and
//! Campello, *Evolutionary algorithms for clustering gene-expression data*, 2004, after Rousseeuw, 1987).

use crate::features::Features;
use crate::row::{Missing, Row};

/// The mean over all rows of `(b - a) / max(a, b)`, with `a` the distance to the nearest middle and `b` that to the
/// second nearest: near 1 where clusters are tight and far apart, near 0 where rows lie between them. `None` if there are
/// fewer than two middles, or no row that is as wide as they are.
///
/// ```
/// # use ml::{Features, metric::silhouette};
/// let middles = Features::dense(&[0.0, 10.0][..], 1)?;
/// let rows = Features::dense(&[0.0, 1.0, 9.0, 5.0][..], 1)?;
/// let mean = silhouette(rows, middles).unwrap_or(0.0);
/// assert!((mean - (1.0 + 8.0 / 9.0 + 8.0 / 9.0 + 0.0) / 4.0).abs() < 1e-12);
/// # Ok::<(), ml::FeaturesError>(())
/// ```
#[must_use]
pub fn silhouette(rows: Features<'_>, middles: Features<'_>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0_u64);
    for row in rows.iter() {
        if let Some(one) = silhouette_one(row, middles) {
            sum += one;
            count += 1;
        }
    }
    (count > 0).then(|| sum / count as f64)
}

/// The silhouette of one row.
#[must_use]
pub fn silhouette_one(row: Row<'_>, middles: Features<'_>) -> Option<f64> {
    if middles.len() < 2 || row.check(Some(middles.row(0).dim()), Missing::Refused).is_err() {
        return None;
    }
    let (mut nearest, mut second) = (f64::INFINITY, f64::INFINITY);
    for distance in middles.iter().map(|middle| distance(row, middle)) {
        if distance < nearest {
            (nearest, second) = (distance, nearest);
        } else if distance < second {
            second = distance;
        }
    }
    // A row between two middles in one place belongs to neither.
    Some(if second > 0.0 { (second - nearest) / second } else { 0.0 })
}

fn distance(one: Row<'_>, other: Row<'_>) -> f64 {
    let (mut here, mut there) = (Vec::new(), Vec::new());
    let pairs = one.dense(&mut here).iter().zip(other.dense(&mut there));
    pairs.map(|(one, other)| (one - other) * (one - other)).sum::<f64>().sqrt()
}
