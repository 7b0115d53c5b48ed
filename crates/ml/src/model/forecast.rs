//! What a model of a series has beyond the answers to rows: how the series goes on.

use super::{Model, Task};
use crate::batch::Batch;

/// The furthest that a series is told ahead.
pub const HORIZON_MAX: usize = 100_000;

impl Model {
    /// The next `horizon` values of a series, at most [`HORIZON_MAX`], with its columns, if it has any, missing; fewer
    /// if the model cannot tell as many. `None` if the model is not of a series.
    #[must_use]
    pub fn forecast(&self, horizon: usize) -> Option<Vec<f64>> {
        let Task::Forecast(learner) = &self.task else { return None };
        Some(learner.forecast(horizon.min(HORIZON_MAX), None))
    }

    /// The next values of a series, one for each row of what is known of the future, up to the first row that cannot
    /// be taken. `None` if the model is not of a series.
    #[must_use]
    pub fn forecast_with(&self, future: &Batch<'_>) -> Option<Vec<f64>> {
        let Task::Forecast(learner) = &self.task else { return None };
        let (store, refused) = self.prepare(future);
        let horizon = refused.first().copied().unwrap_or(future.len()).min(HORIZON_MAX);
        Some(learner.forecast(horizon, Some(store.rows())))
    }
}
