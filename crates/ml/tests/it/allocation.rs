//! A learner that has met its rows needs no more memory for the next ones: neither to answer them nor to learn them.

use ml::{Features, Label, Row, Schema, Task, create, registry};

const COLUMNS: usize = 8;
const WARM: usize = 3_000;
const ROWS: usize = 1_000;

/// Learners that draw up their clusters anew every hundredth row, or less often.
const GROUPING: [&str; 3] = ["birch", "clustream", "denstream"];

/// A learner with options that keep it as large as it is: trees look for splits and find none that is sure. (Where one
/// splits, its leaves need memory.)
fn learner(algorithm: &str, label: Option<Label>) -> Task {
    let given: [&[(&str, &str)]; 6] = [
        &[("threshold", "0.5"), ("detector", "half_space_trees")],
        &[("tau", "0"), ("delta", "1e-300"), ("drift_detection", "false"), ("max_features", "all")],
        &[("tau", "0"), ("delta", "1e-300"), ("adwin_delta", "1e-12")],
        &[("tau", "0"), ("delta", "1e-300"), ("warm_start", "1000000")],
        &[("tau", "0"), ("delta", "1e-300")],
        &[],
    ];
    let options =
        given.map(|pairs| pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect());
    let made = options.iter().find_map(|options| create(algorithm, options, Schema::vector(label)).ok());
    made.expect("no other option is needed").task().clone()
}

/// Rows of eight numbers: anywhere, or close around three centres where there is no label.
fn values(label: Option<Label>, count: usize) -> Vec<f64> {
    let mut random = ml::random::Random::new(1);
    let value = |place: usize| {
        let center = (place / COLUMNS % 3) as f64;
        let number = random.uniform();
        if label.is_some() { number } else { center + 0.01 * number }
    };
    (0..COLUMNS * count).map(value).collect()
}

/// What is to be told. Two columns say as much of it, so that no tree for numbers is sure of either.
fn number(row: &[f64]) -> f64 {
    row[0] + row[1]
}

fn ask(task: &Task, row: Row<'_>, shares: &mut Vec<f64>) {
    match task {
        Task::Classify(learner) => drop(learner.predict_proba_one(row, shares)),
        Task::Regress(learner) => drop(learner.predict_one(row)),
        Task::Forecast(learner) => drop(learner.predict_one(row)),
        Task::Detect(learner) => drop(learner.score_one(row)),
        Task::Cluster(learner) => drop(learner.predict_one(row)),
    }
}

fn teach(task: &mut Task, row: Row<'_>, number: f64) {
    let taken = match task {
        // Chance, as far as anyone can see.
        Task::Classify(learner) => learner.learn_one(row, u32::from((number * 1e3).fract() < 0.5), 1.0),
        Task::Regress(learner) => learner.learn_one(row, number, 1.0),
        Task::Forecast(learner) => learner.learn_one(row, number),
        Task::Detect(learner) => learner.learn_one(row),
        Task::Cluster(learner) => learner.learn_one(row),
    };
    taken.expect("a good row");
}

/// How many rows needed memory to be answered, and how many to be learned.
fn needy(task: &mut Task, values: &[f64], wide: bool) -> [usize; 2] {
    let narrow: Vec<f32> = values.iter().map(|&value| value as f32).collect();
    let rows = values.chunks(COLUMNS).zip(narrow.chunks(COLUMNS));
    let mut shares = Vec::with_capacity(8);
    let mut counts = [0, 0];
    for (values, narrow) in rows {
        let row = if wide { Row::F64(values) } else { Row::F32(narrow) };
        let asked = allocation_counter::measure(|| ask(task, row, &mut shares));
        let taught = allocation_counter::measure(|| teach(task, row, number(values)));
        counts[0] += usize::from(asked.count_total > 0);
        counts[1] += usize::from(taught.count_total > 0);
    }
    counts
}

/// How often many rows, asked about as one batch, needed memory.
fn asked_together(task: &Task, values: &[f64]) -> u64 {
    let rows = Features::dense(values, COLUMNS).expect("whole rows");
    let asked = allocation_counter::measure(|| match task {
        Task::Classify(learner) => drop(learner.predict_many(rows)),
        Task::Regress(learner) => drop(learner.predict_many(rows)),
        Task::Forecast(learner) => drop(learner.predict_many(rows)),
        Task::Detect(learner) => drop(learner.score_many(rows)),
        Task::Cluster(learner) => drop(learner.predict_many(rows)),
    });
    asked.count_total
}

#[test]
fn rows_need_no_memory_of_their_own() {
    let mut wrong = Vec::new();
    for label in [Some(Label::Class), Some(Label::Number), None] {
        let values = values(label, WARM + 2 * ROWS);
        let (warm, rest) = values.split_at(WARM * COLUMNS);
        let (wide, narrow) = rest.split_at(ROWS * COLUMNS);
        for algorithm in registry::algorithms(label) {
            let mut task = learner(algorithm, label);
            warm.chunks(COLUMNS).for_each(|row| teach(&mut task, Row::F64(row), number(row)));
            let may_be_taught = if GROUPING.contains(&algorithm) { ROWS / 100 } else { 0 };
            for (values, is_wide) in [(wide, true), (narrow, false)] {
                // The first row of a kind finds out how much room it takes.
                needy(&mut task, &values[..COLUMNS], is_wide);
                let [asked, taught] = needy(&mut task, values, is_wide);
                if asked > 0 || taught > may_be_taught {
                    wrong.push(format!("{algorithm}: {asked} answers and {taught} lessons of {ROWS}"));
                }
            }
            let together = asked_together(&task, wide);
            if together > ROWS as u64 / 10 {
                wrong.push(format!("{algorithm}: {together} times for a batch of {ROWS} answers"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
