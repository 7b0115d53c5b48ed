//! Fractions as JSON numbers: those of a few digits behind the point by one division, all others by Arrow's writer, which
//! looks for the shortest text of any. What is written is the same to the byte.

use datafusion::arrow::array::Float64Array;
use datafusion::arrow::json::Encoder;
use datafusion::arrow::json::writer::NullableEncoder;

/// Powers of ten, each of them exact.
const TENS: [f64; 5] = [1e0, 1e1, 1e2, 1e3, 1e4];

/// Below it Arrow writes no exponent, and ten thousand times as much is a whole number that is exact.
const PLAIN_END: f64 = 1e9;

/// More digits and signs than are written.
const ROOM: usize = 24;

/// A column, and who writes what is not so short.
pub(super) struct Column<'a> {
    pub(super) numbers: &'a Float64Array,
    pub(super) any: NullableEncoder<'a>,
}

impl Encoder for Column<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        if !write(self.numbers.value(row), out) {
            self.any.encode(row, out);
        }
    }
}

/// Writes a number that has at most four digits behind the point; false, and nothing written, if it has more.
///
/// A whole number below 2^53 divided by a power of ten, both exact, is rounded once: if that gives the number, its digits
/// read back as the number. They are fewer than 16, and no two texts of so few digits are one number, so no shorter text
/// reads back as it.
fn write(number: f64, out: &mut Vec<u8>) -> bool {
    let size = number.abs();
    if size >= PLAIN_END || size.is_nan() {
        return false;
    }
    let found = TENS.iter().enumerate().find_map(|(behind, ten)| {
        let whole = nearest_whole(size * ten);
        (whole / ten == size).then_some((behind, whole as u64))
    });
    let Some((behind, whole)) = found else { return false };
    // One zero stands behind the point of a whole number, and one before that of a small one.
    let (behind, mut rest) = if behind == 0 { (1, whole * 10) } else { (behind, whole) };
    let mut text = [b'0'; ROOM];
    let mut at = ROOM;
    let mut digit = || {
        at -= 1;
        text[at] += (rest % 10) as u8;
        rest /= 10;
        rest
    };
    for _ in 0..behind {
        digit();
    }
    while digit() > 0 {}
    let point = ROOM - behind;
    text.copy_within(at..point, at - 1);
    text[point - 1] = b'.';
    at -= 1;
    if number.is_sign_negative() {
        at -= 1;
        text[at] = b'-';
    }
    out.extend_from_slice(&text[at..]);
    true
}

/// Of a number below 2^51. Added to such a number, 1.5 * 2^52 leaves no bit for what is behind the point.
fn nearest_whole(number: f64) -> f64 {
    const NO_FRACTION: f64 = 6_755_399_441_055_744.0;
    number + NO_FRACTION - NO_FRACTION
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::sink::json::tests::check_column;

    fn check(numbers: Vec<f64>) {
        check_column(Arc::new(Float64Array::from(numbers)));
    }

    #[test]
    fn the_ends_of_what_is_short_are_written_as_arrow_does() {
        let next = |number: f64| f64::from_bits(number.to_bits() + 1);
        let ends =
            [0.0, 0.1, 0.5, 1e-4, 1e-5, 9.9999, 999_999_999.0, 999_999_999.999_9, 1e9, 1e15, 1e16, 1e300];
        let near = ends.into_iter().flat_map(|end| [end, next(end), -end, -next(end)]);
        check(near.chain([f64::NAN, f64::INFINITY, f64::MIN_POSITIVE, 0.1 + 0.2]).collect());
    }

    proptest! {
        #[test]
        fn every_number_is_written_as_arrow_does(
            any: f64,
            short in (-10_000_000_000_000_i64..10_000_000_000_000, 0_i32..8),
            small in (-100_000_i64..100_000, 0_i32..8),
        ) {
            let divided = |(whole, behind): (i64, i32)| whole as f64 / 10_f64.powi(behind);
            check(vec![any, divided(short), divided(small), divided(short) * 1.1]);
        }
    }
}
