//! How well classes are predicted, from counts alone.

use serde::{Deserialize, Serialize};

/// Which classes rows were of, which were predicted, and how often both agreed. Classes are codes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClassCounts {
    rows: u64,
    /// By class.
    actual: Vec<u64>,
    predicted: Vec<u64>,
    right: Vec<u64>,
    /// Rows of the same class as the row before them.
    repeated: u64,
}

/// Figures of merit, each from 0 (or below, for the kappas) to 1. `None` where there is nothing to divide by.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ClassFigures {
    /// Rows judged; one without a prediction counts as a wrong one.
    pub rows: u64,
    /// The share of right predictions. With one label per row this is micro-averaged F1, precision and recall too.
    pub accuracy: Option<f64>,
    /// The mean over the classes of their recall.
    pub balanced_accuracy: Option<f64>,
    /// Cohen's kappa: how far above chance, `(p - e) / (1 - e)`, where `e` is the agreement of independent guesses
    /// with the same frequencies (Cohen, 1960).
    pub kappa: Option<f64>,
    /// The same above a guess that nothing changes: that each row is of the class of the row before
    /// (Zliobaite et al., 2015). Streams whose labels come in runs make an accuracy look better than it is.
    pub kappa_temporal: Option<f64>,
    /// The same above always guessing the most frequent class (Bifet et al., 2015).
    pub kappa_majority: Option<f64>,
    /// The mean over the classes of the harmonic mean of precision and recall.
    pub f1_macro: Option<f64>,
    /// The mean over the classes of the share of right ones among those predicted to be of it.
    pub precision_macro: Option<f64>,
    /// The mean over the classes of the share of those of it that were found.
    pub recall_macro: Option<f64>,
    /// The accuracy of guessing that nothing changes.
    pub no_change_accuracy: Option<f64>,
    /// The accuracy of always guessing the most frequent class.
    pub majority_accuracy: Option<f64>,
}

impl ClassCounts {
    /// Counts a row. `repeated` says that the row before it was of the same class.
    pub fn add(&mut self, actual: u32, predicted: Option<u32>, repeated: bool) {
        let (actual, predicted) = (actual as usize, predicted.map(|class| class as usize));
        let classes = self.actual.len().max(actual + 1).max(predicted.map_or(0, |class| class + 1));
        for counts in [&mut self.actual, &mut self.predicted, &mut self.right] {
            counts.resize(classes, 0);
        }
        self.rows += 1;
        self.actual[actual] += 1;
        self.repeated += u64::from(repeated);
        if let Some(predicted) = predicted {
            self.predicted[predicted] += 1;
            self.right[actual] += u64::from(predicted == actual);
        }
    }

    /// Rows counted.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// What the counts amount to.
    #[must_use]
    pub fn figures(&self) -> ClassFigures {
        let rows = self.rows as f64;
        let share = |count: u64| (self.rows > 0).then(|| count as f64 / rows);
        let accuracy = share(self.right.iter().sum());
        let chance: f64 = self
            .actual
            .iter()
            .zip(&self.predicted)
            .map(|(&a, &p)| (a as f64 / rows) * (p as f64 / rows))
            .sum();
        let no_change_accuracy = share(self.repeated);
        let majority_accuracy = share(self.actual.iter().copied().max().unwrap_or(0));
        let above = |guess: Option<f64>| {
            let (accuracy, guess) = (accuracy?, guess?);
            (guess < 1.0).then(|| (accuracy - guess) / (1.0 - guess))
        };
        ClassFigures {
            rows: self.rows,
            accuracy,
            balanced_accuracy: self.mean(|class| ratio(self.right[class], self.actual[class]), true),
            kappa: above(Some(chance)),
            kappa_temporal: above(no_change_accuracy),
            kappa_majority: above(majority_accuracy),
            f1_macro: self.mean(
                |class| {
                    ratio(2 * self.right[class], self.actual[class] + self.predicted[class]).or(Some(0.0))
                },
                false,
            ),
            precision_macro: self
                .mean(|class| ratio(self.right[class], self.predicted[class]).or(Some(0.0)), false),
            recall_macro: self
                .mean(|class| ratio(self.right[class], self.actual[class]).or(Some(0.0)), false),
            no_change_accuracy,
            majority_accuracy,
        }
    }

    /// The mean of a figure over the classes that occurred: among the rows only, or among the predictions too.
    fn mean(&self, figure: impl Fn(usize) -> Option<f64>, rows_only: bool) -> Option<f64> {
        let occurred = |class: &usize| self.actual[*class] > 0 || !rows_only && self.predicted[*class] > 0;
        let figures: Vec<f64> = (0..self.actual.len()).filter(occurred).filter_map(figure).collect();
        (!figures.is_empty()).then(|| figures.iter().sum::<f64>() / figures.len() as f64)
    }

    /// What is impossible about counts that were read.
    pub(crate) fn validate(&self) -> Result<(), &'static str> {
        let same = self.actual.len() == self.predicted.len() && self.actual.len() == self.right.len();
        let total = self.actual.iter().try_fold(0_u64, |sum, &count| sum.checked_add(count));
        let right = self.right.iter().zip(&self.actual).all(|(right, actual)| right <= actual);
        let predicted = self.predicted.iter().try_fold(0_u64, |sum, &count| sum.checked_add(count));
        let sound =
            same && right && total == Some(self.rows) && predicted.is_some_and(|sum| sum <= self.rows);
        if sound && self.repeated <= self.rows { Ok(()) } else { Err("its evaluation") }
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figures that scikit-learn 1.7 gives for the same ten rows (`accuracy_score`, `balanced_accuracy_score`,
    /// `cohen_kappa_score`, `f1_score(average='macro')`, `precision_score`, `recall_score`, `zero_division=0`).
    #[test]
    fn figures_are_those_of_scikit_learn() {
        let actual = [0, 1, 2, 2, 1, 0, 0, 1, 2, 2];
        let predicted = [0, 2, 2, 2, 1, 0, 1, 1, 0, 2];
        let mut counts = ClassCounts::default();
        let mut last = None;
        for (&a, &p) in actual.iter().zip(&predicted) {
            counts.add(a, Some(p), last == Some(a));
            last = Some(a);
        }
        let figures = counts.figures();
        let close = |value: Option<f64>, expected: f64| {
            assert!((value.unwrap() - expected).abs() < 1e-12, "{value:?} is not {expected}");
        };
        close(figures.accuracy, 0.7);
        close(figures.balanced_accuracy, 0.694_444_444_444_444_4);
        close(figures.kappa, 0.545_454_545_454_545_4);
        close(figures.f1_macro, 0.694_444_444_444_444_4);
        close(figures.precision_macro, 0.694_444_444_444_444_4);
        close(figures.no_change_accuracy, 0.3);
        close(figures.kappa_temporal, (0.7 - 0.3) / 0.7);
        close(figures.kappa_majority, (0.7 - 0.4) / 0.6);
    }

    #[test]
    fn nothing_is_no_figure_and_silence_is_wrong() {
        assert_eq!(ClassCounts::default().figures().accuracy, None);
        let mut counts = ClassCounts::default();
        counts.add(0, None, false);
        counts.add(0, Some(0), true);
        assert_eq!(counts.figures().accuracy, Some(0.5));
        assert_eq!(counts.figures().kappa_majority, None, "the guess is never wrong");
    }
}
