//! Random messages from a seed: any value that a version can carry, in every field it has.

use bytes::Bytes;
use uuid::Uuid;

use crate::{Secret, StrBytes};

/// SplitMix64: the same seed gives the same messages everywhere.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

pub(crate) trait Sample: Sized {
    fn sample(random: &mut Random, version: i16, nullable: bool) -> Self;
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Sample for $number {
            #[allow(clippy::cast_possible_truncation, reason = "any bits will do")]
            fn sample(random: &mut Random, _: i16, _: bool) -> Self {
                match random.below(6) {
                    0 => <$number>::MIN,
                    1 => <$number>::MAX,
                    2 => <$number>::MAX / 2,
                    _ => random.next() as $number,
                }
            }
        }
    )*};
}

numbers!(i8, i16, i32, i64, u16);

impl Sample for f64 {
    fn sample(random: &mut Random, _: i16, _: bool) -> Self {
        // A number that is not equal to itself would fail every comparison.
        let any = f64::from_bits(random.next());
        if any.is_nan() { 0.5 } else { any }
    }
}

impl Sample for bool {
    fn sample(random: &mut Random, _: i16, _: bool) -> Self {
        random.below(2) == 0
    }
}

impl Sample for Uuid {
    fn sample(random: &mut Random, _: i16, _: bool) -> Self {
        Uuid::from_u64_pair(random.next(), random.next())
    }
}

impl Sample for StrBytes {
    fn sample(random: &mut Random, _: i16, _: bool) -> Self {
        // Lengths on both sides of what one byte of a compact length can say.
        let length = [0, 1, 7, 126, 127, 128, 300][usize::try_from(random.below(7)).unwrap()];
        let letters = ['a', 'z', '.', 'é', '水'];
        let text: String = (0..length).map(|_| letters[usize::try_from(random.below(5)).unwrap()]).collect();
        text.into()
    }
}

impl Sample for Bytes {
    fn sample(random: &mut Random, _: i16, _: bool) -> Self {
        // The longest is handed through as a chunk of its own.
        let length = [0, 1, 50, 127, 128, 5000][usize::try_from(random.below(6)).unwrap()];
        (0..length).map(|_| random.next().to_le_bytes()[0]).collect()
    }
}

impl Sample for Secret {
    fn sample(random: &mut Random, version: i16, nullable: bool) -> Self {
        Bytes::sample(random, version, nullable).into()
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn sample(random: &mut Random, version: i16, _: bool) -> Self {
        let length = random.below(4);
        (0..length).map(|_| T::sample(random, version, false)).collect()
    }
}

impl<T: Sample> Sample for Option<T> {
    fn sample(random: &mut Random, version: i16, nullable: bool) -> Self {
        if nullable && random.below(3) == 0 { None } else { Some(T::sample(random, version, false)) }
    }
}
