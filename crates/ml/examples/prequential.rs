//! Streams labelled rows through streaming k-means and says how well it groups them.
//!
//! Lines of `label,value,value,...` come on standard input. They are taken in micro-batches; each row is
//! asked about before its batch is learned, and never learned with its label. Options of the model are
//! given as `name=value`; besides those, `batch=25` rows per micro-batch and `seeds=10` runs.
//!
//! ```text
//! cargo run -p ml --example prequential -- k=10 half_life='500 points' < rows.csv
//! ```

#![expect(clippy::print_stdout, reason = "this is what the program is for")]

use std::collections::BTreeMap;
use std::error::Error;
use std::io::stdin;

use ml::metric::Contingency;
use ml::{Batch, Features, Predictions, Schema, create};

struct Rows {
    labels: Vec<String>,
    values: Vec<f32>,
    dim: usize,
}

/// What one run came to: over the rows that got an answer, and with the last model over all rows.
struct Run {
    unanswered: usize,
    streamed: Contingency,
    last: Contingency,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut options = BTreeMap::new();
    for argument in std::env::args().skip(1) {
        let (name, value) = argument.split_once('=').ok_or("options are written as name=value")?;
        options.insert(name.to_owned(), value.to_owned());
    }
    let batch_len = options.remove("batch").map_or(Ok(25), |text| text.parse())?;
    let seeds: u64 = options.remove("seeds").map_or(Ok(10), |text| text.parse())?;
    let rows = read()?;
    let mut sums = [0.0; 4];
    for seed in 0..seeds {
        options.insert("seed".to_owned(), seed.to_string());
        let run = stream(&rows, batch_len, &options)?;
        let figures = [&run.streamed, &run.last].map(|table| (table.purity(), table.adjusted_rand_index()));
        let [(purity, ari), (last_purity, last_ari)] =
            figures.map(|(p, a)| (p.unwrap_or(0.0), a.unwrap_or(0.0)));
        println!(
            "seed {seed}: {} rows before the first answer; streamed purity {purity:.3} ARI {ari:.3}; \
             last model over all rows {last_purity:.3} {last_ari:.3}",
            run.unanswered
        );
        for (sum, value) in sums.iter_mut().zip([purity, ari, last_purity, last_ari]) {
            *sum += value / seeds as f64;
        }
    }
    println!("mean: purity {:.3} ARI {:.3}; last model {:.3} {:.3}", sums[0], sums[1], sums[2], sums[3]);
    Ok(())
}

fn read() -> Result<Rows, Box<dyn Error>> {
    let mut rows = Rows { labels: Vec::new(), values: Vec::new(), dim: 0 };
    for line in stdin().lines() {
        let line = line?;
        let (label, values) = line.split_once(',').ok_or("a line is a label and values")?;
        let before = rows.values.len();
        for value in values.split(',') {
            rows.values.push(value.trim().parse()?);
        }
        rows.labels.push(label.to_owned());
        rows.dim = rows.values.len() - before;
    }
    Ok(rows)
}

fn stream(rows: &Rows, batch_len: usize, options: &BTreeMap<String, String>) -> Result<Run, Box<dyn Error>> {
    let mut model = create("streaming_kmeans", options, Schema::default())?;
    let mut run = Run { unanswered: 0, streamed: Contingency::default(), last: Contingency::default() };
    let batches = rows.values.chunks(batch_len * rows.dim).zip(rows.labels.chunks(batch_len));
    for (values, labels) in batches {
        let batch = Batch::vectors(Features::dense(values, rows.dim)?);
        run.unanswered += count(&mut run.streamed, &model.predict(&batch), labels);
        model.learn(&batch);
    }
    let all = Batch::vectors(Features::dense(&rows.values[..], rows.dim)?);
    count(&mut run.last, &model.predict(&all), &rows.labels);
    Ok(run)
}

/// Counts the answers; returns how many rows had none.
fn count(table: &mut Contingency, answers: &Predictions, labels: &[String]) -> usize {
    let Predictions::Clusters(clusters) = answers else { return labels.len() };
    for (cluster, label) in clusters.iter().zip(labels) {
        if let Some(cluster) = cluster {
            table.add(*cluster, label);
        }
    }
    clusters.iter().filter(|cluster| cluster.is_none()).count()
}
