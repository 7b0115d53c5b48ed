//! What a pass of compaction costs: `cargo run --release -p topics --example compact -- [MEGABYTES] [KEYS] [CODEC]`.
//!
//! Fills a compacted topic with records of 100 bytes, 100 to a batch, keys at random, and cleans it: once all of it, and
//! once more after a tenth as much was added. Prints MB/s of segments read to be written anew, processor time, the
//! memory of the keys, and the greatest size of the process.

#![allow(clippy::print_stdout, reason = "the figures are what the caller wants to read")]

use std::collections::BTreeMap;
use std::fs;

use env::{Clock, Env};
use record::{BatchBuilder, Compression, Producer};
use topics::{Acks, Config, Partition, Topics};

const RECORDS: usize = 100;
const TICKS_PER_SECOND: f64 = 100.0;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let megabytes: usize = arguments.next().as_deref().unwrap_or("500").parse()?;
    let keys: u64 = arguments.next().as_deref().unwrap_or("1000000").parse()?;
    let codec: Compression = arguments.next().as_deref().unwrap_or("none").parse()?;
    let dir = tempfile::tempdir()?;
    let env = Env::real();
    let (topics, _) = Topics::open(Config::new(dir.path()), env.clone())?;
    let settings =
        [("cleanup.policy", "compact"), ("segment.bytes", "67108864"), ("min.cleanable.dirty.ratio", "0")];
    let settings: BTreeMap<String, String> =
        settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let partition = topics.create("t", 1, settings)?.partition(0).ok_or("no partition")?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut filler = Filler { keys, codec, state: 7, now_ms: env.clock.now_ms() };
    runtime.block_on(filler.fill(&partition, megabytes))?;
    clean(&topics, &partition, &*env.clock, "first pass");
    runtime.block_on(filler.fill(&partition, megabytes / 10))?;
    clean(&topics, &partition, &*env.clock, "a tenth more");
    topics.close()?;
    Ok(())
}

struct Filler {
    keys: u64,
    codec: Compression,
    state: u64,
    now_ms: i64,
}

impl Filler {
    async fn fill(
        &mut self,
        partition: &Partition,
        megabytes: usize,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let mut written = 0;
        while written < megabytes << 20 {
            let mut builder = BatchBuilder::new(self.codec, Producer::NONE);
            for _ in 0..RECORDS {
                self.state = self
                    .state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let key = format!("key-{:012}", (self.state >> 33) % self.keys);
                let value = format!("{:076}", self.state);
                builder.push(self.now_ms, Some(key.as_bytes()), Some(value.as_bytes()), &[]);
            }
            let batch = builder.build();
            written += batch.len();
            partition.enqueue(batch, Acks::Leader)?.await?;
        }
        Ok(())
    }
}

fn clean(topics: &Topics, partition: &Partition, clock: &dyn Clock, name: &str) {
    let (size, cpu, start) = (partition.size_bytes(), cpu_seconds(), clock.monotonic());
    let cleaned = topics.clean(clock.now_ms());
    let seconds = (clock.monotonic() - start).as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let megabytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    println!(
        "{name}: {:.0} MB -> {:.0} MB in {seconds:.2} s = {:.0} MB/s, {:.2} s of processor, keys {:.0} MB, process {:.0} MB",
        megabytes(size),
        megabytes(partition.size_bytes()),
        megabytes(cleaned.bytes_before) / seconds,
        cpu_seconds() - cpu,
        megabytes(cleaned.key_map_bytes as u64),
        peak_megabytes(),
    );
}

/// User and system time of this process, from `/proc`.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or_default();
    (ticks(11) + ticks(12)) / TICKS_PER_SECOND
}

fn peak_megabytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or_default() / 1024.0
}
