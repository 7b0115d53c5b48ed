//! The records of a batch: where their keys and values lie in what was read, which holds thousands of them and is kept
//! once for all.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use record::{Header, Located, Record};

/// Records in some order.
#[derive(Debug, Default)]
pub(crate) struct SourceRecords {
    runs: Vec<Run>,
    rows: Vec<Row>,
    /// Of the few that have any.
    headers: Vec<Vec<Header>>,
}

/// One record, as dead letters and metadata columns want it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SourceRecord<'a> {
    pub(crate) topic: &'a str,
    pub(crate) partition: u32,
    pub(crate) offset: i64,
    /// Unix milliseconds.
    pub(crate) timestamp: i64,
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) value: Option<&'a [u8]>,
    pub(crate) headers: &'a [Header],
}

/// Some of the records.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Selected<'a> {
    records: &'a SourceRecords,
    numbers: &'a [usize],
}

/// One that came alone, with bytes of its own.
#[derive(Debug)]
pub(crate) struct LoneRecord {
    pub(crate) topic: Arc<str>,
    pub(crate) partition: u32,
    pub(crate) record: Record,
}

/// Records of one partition that lie in the same bytes.
#[derive(Debug)]
struct Run {
    topic: Arc<str>,
    partition: u32,
    bytes: Bytes,
}

#[derive(Debug)]
struct Row {
    run: u32,
    /// Its number in the list of them, counted from 1.
    headers: u32,
    offset: i64,
    timestamp: i64,
    key: Option<Range<usize>>,
    value: Option<Range<usize>>,
}

impl SourceRecords {
    /// Records that came one by one, in this order.
    pub(crate) fn gather(received: impl IntoIterator<Item = LoneRecord>) -> Self {
        let (mut records, mut bytes) = (SourceRecords::default(), Vec::new());
        for LoneRecord { topic, partition, record } in received {
            if records.runs.last().is_none_or(|run| (&run.topic, run.partition) != (&topic, partition)) {
                records.begin(&topic, partition, Bytes::new());
            }
            let mut put = |part: Bytes| {
                bytes.extend_from_slice(&part);
                bytes.len() - part.len()..bytes.len()
            };
            let Record { offset, timestamp, key, value, headers } = record;
            let (key, value) = (key.map(&mut put), value.map(&mut put));
            records.push(Located { offset, timestamp, key, value, headers });
        }
        let bytes = Bytes::from(bytes);
        records.runs.iter_mut().for_each(|run| run.bytes = bytes.clone());
        records
    }

    /// What is pushed from now on lies in these bytes.
    pub(crate) fn begin(&mut self, topic: &Arc<str>, partition: u32, bytes: Bytes) {
        self.runs.push(Run { topic: Arc::clone(topic), partition, bytes });
    }

    /// Adds a record of what [`begin`](Self::begin) began.
    #[inline]
    pub(crate) fn push(&mut self, record: Located) {
        let Located { offset, timestamp, key, value, headers } = record;
        let mut numbered = 0;
        if !headers.is_empty() {
            self.headers.push(headers);
            numbered = number(self.headers.len());
        }
        let run = number(self.runs.len().saturating_sub(1));
        self.rows.push(Row { run, headers: numbered, offset, timestamp, key, value });
    }

    pub(crate) fn reserve(&mut self, records: usize) {
        self.rows.reserve(records);
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// By topic, partition and offset.
    pub(crate) fn sort(&mut self) {
        let runs = &self.runs;
        let of = |row: &Row| &runs[row.run as usize];
        let by_run = |a: &Run, b: &Run| (&a.topic, a.partition).cmp(&(&b.topic, b.partition));
        self.rows.sort_by(|a, b| {
            let runs = if a.run == b.run { Ordering::Equal } else { by_run(of(a), of(b)) };
            runs.then(a.offset.cmp(&b.offset))
        });
    }

    pub(crate) fn get(&self, number: usize) -> Option<SourceRecord<'_>> {
        self.rows.get(number).map(|row| self.record(row))
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = SourceRecord<'_>> {
        self.rows.iter().map(|row| self.record(row))
    }

