//! However a log is cut into batches, its committed records come once, in order.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use env::{Disk as _, Env, ManualClock, SimDisk};
use proptest::prelude::*;
use record::{BatchBuilder, Compression, Producer};
use topics::{Acks, Topics};

use super::*;
use crate::source::format::Format;
use crate::source::records::SourceRecord;
use crate::source::shape::Shape;

const PRODUCERS: i64 = 3;

/// What is done to a partition.
#[derive(Debug, Clone)]
enum Step {
    /// Records of nobody's transaction.
    Plain(u8, bool),
    /// Records of this producer's transaction.
    Written(i64, u8, bool),
    /// The end of this producer's transaction.
    Ended(i64, bool),
}

/// What a batch may take: rows and bytes, and whether it is looked at by a source that has just been opened.
type Take = (u64, usize, bool);

fn steps() -> impl Strategy<Value = Vec<(u32, Step)>> {
    let step = prop_oneof![
        (1..20_u8, any::<bool>()).prop_map(|(records, packed)| Step::Plain(records, packed)),
        (0..PRODUCERS, 1..20_u8, any::<bool>())
            .prop_map(|(p, records, packed)| Step::Written(p, records, packed)),
        (0..PRODUCERS, any::<bool>()).prop_map(|(producer, commit)| Step::Ended(producer, commit)),
    ];
    prop::collection::vec((0..2_u32, step), 1..40)
}

fn takes() -> impl Strategy<Value = Vec<Take>> {
    prop::collection::vec((1..30_u64, 1..80_usize, prop::bool::weighted(0.2)), 1..20)
}

/// A topic with two partitions, and how the next record's sequence reads for each producer in each of them.
struct Log {
    topics: Topics,
    written: u64,
    sequences: BTreeMap<(u32, i64), i32>,
    /// What each open transaction holds, and what everyone may read, by partition and offset.
    open: BTreeMap<(u32, i64), Vec<(i64, String)>>,
    readable: BTreeMap<(u32, i64), String>,
}

impl Log {
    fn new() -> Self {
        let disk = SimDisk::new();
        disk.create_dir_all(Path::new("/data")).unwrap();
        let env = Env::simulated(Arc::new(ManualClock::new(1_700_000_000_000)), &disk, 7);
        let (topics, _) = Topics::open(topics::Config::new("/data"), env).unwrap();
        topics.create("t", 2, BTreeMap::default()).unwrap();
        let (sequences, open, readable) = Default::default();
        Log { topics, written: 0, sequences, open, readable }
    }

    fn partition(&self, index: u32) -> Partition {
        self.topics.topic("t").unwrap().partition(index).unwrap()
    }

    async fn apply(&mut self, index: u32, step: &Step) {
        match *step {
            Step::Plain(records, packed) => {
                let written = self.write(index, Producer::NONE, records, packed).await;
                self.readable.extend(written.into_iter().map(|(offset, value)| ((index, offset), value)));
            }
            Step::Written(id, records, packed) => {
                let next = self.sequences.entry((index, id)).or_default();
                let producer = Producer { id, epoch: 0, base_sequence: *next };
                *next += i32::from(records);
                let written = self.write(index, producer, records, packed).await;
                self.open.entry((index, id)).or_default().extend(written);
            }
            Step::Ended(id, commit) => {
                let ended = self.partition(index).end_transaction(id, 0, commit, 0).unwrap();
                ended.await.unwrap();
                let written = self.open.remove(&(index, id)).unwrap_or_default();
                let committed = written.into_iter().filter(|_| commit);
                self.readable.extend(committed.map(|(offset, value)| ((index, offset), value)));
            }
        }
    }

    async fn write(
        &mut self,
        index: u32,
        producer: Producer,
        records: u8,
        packed: bool,
    ) -> Vec<(i64, String)> {
        let compression = if packed { Compression::Gzip } else { Compression::None };
        let mut batch = BatchBuilder::new(compression, producer);
        if producer.id >= 0 {
            batch = batch.transactional();
        }
        let partition = self.partition(index);
        let values: Vec<String> = (self.written..).take(records.into()).map(|n| n.to_string()).collect();
        self.written += u64::from(records);
        for value in &values {
            batch.push(1_700_000_000_000, None, Some(value.as_bytes()), &[]);
        }
        let base = partition.high_watermark();
        partition.enqueue(batch.build(), Acks::All).unwrap().await.unwrap();
        (base..).zip(values).collect()
    }

    fn source(&self) -> TopicSource {
        let options = KafkaOptions {
            topics: Subscription::Topics(vec!["t".to_owned()]),
            starting: Place::Earliest,
            ending: Place::Latest,
            rows_max: None,
            rows_min: None,
            delay_max: Duration::ZERO,
            fail_on_data_loss: true,
            headers: false,
            format: Format::Text,
            outside: None,
        };
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(0));
        TopicSource::new(&self.topics, options, &clock)
    }

    /// The records that may be read, in front of what is still open in their partition.
    fn stable(&self) -> BTreeMap<(u32, i64), String> {
        let end = |index: u32| self.partition(index).last_stable_offset();
        let ends = [end(0), end(1)];
        let stable = self.readable.iter().filter(|((index, offset), _)| *offset < ends[*index as usize]);
        stable.map(|(at, value)| (*at, value.clone())).collect()
    }
}

/// Everything that a pinned batch holds.
fn read(pinned: Pinned) -> Vec<((u32, i64), String)> {
    let schema = Schema::new(vec![Field::new("value", DataType::Utf8, true)]);
    let rows = pinned.rows(&Shape::new(Arc::new(schema))).unwrap();
    assert_eq!(rows.batch.num_rows(), rows.records.len());
    let text = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
    let of = |record: SourceRecord<'_>| ((record.partition, record.offset), text(record.value.unwrap()));
    rows.records.iter().map(of).collect()
}

fn offset(positions: &Offsets, index: u32) -> i64 {
    positions.get("t").and_then(|partitions| partitions.get(&index)).copied().unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn committed_records_come_once_and_in_order(steps in steps(), takes in takes()) {
        let mut log = Log::new();
        futures::executor::block_on(async {
            for (index, step) in &steps {
                log.apply(*index, step).await;
            }
        });
        let mut source = log.source();
        let (mut positions, mut found) = (Offsets::new(), BTreeMap::new());
        for turn in 0.. {
            let (rows, bytes, opened) = takes[turn as usize % takes.len()];
            if opened {
                source = log.source();
            }
            let limits = Limits { rows, bytes, until: None };
            let pinned = source.take(&positions, &limits, turn).unwrap();
            if pinned.is_empty() {
                break;
            }
            let ranges = pinned.ranges.clone();
            for (index, (from, to)) in &ranges["t"] {
                prop_assert_eq!(*from, offset(&positions, *index));
                prop_assert!(from < to && to - from <= rows as i64);
            }
            pinned.advance(&mut positions);
            let read_now = read(pinned);
            prop_assert!(read_now.is_sorted());
            prop_assert!(read_now.len() <= rows.min(bytes as u64) as usize);
            prop_assert_eq!(&read_now, &read(source.take_again(&ranges).unwrap()));
            found.extend(read_now);
        }
        prop_assert_eq!(found, log.stable());
        for index in 0..2 {
            prop_assert_eq!(offset(&positions, index), log.partition(index).last_stable_offset());
        }
    }
}
