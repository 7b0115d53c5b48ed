//! What a snapshot keeps, and what is not a snapshot.

use std::collections::BTreeMap;

use ml::{Batch, Features, Model, Schema, SnapshotError, Task, create};
use proptest::prelude::*;

fn learned(batches: &[Vec<f64>], k: &str) -> Model {
    let options = BTreeMap::from([
        ("k".to_owned(), k.to_owned()),
        ("init_rows".to_owned(), "12".to_owned()),
        ("half_life".to_owned(), "20 points".to_owned()),
    ]);
    let mut model = create("streaming_kmeans", &options, Schema::default()).expect("valid options");
    for batch in batches {
        model.learn(&Batch::vectors(Features::dense(&batch[..], 2).expect("whole rows")));
    }
    model
}

/// A model written by version 1 of both layouts. It must load for ever; a new layout gets a new version.
const VERSION_1: &str = "504c4d4c01001073747265616d696e675f6b6d65616e730100b3000000000000000200000000000000000000000000ec3f00\
070000000000000000000000000000000204000000000000000000000000000000000000000000f03f000000000000224000\
0000000000f8bf0200000000000000000000000000f03f000000000000004002000000000000000200000000000000010400\
000000000000111111111111e13f888888888888f83f46175d74d145214046175d74d145ff3f020000000000000000000000\
0000fe3f00000000000006401ea4cfc9";

#[test]
fn the_first_layout_still_loads() {
    let options = BTreeMap::from([
        ("k".to_owned(), "2".to_owned()),
        ("decay_factor".to_owned(), "0.875".to_owned()),
        ("initial_centers".to_owned(), "[[0, 1], [9, -1.5]]".to_owned()),
        ("initial_weights".to_owned(), "[1, 2]".to_owned()),
        ("seed".to_owned(), "7".to_owned()),
    ]);
    let mut model = create("streaming_kmeans", &options, Schema::default()).unwrap();
    model.learn(&Batch::vectors(Features::dense(&[1.0, 2.0, 8.0, 8.0][..], 2).unwrap()));
    let Task::Cluster(learner) = model.task() else { panic!("k-means groups rows") };
    let hex: String = learner.snapshot().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, VERSION_1);
    let stored: Vec<u8> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&VERSION_1[at..at + 2], 16).unwrap()).collect();
    assert_eq!(Model::restore(&stored).unwrap().describe(), model.describe());
}

#[test]
fn bytes_that_are_no_model_say_what_they_are() {
    assert_eq!(Model::restore(b"").unwrap_err(), SnapshotError::NotASnapshot);
    assert_eq!(Model::restore(b"{\"k\": 3}").unwrap_err(), SnapshotError::NotASnapshot);
    let mut snapshot = learned(&[vec![0.0; 40]], "3").snapshot();
    let last = snapshot.len() - 1;
    snapshot[last] ^= 1;
    let message = Model::restore(&snapshot).unwrap_err().to_string();
    assert!(message.starts_with("model snapshot is damaged: checksum"), "{message}");
    snapshot[4] = 9;
    let message = Model::restore(&snapshot).unwrap_err().to_string();
    assert_eq!(message, "model snapshot has frame version 9, this build reads up to 1");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_restart_anywhere_changes_nothing(
        batches in prop::collection::vec(prop::collection::vec(-1e6..1e6_f64, 2..40), 1..12),
        stop in 0..12_usize,
    ) {
        let batches: Vec<Vec<f64>> =
            batches.into_iter().map(|mut batch| { batch.truncate(batch.len() / 2 * 2); batch }).collect();
        let stop = stop.min(batches.len());
        let whole = learned(&batches, "3");
        let mut resumed = Model::restore(&learned(&batches[..stop], "3").snapshot()).unwrap();
        for batch in &batches[stop..] {
            resumed.learn(&Batch::vectors(Features::dense(&batch[..], 2).unwrap()));
        }
        prop_assert_eq!(resumed.snapshot(), whole.snapshot());
    }

    /// Damage that repairs its checksum still meets an error or a usable model, never a panic.
    #[test]
    fn forged_states_do_not_panic(at in 28..300_usize, value in any::<u8>()) {
        for rows in [4, 40] {
            let mut forged = learned(&[vec![1.5; rows]], "3").snapshot();
            let body = forged.len() - 4;
            forged[at % body] = value;
            let crc = crc32c::crc32c(&forged[..body]).to_le_bytes();
            forged[body..].copy_from_slice(&crc);
            if let Ok(mut model) = Model::restore(&forged) {
                model.learn(&Batch::vectors(Features::dense(&[1.0, 2.0][..], 2).unwrap()));
                let _ = model.predict(&Batch::vectors(Features::dense(&[1.0, 2.0][..], 2).unwrap()));
                prop_assert!(Model::restore(&model.snapshot()).is_ok());
            }
        }
    }
}
