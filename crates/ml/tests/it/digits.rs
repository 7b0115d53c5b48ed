//! Real images: the streamed half of the digits example, as bare pixels.

use std::collections::BTreeMap;

use ml::metric::Contingency;
use ml::{Batch, Features, Model, Predictions, Schema, create};

const STREAM: &str = include_str!("../../../../examples/digits/stream.csv");
const BATCH: usize = 25;

/// Streams the images, restarting from the snapshot before each batch in `restarts`; returns the
/// agreement of the answers given before learning, and the last snapshot.
fn stream(restarts: &[usize]) -> (Contingency, Vec<u8>) {
    let rows: Vec<(&str, Vec<f32>)> = STREAM.lines().skip(1).map(image).collect();
    let options = [("k", "10"), ("half_life", "500 points"), ("dim", "64")];
    let options: BTreeMap<_, _> = options.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let mut model = create("streaming_kmeans", &options, Schema::default()).expect("valid options");
    let mut table = Contingency::default();
    for (index, batch) in rows.chunks(BATCH).enumerate() {
        if restarts.contains(&index) {
            model = Model::restore(&model.snapshot()).expect("a snapshot just taken");
        }
        let values: Vec<f32> = batch.iter().flat_map(|(_, pixels)| pixels.clone()).collect();
        let features = Features::dense(&values[..], 64).expect("64 pixels per image");
        let batch_of_rows = Batch::vectors(features);
        let Predictions::Clusters(clusters) = model.predict(&batch_of_rows) else { panic!("clusters") };
        for (cluster, (label, _)) in clusters.iter().zip(batch) {
            cluster.iter().for_each(|cluster| table.add(*cluster, label));
        }
        assert_eq!(model.learn(&batch_of_rows).learned, batch.len());
    }
    (table, model.snapshot())
}

fn image(line: &'static str) -> (&'static str, Vec<f32>) {
    let mut fields = line.split(',').skip(1);
    let label = fields.next().expect("a label");
    (label, fields.map(|pixel| pixel.parse().expect("a number")).collect())
}

#[test]
fn images_gather_by_digit_and_a_restart_changes_nothing() {
    let (table, snapshot) = stream(&[]);
    // The first 100 images are spent on the start.
    assert_eq!(table.total(), 799);
    let (purity, ari) = (table.purity().unwrap(), table.adjusted_rand_index().unwrap());
    assert!(purity > 0.65 && ari > 0.5, "purity {purity}, adjusted Rand index {ari}");
    let (again, resumed) = stream(&[0, 2, 4, 17, 35]);
    assert_eq!((again, resumed), (table, snapshot));
}
