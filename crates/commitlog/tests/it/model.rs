//! The log against a plain list, whatever is done to it.

use commitlog::{LastStop, Log};
use env::SimDisk;
use proptest::prelude::*;
use record::Producer;

use crate::support::{EVERYTHING, batch, config, disk, open_with, read_all};

#[derive(Debug, Clone)]
enum Step {
    /// Requests of so many records each, in one call.
    Append(Vec<u8>),
    Flush,
    CloseAndReopen,
    KillAndReopen,
    PowerCutAfterFlush,
    DeleteBefore(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => proptest::collection::vec(1..6_u8, 1..5).prop_map(Step::Append),
        1 => Just(Step::Flush),
        1 => Just(Step::CloseAndReopen),
        1 => Just(Step::KillAndReopen),
        1 => Just(Step::PowerCutAfterFlush),
        1 => any::<u8>().prop_map(Step::DeleteBefore),
    ];
    proptest::collection::vec(step, 1..40)
}

struct Run {
    disk: SimDisk,
    log: Option<Log>,
    values: Vec<String>,
    start: i64,
    tail: bool,
}

impl Run {
    fn new(tail: bool) -> Self {
        let mut run = Self { disk: disk(), log: None, values: Vec::new(), start: 0, tail };
        run.reopen(LastStop::Unclean);
        run
    }

    fn reopen(&mut self, last_stop: LastStop) {
        let mut config = config(700);
        if self.tail {
            config.tail_bytes = 900;
            config.tail_budget = commitlog::TailBudget::new(10_000);
        }
        let (log, recovery) = open_with(&self.disk, config, last_stop);
        assert!(recovery.cut.is_none() && recovery.rotten.is_empty(), "{recovery:?}");
        self.log = Some(log);
    }

    fn log(&mut self) -> &mut Log {
        self.log.as_mut().unwrap()
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Append(requests) => self.append(requests),
            Step::Flush => self.log().flush().unwrap(),
            Step::CloseAndReopen => {
                self.log.take().unwrap().close().unwrap();
                self.disk = self.disk.crash();
                self.reopen(LastStop::Clean);
            }
            Step::KillAndReopen => {
                self.disk = self.disk.process_crash();
                self.reopen(LastStop::Unclean);
            }
            Step::PowerCutAfterFlush => {
                self.log().flush().unwrap();
                self.disk = self.disk.crash();
                self.reopen(LastStop::Unclean);
            }
            Step::DeleteBefore(offset) => {
                let wanted = i64::from(*offset);
                let end = self.log().next_offset();
                self.start = self.start.max(wanted.min(end));
                assert_eq!(self.log().delete_before(wanted, end).unwrap(), self.start);
            }
        }
    }

    fn append(&mut self, requests: &[u8]) {
        let mut bytes = Vec::new();
        let mut expected = Vec::new();
        for count in requests {
            expected.push(i64::try_from(self.values.len()).unwrap());
            let first = self.values.len();
            self.values.extend((first..first + usize::from(*count)).map(|n| format!("value-{n}")));
            bytes.push(batch(Producer::NONE, first as i64, &self.values[first..]));
        }
        let answers = self.log().append(&bytes, 0);
        let offsets: Vec<i64> = answers.into_iter().map(|answer| answer.unwrap().base_offset).collect();
        assert_eq!(offsets, expected);
    }

    fn check(&mut self) {
        let start = self.start;
        let expected: Vec<(i64, String)> =
            (0..).zip(self.values.iter().cloned()).filter(|(offset, _)| *offset >= start).collect();
        let log = self.log();
        assert_eq!(log.reader().log_start_offset(), start);
        let (records, rot) = read_all(log, start);
        assert_eq!(records, expected);
        assert!(rot.is_empty(), "{rot:?}");
        for from in start..log.next_offset() {
            check_read(log, from);
        }
        assert!(log.reader().read(start - 1, log.next_offset(), 1, true).is_err());
        assert!(log.reader().read(log.next_offset() + 1, log.next_offset(), 1, true).is_err());
    }
}

/// The first batch holds `from`, batches are whole, and the limit holds but for the first.
fn check_read(log: &Log, from: i64) {
    for max_bytes in [0, 1, 150, 400, EVERYTHING] {
        let bytes = log.reader().read(from, log.next_offset(), max_bytes, true).unwrap();
        let batches: Vec<_> = record::batches(&bytes).collect::<Result<_, _>>().unwrap();
        let first = &batches[0].header;
        assert!(first.base_offset <= from && from <= first.last_offset());
        assert!(bytes.len() <= max_bytes || batches.len() == 1);
        let strict = log.reader().read(from, log.next_offset(), max_bytes, false).unwrap();
        assert!(strict.len() <= max_bytes);
        for (min_one, patient) in [(true, &bytes), (false, &strict)] {
            let now = log.reader().read_now(from, log.next_offset(), max_bytes, min_one).unwrap();
            assert!(now.is_none_or(|now| now == *patient), "{max_bytes} bytes from {from}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_log_is_a_list(steps in steps(), tail in any::<bool>()) {
        let mut run = Run::new(tail);
        for step in &steps {
            run.step(step);
        }
        run.check();
    }
}
