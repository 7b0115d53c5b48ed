//! What a broker does with every batch that a producer sends, in nanoseconds per batch.
//!
//! ```text
//! cargo run --release -p record --example batch
//! ```
//!
//! Records have a value of 100 bytes and no key. Each figure is the best of many short runs: what disturbs one only
//! makes it slower.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement reads a clock and prints"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use record::{Batch, BatchBuilder, Compression, Producer};

const RUN: Duration = Duration::from_millis(200);
const BATCH: Duration = Duration::from_micros(100);
const UNCOMPRESSED_MAX: usize = 64 << 20;

fn main() {
    println!("{:<28} {:>10} {:>10} {:>10} {:>12}", "batch", "parse", "crc", "validate", "ns/record");
    for (name, records) in [("1 KiB", 9), ("16 KiB", 148), ("1 MiB", 9_500)] {
        for codec in Compression::ALL {
            let bytes = batch(codec, records);
            let parse = nanos(|| {
                black_box(Batch::parse(black_box(&bytes)).expect("an honest batch"));
            });
            let batch = Batch::parse(&bytes).expect("an honest batch");
            let crc = nanos(|| black_box(&batch).verify_crc().expect("an honest batch"));
            let valid = nanos(|| black_box(&batch).validate(UNCOMPRESSED_MAX).expect("an honest batch"));
            let name = format!("{name}, {codec} ({} B)", bytes.len());
            println!(
                "{name:<28} {parse:>10.0} {crc:>10.0} {valid:>10.0} {:>12.2}",
                valid / f64::from(records)
            );
        }
    }
}

fn batch(codec: Compression, records: i32) -> Bytes {
    let mut builder = BatchBuilder::new(codec, Producer::NONE);
    for i in 0..records {
        // Letters and numbers, which compress as events do: to about a third.
        let mut value =
            format!("sensor-{} reading {:08x} ", i % 17, i.wrapping_mul(0x9e37_79b1_u32.cast_signed()));
        value.extend(std::iter::repeat_n('x', 100 - value.len()));
        builder.push(1_700_000_000_000 + i64::from(i), None, Some(value.as_bytes()), &[]);
    }
    builder.build()
}

fn nanos(mut work: impl FnMut()) -> f64 {
    let mut run = |count: u32| {
        let start = Instant::now();
        for _ in 0..count {
            work();
        }
        start.elapsed()
    };
    let mut count = 1;
    while run(count) < BATCH {
        count *= 2;
    }
    let (start, mut best) = (Instant::now(), Duration::MAX);
    while start.elapsed() < RUN {
        best = best.min(run(count));
    }
    best.as_secs_f64() * 1e9 / f64::from(count)
}