    /// Those of these numbers, which have to be there.
    pub(crate) fn select<'a>(&'a self, numbers: &'a [usize]) -> Selected<'a> {
        Selected { records: self, numbers }
    }

    #[inline]
    fn record(&self, row: &Row) -> SourceRecord<'_> {
        let run = &self.runs[row.run as usize];
        let part = |at: &Option<Range<usize>>| at.clone().map(|at| &run.bytes[at]);
        SourceRecord {
            topic: &run.topic,
            partition: run.partition,
            offset: row.offset,
            timestamp: row.timestamp,
            key: part(&row.key),
            value: part(&row.value),
            headers: row.headers.checked_sub(1).map_or(&[], |index| &self.headers[index as usize]),
        }
    }
}

impl<'a> Selected<'a> {
    pub(crate) fn len(&self) -> usize {
        self.numbers.len()
    }

    #[inline]
    pub(crate) fn iter(self) -> impl ExactSizeIterator<Item = SourceRecord<'a>> {
        self.numbers.iter().map(move |number| self.records.record(&self.records.rows[*number]))
    }

    #[inline]
    pub(crate) fn values(self) -> impl ExactSizeIterator<Item = Option<&'a [u8]>> {
        self.iter().map(|record| record.value)
    }
}

/// A batch has fewer runs, and fewer records with headers, than memory could hold four thousand millions of.
fn number(count: usize) -> u32 {
    u32::try_from(count).expect("a batch fits into memory")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(topic: &str, offset: i64, value: Option<&'static str>) -> LoneRecord {
        let headers = match value {
            Some("headed") => vec![(Bytes::from_static(b"h"), None)],
            _ => Vec::new(),
        };
        let key = (offset % 2 == 0).then(|| Bytes::from_static(b"key"));
        let value = value.map(Bytes::from);
        LoneRecord {
            topic: topic.into(),
            partition: 3,
            record: Record { offset, timestamp: -offset, key, value, headers },
        }
    }

    #[test]
    fn records_are_what_came_in_the_order_of_their_offsets() {
        let came = || {
            [
                received("b", 2, Some("headed")),
                received("a", 9, None),
                received("b", 1, Some("")),
                received("a", 4, Some("four")),
            ]
        };
        let mut records = SourceRecords::gather(came());
        assert_eq!(records.len(), 4);
        let told = |record: SourceRecord<'_>| {
            let headers = record.headers.len();
            let text = |part: Option<&[u8]>| part.map(|part| String::from_utf8(part.to_vec()).unwrap());
            (
                record.topic.to_owned(),
                record.partition,
                record.offset,
                record.timestamp,
                text(record.key),
                text(record.value),
                headers,
            )
        };
        let mut expected: Vec<_> = records.iter().map(told).collect();
        for (record, came) in records.iter().zip(came()) {
            assert_eq!((record.topic, record.partition), (came.topic.as_ref(), came.partition));
            let Record { offset, timestamp, key, value, headers } = came.record;
            assert_eq!((record.offset, record.timestamp), (offset, timestamp));
            assert_eq!((record.key, record.value), (key.as_deref(), value.as_deref()));
            assert_eq!(record.headers, headers);
        }
        expected.sort();
        records.sort();
        assert_eq!(records.iter().map(told).collect::<Vec<_>>(), expected);
        let some = records.select(&[3, 0]);
        assert_eq!(some.len(), 2);
        assert_eq!(some.values().collect::<Vec<_>>(), [Some(&b"headed"[..]), Some(&b"four"[..])]);
        assert_eq!(records.get(1).map(|record| record.offset), Some(9));
        assert!(records.get(4).is_none());
    }
}
