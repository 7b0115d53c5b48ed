//! The run, second by second, by the timestamps of the records: the same after a restart as before it.

use std::collections::VecDeque;

use super::histogram::Histogram;
use crate::wire::{Point, Score};

/// Seconds kept.
const POINTS_MAX: usize = 900;
/// Seconds without anything that are still drawn, so that a line is seen to fall to zero.
const QUIET_MAX: u32 = 10;

#[derive(Debug, Default)]
pub(super) struct Timeline {
    points: VecDeque<Point>,
    open: Option<Open>,
    /// Seconds that changed since the last tick.
    fresh: VecDeque<Point>,
    quiet: u32,
}

#[derive(Debug, Default)]
struct Open {
    t: i64,
    answers: u64,
    latency: Histogram,
}

impl Timeline {
    /// Counts an answer. `score` is asked when a second is over.
    pub(super) fn answer(&mut self, at_ms: i64, latency_ms: Option<u64>, score: impl FnOnce() -> Score) {
        let t = at_ms.div_euclid(1_000);
        if self.open.as_ref().is_some_and(|open| open.t < t) {
            self.close(score());
        }
        // A record that is late by its timestamp counts in the second that is open.
        let open = self.open.get_or_insert_with(|| Open { t, ..Open::default() });
        open.answers += 1;
        if let Some(ms) = latency_ms {
            open.latency.record(ms);
        }
    }

    /// Ends the open second if it is over, and notes how many records came to all topics in the last one.
    pub(super) fn tick(&mut self, now_ms: i64, records: Option<u64>, score: impl FnOnce() -> Score) {
        let now = now_ms.div_euclid(1_000);
        if self.open.as_ref().is_some_and(|open| open.t < now) {
            self.close(score());
        }
        let Some(records) = records else { return };
        let last = now - 1;
        if let Some(point) = self.points.back_mut().filter(|point| point.t == last) {
            point.records = Some(records);
            let point = point.clone();
            self.fresh.retain(|other| other.t != last);
            self.fresh.push_back(point);
            self.quiet = 0;
        } else if self.points.back().is_none_or(|point| point.t < last) {
            self.quiet = if records == 0 { self.quiet.saturating_add(1) } else { 0 };
            if self.quiet <= QUIET_MAX {
                self.push(Point { t: last, records: Some(records), ..Point::default() });
            }
        }
    }

    pub(super) fn points(&self) -> Vec<Point> {
        self.points.iter().cloned().collect()
    }

    pub(super) fn take_fresh(&mut self) -> Vec<Point> {
        self.fresh.drain(..).collect()
    }

    fn close(&mut self, score: Score) {
        let Some(open) = self.open.take() else { return };
        let Score { purity, purity_raw, ari, ari_raw, .. } = score;
        self.quiet = 0;
        self.push(Point {
            t: open.t,
            answers: open.answers,
            records: None,
            p50: open.latency.percentile(0.5),
            p99: open.latency.percentile(0.99),
            purity,
            purity_raw,
            ari,
            ari_raw,
        });
    }

    fn push(&mut self, point: Point) {
        self.fresh.push_back(point.clone());
        self.points.push_back(point);
        for points in [&mut self.points, &mut self.fresh] {
            while points.len() > POINTS_MAX {
                points.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score() -> Score {
        Score { purity: Some(0.5), ..Score::default() }
    }

    #[test]
    fn answers_fall_into_the_second_of_their_record() {
        let mut line = Timeline::default();
        for (at_ms, latency) in [(1_100, 10), (1_900, 12), (1_050, 5), (3_000, 8)] {
            line.answer(at_ms, Some(latency), score);
        }
        line.tick(4_200, Some(7), score);
        let seen: Vec<_> =
            line.points().iter().map(|p| (p.t, p.answers, p.p99, p.records, p.purity)).collect();
        assert_eq!(seen, [(1, 3, Some(12), None, Some(0.5)), (3, 1, Some(8), Some(7), Some(0.5))]);
        assert_eq!(line.take_fresh(), line.points());
        assert_eq!(line.take_fresh(), []);
    }

    #[test]
    fn silence_is_drawn_for_a_while_and_never_pushes_the_run_out() {
        let mut line = Timeline::default();
        line.answer(0, None, score);
        for second in 1..5_000 {
            line.tick(second * 1_000, Some(0), score);
        }
        assert_eq!(line.points().len(), 1 + QUIET_MAX as usize);
        line.tick(6_000_000, Some(3), score);
        assert_eq!(line.points().last().and_then(|p| p.records), Some(3));
    }
}
