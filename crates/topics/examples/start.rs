//! How long a store with many partitions takes to create, to close and to open.
//!
//! `cargo run --release -p topics --example start -- 1000`

use std::collections::BTreeMap;
use std::error::Error;

use env::Env;
use record::{BatchBuilder, Compression, Producer};
use topics::{Acks, Config, Topics};

#[expect(clippy::print_stdout, reason = "printing is what this example is for")]
fn main() -> Result<(), Box<dyn Error>> {
    let partitions = std::env::args().nth(1).map_or(Ok(1000), |number| number.parse())?;
    let dir = tempfile::tempdir()?;
    let env = Env::real();
    let clock = env.clock.clone();
    let mut last = clock.monotonic();
    let mut lap = |what: &str| {
        let now = clock.monotonic();
        println!("{what:32} {:8.1} ms", (now - last).as_secs_f64() * 1e3);
        last = now;
    };
    let (topics, _) = Topics::open(Config::new(dir.path()), env.clone())?;
    lap("open an empty store");
    let topic = topics.create("many", partitions, BTreeMap::new())?;
    lap("create the partitions");
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut batch = BatchBuilder::new(Compression::None, Producer::NONE);
    batch.push(0, None, Some(b"value"), &[]);
    let batch = batch.build();
    for index in 0..partitions {
        let partition = topic.partition(index).ok_or("a partition is missing")?;
        runtime.block_on(partition.enqueue(batch.clone(), Acks::Leader)?)?;
    }
    lap("append to each");
    topics.close()?;
    lap("close");
    let (topics, report) = Topics::open(Config::new(dir.path()), env.clone())?;
    lap(if report.clean { "open after a clean stop" } else { "open" });
    drop((topic, topics));
    lap("drop");
    let (topics, report) = Topics::open(Config::new(dir.path()), env)?;
    lap(if report.clean { "open" } else { "open after an unclean stop" });
    topics.close()?;
    Ok(())
}
