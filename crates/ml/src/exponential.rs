//! The exponential function, as most rows of a logistic regression ask for it twice.
//!
//! Tang's way (*Table-driven implementation of the exponential function in IEEE floating-point arithmetic*, 1989): of
//! `x = (32 m + j) ln 2 / 32 + r` with whole `m` and `j`, the first part is a power of two and one of 32 numbers that are
//! written down, and the rest is so small that a short polynomial will do. Sums and products only, so that it is the
//! same on every machine; wrong by about one unit in the last place at most.

/// 2^(j / 32).
#[rustfmt::skip]
const POWERS: [f64; 32] = [
    1.0, 1.021_897_148_654_116_6, 1.044_273_782_427_413_8, 1.067_140_400_676_823_7,
    1.090_507_732_665_257_7, 1.114_386_742_595_892_4, 1.138_788_634_756_691_6, 1.163_724_858_777_577_5,
    1.189_207_115_002_721, 1.215_247_359_980_469, 1.241_857_812_073_484, 1.269_050_957_191_733_2,
    1.296_839_554_651_009_6, 1.325_236_643_159_741_3, 1.354_255_546_936_892_7, 1.383_909_881_963_832,
    std::f64::consts::SQRT_2, 1.445_180_806_977_046_7, 1.476_826_145_939_499_3, 1.509_164_427_593_422_8,
    1.542_210_825_407_940_7, 1.575_980_845_107_886_5, 1.610_490_331_949_254_3, 1.645_755_478_153_965,
    1.681_792_830_507_429, 1.718_619_298_122_478, 1.756_252_160_373_299_5, 1.794_709_075_003_107_2,
    1.834_008_086_409_342_4, 1.874_167_634_110_3, 1.915_206_561_397_147_4, 1.957_144_124_175_400_2,
];

/// 32 / ln 2.
const PER_STEP: f64 = 46.166_241_308_446_83;
/// ln 2 / 32 in two parts, the first with so few digits that its products with whole numbers are exact.
const STEP: f64 = 0.021_660_849_335_603_416;
const STEP_REST: f64 = 5.689_487_495_325_457e-11;
/// Added to a number of moderate size, it leaves whole numbers: 1.5 * 2^52.
const ROUNDER: f64 = 6_755_399_441_055_744.0;
/// From here to its negative, what comes out has all its digits.
const PLAIN_MAX: f64 = 708.0;

/// `e^x`.
#[inline]
pub(crate) fn exp(x: f64) -> f64 {
    // Only a comparison that a NaN fails, too, may lead on.
    if x.abs() <= PLAIN_MAX { plain(x) } else { libm::exp(x) }
}

#[inline]
fn plain(x: f64) -> f64 {
    let shifted = x * PER_STEP + ROUNDER;
    let steps = shifted - ROUNDER;
    let rest = (x - steps * STEP) - steps * STEP_REST;
    // The whole number is what the lowest bits say.
    let whole = shifted.to_bits() as i32;
    let square = rest * rest;
    let (low, high) = (0.5 + rest * (1.0 / 6.0), 1.0 / 24.0 + rest * (1.0 / 120.0));
    let beyond_one = rest + square * (low + square * (high + square * (1.0 / 720.0)));
    let power = POWERS[(whole & 31) as usize];
    let two_to = f64::from_bits(((1_023 + i64::from(whole >> 5)) as u64) << 52);
    (power + power * beyond_one) * two_to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_exponential_function_to_the_last_digit_or_the_one_before() {
        let mut random = crate::random::Random::new(7);
        let near = (-2_000..2_000).map(|step| f64::from(step) * 0.354);
        let numbers: Vec<f64> = near.chain((0..50_000).map(|_| 30.0 * random.uniform() - 15.0)).collect();
        let off = |&x: &f64| (exp(x) / libm::exp(x) - 1.0).abs();
        let most = numbers.iter().map(off).fold(0.0, f64::max);
        assert!(most < 2.0 * f64::EPSILON, "{most:e}");
        assert_eq!(exp(0.0), 1.0);
    }

    #[test]
    fn numbers_that_are_too_large_or_none_are_answered_as_usual() {
        for x in [709.0, 1e300, -745.0, -1e300, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(exp(x), libm::exp(x), "{x}");
        }
        assert!(exp(f64::NAN).is_nan());
    }
}
