//! How fast topics grow, from one look to the next.

use std::collections::HashMap;

use uuid::Uuid;

use crate::wire;

/// Topics that a status lists.
const TOPICS_MAX: usize = 200;

#[derive(Debug, Default)]
pub(super) struct Gauge {
    ends: HashMap<Uuid, i64>,
    per_second: HashMap<Uuid, f64>,
    looked_ms: Option<i64>,
}

impl Gauge {
    /// Looks again; says how many records were appended since the last look, if there was one.
    pub(super) fn look(&mut self, topics: &topics::Topics, now_ms: i64) -> Option<u64> {
        let before = self.looked_ms.replace(now_ms);
        let seconds = before.map(|before| (now_ms - before).max(1) as f64 / 1_000.0);
        let mut ends = HashMap::new();
        let mut appended = 0;
        self.per_second.clear();
        for topic in topics.list().iter().filter(|topic| !topic.is_internal()) {
            let end: i64 = partitions(topic).map(|partition| partition.high_watermark()).sum();
            // A topic that is new since the last look has grown from nothing.
            let grown = end - self.ends.get(&topic.id()).copied().unwrap_or(0);
            appended += grown.max(0).unsigned_abs();
            if let Some(seconds) = seconds {
                self.per_second.insert(topic.id(), grown.max(0) as f64 / seconds);
            }
            ends.insert(topic.id(), end);
        }
        self.ends = ends;
        before.map(|_| appended)
    }

    /// After a pause, the next look only begins to count.
    pub(super) fn rest(&mut self) {
        *self = Gauge::default();
    }

    pub(super) fn topics(&self, topics: &topics::Topics) -> Vec<wire::Topic> {
        let visible = topics.list().into_iter().filter(|topic| !topic.is_internal()).take(TOPICS_MAX);
        let tell = |topic: topics::Topic| wire::Topic {
            name: topic.name().to_owned(),
            partitions: topic.partition_count(),
            records: partitions(&topic)
                .map(|partition| {
                    (partition.high_watermark() - partition.log_start_offset()).max(0).unsigned_abs()
                })
                .sum(),
            per_second: self.per_second.get(&topic.id()).copied().unwrap_or(0.0),
        };
        visible.map(tell).collect()
    }
}

fn partitions(topic: &topics::Topic) -> impl Iterator<Item = topics::Partition> + '_ {
    (0..topic.partition_count()).filter_map(|index| topic.partition(index))
}
