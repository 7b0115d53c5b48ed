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
    /// The second closed last: a record of it may still come.
    closed: Option<Open>,
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
            self.close(&score());
        }
        // A record that is late by its timestamp counts in the second that is open, or was open last.
        let late = self.closed.take_if(|closed| self.open.is_none() && closed.t >= t);
        let open = self.open.get_or_insert_with(|| late.unwrap_or(Open { t, ..Open::default() }));
        open.answers += 1;
        if let Some(ms) = latency_ms {
            open.latency.record(ms);
        }
    }

    /// Ends the open second if it is over, and notes how many records came to all topics in the last one.
    pub(super) fn tick(&mut self, now_ms: i64, records: Option<u64>, score: impl FnOnce() -> Score) {
        let now = now_ms.div_euclid(1_000);
        if self.open.as_ref().is_some_and(|open| open.t < now) {
            self.close(&score());
        }
        let Some(records) = records else { return };
        let last = now - 1;
        if let Some(point) = self.points.back_mut().filter(|point| point.t == last) {
            point.records = Some(records);
            let point = point.clone();
            put(&mut self.fresh, point);
            self.quiet = 0;
        } else if self.points.back().is_none_or(|point| point.t < last) {
            self.quiet = if records == 0 { self.quiet.saturating_add(1) } else { 0 };
            if self.quiet <= QUIET_MAX {
                self.put(Point { t: last, records: Some(records), ..Point::default() });
            }
        }
    }

    pub(super) fn points(&self) -> Vec<Point> {
        self.points.iter().cloned().collect()
    }

    pub(super) fn take_fresh(&mut self) -> Vec<Point> {
        self.fresh.drain(..).collect()
    }

    fn close(&mut self, score: &Score) {
        let Some(open) = self.open.take() else { return };
        let Score { purity, purity_raw, ari, ari_raw, .. } = *score;
        self.quiet = 0;
        self.put(Point {
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
        self.closed = Some(open);
    }

    fn put(&mut self, point: Point) {
        put(&mut self.fresh, point.clone());
        put(&mut self.points, point);
    }
}

/// Keeps the order of time and one point per second.
fn put(points: &mut VecDeque<Point>, mut point: Point) {
    let at = points.iter().rposition(|other| other.t <= point.t).map_or(0, |before| before + 1);
    match at.checked_sub(1).and_then(|same| points.get_mut(same)).filter(|other| other.t == point.t) {
        Some(same) => {
            point.records = point.records.or(same.records);
            *same = point;
        }
        None => points.insert(at, point),
    }
    if points.len() > POINTS_MAX {
        points.pop_front();
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
    fn a_second_that_was_closed_too_early_is_still_one_second() {
        let mut line = Timeline::default();
        line.answer(1_100, Some(10), score);
        line.tick(3_500, Some(4), score);
        line.answer(1_900, Some(30), score);
        line.answer(4_000, None, score);
        let seen: Vec<_> = line.points().iter().map(|p| (p.t, p.answers, p.p50, p.p99, p.records)).collect();
        assert_eq!(seen, [(1, 2, Some(10), Some(31), None), (2, 0, None, None, Some(4))]);
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
