//! Where the first centres stand.
//!
//! k-means++ (Arthur and Vassilvitskii, 2007): the first centre is a random row, each further one a row
//! drawn with a chance in proportion to its squared distance from the centres so far. The choice is
//! made several times, each improved by Lloyd's iterations over the same rows, and the tightest kept:
//! a stream, unlike a batch job, cannot come back later and start again.

use super::centers::{nearest, squared_distance};
use crate::random::Random;

/// Multiplications that seeding may spend, about a second of one core. A large k or many rows lower the
/// number of starts and iterations, never below one start of one iteration.
const WORK_MAX: usize = 1_000_000_000;
const STARTS: usize = 8;
const ITERATIONS: usize = 20;

/// `k` centres for the rows, which must be at least one and all `dim` wide.
pub(crate) fn k_means_plus_plus(rows: &[f64], dim: usize, k: usize, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    let passes = WORK_MAX / rows.len().saturating_mul(k).max(1);
    let starts = (passes / (ITERATIONS + 1)).clamp(1, STARTS);
    let iterations = (passes / starts).saturating_sub(1).clamp(1, ITERATIONS);
    let mut best: Option<(f64, Vec<f64>)> = None;
    for _ in 0..starts {
        let mut centers = draw(rows, dim, k, &mut random);
        let inertia = (0..iterations).fold(f64::INFINITY, |_, _| lloyd(rows, dim, &mut centers));
        if best.as_ref().is_none_or(|(least, _)| inertia < *least) {
            best = Some((inertia, centers));
        }
    }
    best.expect("there is at least one start").1
}

/// Random centres around the origin, each coordinate of mean 0 and variance 1.
pub(crate) fn random_centers(dim: usize, k: usize, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    (0..k * dim).map(|_| random.normal()).collect()
}

/// Draws distinct rows, far ones more readily.
fn draw(rows: &[f64], dim: usize, k: usize, random: &mut Random) -> Vec<f64> {
    let count = rows.len() / dim;
    let row = |index: usize| &rows[index * dim..(index + 1) * dim];
    let mut centers = Vec::with_capacity(k * dim);
    centers.extend_from_slice(row(scaled_index(random.uniform(), count)));
    let mut distances: Vec<f64> =
        rows.chunks_exact(dim).map(|point| squared_distance(point, &centers)).collect();
    while centers.len() < k * dim {
        let chosen = draw_one(&distances, random.uniform());
        for (distance, point) in distances.iter_mut().zip(rows.chunks_exact(dim)) {
            *distance = distance.min(squared_distance(point, row(chosen)));
        }
        centers.extend_from_slice(row(chosen));
    }
    centers
}

/// The row at which the running sum of `distances` passes the share `at` of their total. With fewer
/// distinct rows than centres the total is 0 and any row does: the twin centre stays empty, and the
/// learner moves it when it is found dead.
fn draw_one(distances: &[f64], at: f64) -> usize {
    let total: f64 = distances.iter().sum();
    if total <= 0.0 {
        return scaled_index(at, distances.len());
    }
    let mut left = at * total;
    let mut last_possible = 0;
    for (index, &distance) in distances.iter().enumerate().filter(|(_, distance)| **distance > 0.0) {
        last_possible = index;
        if left < distance {
            break;
        }
        left -= distance;
    }
    last_possible
}

/// One of Lloyd's iterations; returns the sum of squared distances before it.
fn lloyd(rows: &[f64], dim: usize, centers: &mut [f64]) -> f64 {
    let k = centers.len() / dim;
    let (mut sums, mut counts) = (vec![0.0; centers.len()], vec![0_u32; k]);
    let mut inertia = 0.0;
    for point in rows.chunks_exact(dim) {
        let (cluster, distance) = nearest(centers, point);
        inertia += distance;
        counts[cluster] += 1;
        for (sum, value) in sums[cluster * dim..(cluster + 1) * dim].iter_mut().zip(point) {
            *sum += value;
        }
    }
    let moved = centers.chunks_exact_mut(dim).zip(sums.chunks_exact(dim)).zip(&counts);
    for ((center, sum), &count) in moved.filter(|(_, count)| **count > 0) {
        for (value, sum) in center.iter_mut().zip(sum) {
            *value = sum / f64::from(count);
        }
    }
    inertia
}

fn scaled_index(at: f64, count: usize) -> usize {
    ((at * count as f64) as usize).min(count - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separate_groups_get_a_centre_each() {
        let mut rows = Vec::new();
        for group in 0..5 {
            for step in 0..20 {
                rows.extend([f64::from(group) * 100.0 + f64::from(step) * 0.01, f64::from(group)]);
            }
        }
        for seed in 0..20 {
            let centers = k_means_plus_plus(&rows, 2, 5, seed);
            let mut groups: Vec<f64> = centers.chunks_exact(2).map(|center| center[1].round()).collect();
            groups.sort_by(f64::total_cmp);
            assert_eq!(groups, [0.0, 1.0, 2.0, 3.0, 4.0], "seed {seed}");
        }
    }

    #[test]
    fn the_seed_decides() {
        let rows: Vec<f64> = (0..200).map(|step| f64::from(step % 37)).collect();
        assert_eq!(k_means_plus_plus(&rows, 2, 4, 1), k_means_plus_plus(&rows, 2, 4, 1));
        assert_ne!(random_centers(3, 2, 1), random_centers(3, 2, 2));
    }

    #[test]
    fn rows_that_are_all_alike_are_no_trouble() {
        assert_eq!(k_means_plus_plus(&[2.0; 10], 1, 3, 9), [2.0; 3]);
    }

    #[test]
    fn random_coordinates_have_mean_zero_and_variance_one() {
        let values = random_centers(100, 200, 3);
        let mean = values.iter().sum::<f64>() / 20_000.0;
        let variance = values.iter().map(|value| value * value).sum::<f64>() / 20_000.0 - mean * mean;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.04, "{mean} {variance}");
    }

    #[test]
    fn drawing_follows_the_distances() {
        assert_eq!(draw_one(&[0.0, 1.0, 0.0, 3.0], 0.2), 1);
        assert_eq!(draw_one(&[0.0, 1.0, 0.0, 3.0], 0.25), 3);
        assert_eq!(draw_one(&[0.0, 1.0, 0.0, 3.0, 0.0], 1.0), 3);
    }
}
