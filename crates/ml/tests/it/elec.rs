//! Two thousand rows of ELEC, and what a learner reaches on them, each row asked about before it is learned.

use std::collections::BTreeMap;

use ml::{Batch, Features, Label, Labels, Model, Schema, create};

const COLUMNS: usize = 6;

/// The values of all rows, and their classes.
pub(crate) fn rows() -> (Vec<f64>, Vec<&'static str>) {
    let text = include_str!("../data/elec_tiny.csv");
    let (mut values, mut classes) = (Vec::new(), Vec::new());
    for line in text.lines().skip(1) {
        let (numbers, class) = line.rsplit_once(',').expect("columns and a class");
        values.extend(numbers.split(',').map(|number| number.parse::<f64>().expect("a number")));
        classes.push(class);
    }
    assert_eq!((values.len(), classes.len()), (COLUMNS * 2_000, 2_000));
    (values, classes)
}

/// A model that learned all rows, in batches of 100.
pub(crate) fn taught(algorithm: &str, options: &[(&str, &str)]) -> Model {
    let (values, classes) = rows();
    let words: Vec<Option<&str>> = classes.into_iter().map(Some).collect();
    let options: BTreeMap<String, String> =
        options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let mut model = create(algorithm, &options, Schema::vector(Some(Label::Class))).expect("good options");
    for (values, words) in values.chunks(100 * COLUMNS).zip(words.chunks(100)) {
        let rows = Features::dense(values, COLUMNS).expect("whole rows");
        let report = model.learn(&Batch::vectors(rows).with_labels(Labels::Classes(words)));
        assert_eq!(report.learned, words.len());
    }
    model
}

/// How many of 100 rows were named rightly before they were learned.
pub(crate) fn accuracy(algorithm: &str, options: &[(&str, &str)]) -> f64 {
    let figures = taught(algorithm, options).evaluation();
    100.0 * figures["overall"]["accuracy"].as_f64().expect("rows were judged")
}
