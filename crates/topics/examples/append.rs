//! What one appended batch costs in CPU time, client's check and writer together.
//!
//! `cargo run --release -p topics --example append` (or without `--release`: these crates are optimised in both).

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::time::Duration;

use bytes::Bytes;
use env::Env;
use record::{BatchBuilder, Compression, Producer};
use topics::{Acks, Config, Topics};

/// Appends that are on their way at the same time.
const IN_FLIGHT: usize = 64;
const RECORD_BYTES: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    for (name, batch_bytes, batches, acks) in [
        ("1 KiB, acks=1", 1 << 10, 200_000, Acks::Leader),
        ("16 KiB, acks=1", 16 << 10, 40_000, Acks::Leader),
        ("1 KiB, acks=all", 1 << 10, 20_000, Acks::All),
        ("16 KiB, acks=all", 16 << 10, 10_000, Acks::All),
    ] {
        let data = dir.path().join(name.replace([' ', ',', '='], "-"));
        runtime.block_on(measure(name, Config::new(&data), &batch(batch_bytes), batches, acks))?;
        fs::remove_dir_all(&data)?;
    }
    Ok(())
}

async fn measure(
    name: &str,
    config: Config,
    batch: &Bytes,
    batches: usize,
    acks: Acks,
) -> Result<(), Box<dyn Error>> {
    let env = Env::real();
    let clock = env.clock.clone();
    let (topics, _) = Topics::open(config, env)?;
    let partition =
        topics.create("bench", 1, BTreeMap::new())?.partition(0).ok_or("partition 0 is missing")?;
    let (wall, cpu) = (clock.monotonic(), cpu_time()?);
    let mut waiting = std::collections::VecDeque::with_capacity(IN_FLIGHT);
    for _ in 0..batches {
        if waiting.len() == IN_FLIGHT
            && let Some(oldest) = waiting.pop_front()
        {
            let oldest: topics::AppendFuture = oldest;
            oldest.await?;
        }
        waiting.push_back(partition.enqueue(batch.clone(), acks)?);
    }
    for future in waiting {
        future.await?;
    }
    let (wall, cpu) = (clock.monotonic() - wall, cpu_time()? - cpu);
    report(name, batch.len(), batches, wall, cpu);
    topics.close()?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "printing is what this example is for")]
fn report(name: &str, batch_bytes: usize, batches: usize, wall: Duration, cpu: Duration) {
    let each = |time: Duration| time.as_secs_f64() * 1e6 / batches as f64;
    let megabytes = (batch_bytes * batches) as f64 / 1e6;
    println!(
        "{name:18} {batches:7} batches of {batch_bytes:5} B: {:6.2} CPU-us, {:7.2} us each, {:6.0} MB/s",
        each(cpu),
        each(wall),
        megabytes / wall.as_secs_f64()
    );
}

fn batch(bytes: usize) -> Bytes {
    let mut builder = BatchBuilder::new(Compression::None, Producer::NONE);
    let value = [b'v'; RECORD_BYTES];
    for _ in 0..bytes / (RECORD_BYTES + 7) {
        builder.push(1_700_000_000_000, None, Some(&value), &[]);
    }
    builder.build()
}

/// User and system time of this process, in the kernel's ticks of 10 ms.
fn cpu_time() -> Result<Duration, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit_once(')').ok_or("unexpected /proc/self/stat")?.1;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 10))
}
