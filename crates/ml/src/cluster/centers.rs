//! Points in space, row-major, and which of them is nearest.

/// Independent sums of the inner loop: wide enough for the widest vector registers in use.
const LANES: usize = 8;

/// The squared Euclidean distance. Differences are squared and summed in a fixed order, so the result
/// has the same bits on every machine; the shortcut by norms and dot products would not, and loses
/// digits where points lie close together.
pub(crate) fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let mut tail = 0.0;
    for (x, y) in a_chunks.remainder().iter().zip(b_chunks.remainder()) {
        tail += (x - y) * (x - y);
    }
    let mut lanes = [0.0; LANES];
    for (x, y) in a_chunks.zip(b_chunks) {
        for lane in 0..LANES {
            let difference = x[lane] - y[lane];
            lanes[lane] += difference * difference;
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    (((a + e) + (c + g)) + ((b + f) + (d + h))) + tail
}

/// The nearest of `centers` and its squared distance; among equals the first.
///
/// # Panics
///
/// If there are no centres.
pub(crate) fn nearest(centers: &[f64], point: &[f64]) -> (usize, f64) {
    let mut best = (usize::MAX, f64::INFINITY);
    for (index, center) in centers.chunks_exact(point.len()).enumerate() {
        let distance = squared_distance(center, point);
        if distance < best.1 {
            best = (index, distance);
        }
    }
    assert!(best.0 != usize::MAX, "distances between checked rows are finite");
    best
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn distance_is_the_sum_of_squares(
            pairs in prop::collection::vec((-1e3..1e3_f64, -1e3..1e3_f64), 1..70),
        ) {
            let (a, b): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
            let plain: f64 = pairs.iter().map(|(x, y)| (x - y) * (x - y)).sum();
            let distance = squared_distance(&a, &b);
            prop_assert!((distance - plain).abs() <= 1e-12 * plain.max(1.0));
            prop_assert_eq!(distance.to_bits(), squared_distance(&b, &a).to_bits());
        }
    }

    #[test]
    fn among_equals_the_first_is_nearest() {
        assert_eq!(nearest(&[1.0, -1.0, 0.5], &[0.0]), (2, 0.25));
        assert_eq!(nearest(&[1.0, -1.0], &[0.0]), (0, 1.0));
    }
}
