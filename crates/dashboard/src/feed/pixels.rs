//! Images in the form the page draws: one character per pixel.

use std::sync::Arc;

/// The brightest value, as in the data set.
const LEVELS: f32 = 16.0;
/// Of a mean, each new image takes this share once there are enough of them.
const MEAN_SHARE: f32 = 1.0 / 60.0;

/// Base 17, rounded and clamped; a value that is no number is an empty pixel.
pub(super) fn encode(values: &[f32]) -> String {
    values.iter().map(|value| digit(*value)).collect()
}

fn digit(value: f32) -> char {
    let level = if value.is_nan() { 0.0 } else { value.clamp(0.0, LEVELS).round() };
    char::from_digit(level as u32, LEVELS as u32 + 1).unwrap_or('0')
}

/// What a cluster's newest images have in common.
#[derive(Debug, Default)]
pub(super) struct Mean {
    values: Vec<f32>,
    seen: f32,
}

impl Mean {
    pub(super) fn add(&mut self, pixels: &Arc<str>) {
        if self.values.len() != pixels.len() {
            self.values = vec![0.0; pixels.len()];
            self.seen = 0.0;
        }
        self.seen += 1.0;
        let share = MEAN_SHARE.max(1.0 / self.seen);
        for (mean, pixel) in self.values.iter_mut().zip(pixels.chars()) {
            let value = pixel.to_digit(LEVELS as u32 + 1).unwrap_or(0) as f32;
            *mean += (value - *mean) * share;
        }
    }

    pub(super) fn encode(&self) -> Option<String> {
        (self.seen > 0.0).then(|| encode(&self.values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_becomes_a_character() {
        assert_eq!(encode(&[0.0, 9.6, 16.0, 99.0, -3.0, f32::NAN, f32::INFINITY]), "0agg00g");
    }

    #[test]
    fn a_mean_follows_its_images() {
        let mut mean = Mean::default();
        assert_eq!(mean.encode(), None);
        mean.add(&"0g".into());
        mean.add(&"4g".into());
        assert_eq!(mean.encode().as_deref(), Some("2g"));
    }
}
