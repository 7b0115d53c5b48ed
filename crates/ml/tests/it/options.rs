//! Options that cannot be used are refused with a message that says what would be accepted.

use std::collections::BTreeMap;

use ml::{Batch, Features, Schema, create};

fn error(pairs: &[(&str, &str)]) -> String {
    let options = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    create("streaming_kmeans", &options, Schema::default())
        .map(|model| model.describe())
        .expect_err("such options are refused")
        .to_string()
}

#[test]
fn names_that_do_not_exist_are_answered_with_those_that_do() {
    let message = create("kmeans", &BTreeMap::new(), Schema::default()).unwrap_err().to_string();
    let known = ml::registry::algorithms(None);
    assert!(known.contains(&"streaming_kmeans"));
    assert_eq!(message, format!("unknown algorithm 'kmeans'; known algorithms: {}", known.join(", ")));
    let message = error(&[("halflife", "3 batches")]);
    assert!(
        message.starts_with("unknown option 'halflife' of streaming_kmeans; known options: k, half_life")
    );
}

#[test]
fn values_out_of_range_say_the_range() {
    assert_eq!(error(&[("k", "0")]), "option 'k' is '0', expected a number from 1 to 1024");
    assert_eq!(error(&[("k", "ten")]), "option 'k' is 'ten', expected a number from 1 to 1024");
    assert_eq!(
        error(&[("decay_factor", "1.5")]),
        "option 'decay_factor' is '1.5', expected a number from 0 to 1"
    );
    assert_eq!(
        error(&[("init_rows", "3"), ("k", "10")]),
        "option 'init_rows' is '3', expected a number from k (10) to 100000"
    );
    for (key, value) in [
        ("decay_factor", "NaN"),
        ("half_life", "500"),
        ("half_life", "0 points"),
        ("half_life", "-1 batches"),
        ("half_life", "5 minutes"),
        ("half_life", "inf points"),
        ("seed", "-1"),
        ("seed", "1.5"),
        ("init", "magic"),
        ("dim", "0"),
        ("dim", "99999999"),
        ("initial_centers", "[[1],[2,3]]"),
        ("initial_centers", "[]"),
        ("initial_centers", "[[]]"),
        ("initial_centers", "[[1e200]]"),
        ("initial_centers", "1"),
    ] {
        let message = error(&[(key, value)]);
        assert!(message.contains("expected"), "{key} {value}: {message}");
    }
}

#[test]
fn options_that_contradict_each_other_are_named() {
    let message = error(&[("half_life", "5 batches"), ("decay_factor", "0.5")]);
    assert_eq!(message, "options 'half_life' and 'decay_factor' cannot be given together");
    assert!(error(&[("time_unit", "points")]).contains("only used with 'decay_factor'"));
    assert!(error(&[("init", "random"), ("init_rows", "20")]).contains("only used with"));
    assert!(error(&[("initial_weights", "1")]).contains("only used with"));
    assert!(error(&[("initial_centers", "[[1],[2]]"), ("k", "3")]).contains("expected 2"));
    assert!(error(&[("initial_centers", "[[1],[2]]"), ("dim", "2")]).contains("expected 1"));
    assert!(error(&[("initial_centers", "[[1],[2]]"), ("initial_weights", "[1]")]).contains("expected 2"));
    assert!(error(&[("k", "3"), ("K", "4")]).contains("given twice"));
}

#[test]
fn case_does_not_matter_and_values_are_described() {
    let options = BTreeMap::from([
        ("K".to_owned(), " 3 ".to_owned()),
        ("Half_Life".to_owned(), "5 Batches".to_owned()),
        ("DIM".to_owned(), "2".to_owned()),
    ]);
    let mut model = create("Streaming_KMeans", &options, Schema::default()).unwrap();
    let description = model.describe();
    assert_eq!(description["k"], 3);
    assert_eq!(description["dim"], 2);
    assert_eq!(description["time_unit"], "batches");
    assert_eq!(description["initialised"], false);
    let factor = description["decay_factor"].as_f64().unwrap();
    assert!((factor.powi(5) - 0.5).abs() < 1e-12);
    // A width that was said beforehand protects from a first row that is wrong.
    let report = model.learn(&Batch::vectors(Features::dense(&[1.0_f32][..], 1).unwrap()));
    assert_eq!((report.learned, report.rejected.len()), (0, 1));
    assert_eq!(report.rejected[0].reason.to_string(), "the row has 1 values, the model takes 2");
}
