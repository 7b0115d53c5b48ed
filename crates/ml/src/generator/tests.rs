//! Shares and means are those of the papers' definitions, which 20,000 rows of River's generators (0.26.1,
//! `river.datasets.synth`, seed 42) have too; some of River's call the other class 1.
//! Agrawal's rules are the paper's: in the fifth, any age and salary asks for a loan in two fifths of its range, and
//! commissions end at 75,000. River's fifth rule is met by half as many, and its commissions go to 85,000.

use super::*;

const ROWS: usize = 20_000;

fn stream(text: &str) -> Box<dyn Generator> {
    create(text, &BTreeMap::new()).unwrap()
}

/// The labels of the first rows.
fn labels(text: &str) -> Vec<f64> {
    let (mut stream, mut row) = (stream(text), Vec::new());
    (0..ROWS).map(|_| stream.next_row(&mut row)).collect()
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

#[test]
fn classes_have_the_shares_that_the_papers_rules_give() {
    let shares = [0.673, 0.384, 0.531, 0.386, 0.4, 0.4, 0.490, 0.980, 0.490, 0.998];
    for (function, expected) in (1..).zip(shares) {
        let share = mean(&labels(&format!("agrawal(function={function})")));
        assert!((share - expected).abs() < 0.015, "agrawal {function}: {share}, not {expected}");
    }
    for (text, expected) in [
        ("sea(function=1, noise=0)", 0.320),
        ("sea(function=2, noise=0)", 0.405),
        ("sea(function=3, noise=0)", 0.245),
        ("sea(function=4, noise=0)", 0.451),
        ("sine(function=1)", 0.460),
        ("sine(function=2)", 0.540),
        ("sine(function=3)", 0.564),
        ("sine(function=4)", 0.436),
        ("stagger(function=1)", 1.0 / 9.0),
        ("stagger(function=2)", 5.0 / 9.0),
        ("stagger(function=3)", 2.0 / 3.0),
        ("hyperplane", 0.5),
    ] {
        let share = mean(&labels(text));
        assert!((share - expected).abs() < 0.012, "{text}: {share}, not {expected}");
    }
}

#[test]
fn friedmans_labels_have_their_mean_and_spread() {
    for concept in 1..=3 {
        let labels = labels(&format!("friedman(concept={concept})"));
        let middle = mean(&labels);
        let deviation = mean(&labels.iter().map(|label| (label - middle).powi(2)).collect::<Vec<_>>()).sqrt();
        assert!((middle - 14.41).abs() < 0.1 && (deviation - 4.97).abs() < 0.1, "{middle} {deviation}");
    }
}

#[test]
fn without_noise_seven_lights_tell_the_digit() {
    let (mut stream, mut row) = (stream("led(noise=0, moved=3)"), Vec::new());
    let mut lights = BTreeMap::new();
    for _ in 0..1_000 {
        let digit = stream.next_row(&mut row);
        assert_eq!(row.len(), 24);
        let seen: Vec<u8> = [7, 8, 9, 3, 4, 5, 6].iter().map(|&at: &usize| row[at] as u8).collect();
        assert_eq!(*lights.entry(seen).or_insert(digit), digit);
    }
    assert_eq!(lights.len(), 10);
}

#[test]
fn every_generator_keeps_to_its_schema_and_to_its_seed() {
    for name in names() {
        let mut one = stream(name);
        let mut twin = stream(&format!("{name}(seed=42)"));
        let mut other = stream(&format!("{name}(seed=43)"));
        let schema = one.schema();
        let (mut row, mut same, mut different) = (Vec::new(), Vec::new(), Vec::new());
        let mut differs = false;
        for _ in 0..200 {
            let label = one.next_row(&mut row);
            assert_eq!((label, row.len()), (twin.next_row(&mut same), schema.columns.len()), "{name}");
            assert_eq!(row, same, "{name}");
            other.next_row(&mut different);
            differs |= row != different;
            for (column, value) in row.iter().enumerate() {
                let code = schema.kind(column) == Kind::Category;
                assert!(
                    value.is_finite() && (!code || *value >= 0.0 && value.fract() == 0.0),
                    "{name}: {value}"
                );
            }
        }
        assert!(differs, "{name} does not heed its seed");
    }
}

#[test]
fn a_random_tree_has_every_class_and_one_answer_for_a_row() {
    let labels = labels("random_tree(classes=4, depth=6)");
    for class in 0..4 {
        assert!(labels.iter().any(|label| *label == f64::from(class)), "class {class}");
    }
    assert_eq!(labels, self::labels("random_tree(classes=4, depth=6)"));
    assert_ne!(labels, self::labels("random_tree(classes=4, depth=6, concept=1)"));
}

#[test]
fn centres_that_wander_stay_in_the_cube() {
    let (mut still, mut moving) = (stream("rbf"), stream("rbf(speed=0.01)"));
    let (mut one, mut other) = (Vec::new(), Vec::new());
    still.next_row(&mut one);
    moving.next_row(&mut other);
    assert_ne!(one, other);
    let mut sum = 0.0;
    for _ in 0..5_000 {
        moving.next_row(&mut other);
        sum += mean(&other);
    }
    assert!((sum / 5_000.0 - 0.5).abs() < 0.1, "{sum}");
}

#[test]
fn a_drift_goes_from_one_concept_to_the_next() {
    let share = |width: &str| {
        let text = "stagger(function=1), stagger(function=3), stagger(function=1)";
        let options = BTreeMap::from([
            ("drift_every".to_owned(), "6000".to_owned()),
            ("drift_width".to_owned(), width.to_owned()),
        ]);
        let (mut stream, mut row) = (create(text, &options).unwrap(), Vec::new());
        let labels: Vec<f64> = (0..18_000).map(|_| stream.next_row(&mut row)).collect();
        labels.chunks(2_000).map(mean).collect::<Vec<_>>()
    };
    let abrupt = share("1");
    for (part, share) in abrupt.iter().enumerate() {
        let expected = if (3..6).contains(&part) { 2.0 / 3.0 } else { 1.0 / 9.0 };
        assert!((share - expected).abs() < 0.04, "{abrupt:?}");
    }
    let gradual = share("4000");
    assert!(gradual[2] > 0.15 && gradual[3] < 0.62 && gradual[0] < 0.13, "{gradual:?}");
}

#[test]
fn what_is_wrong_with_a_description_is_told() {
    for (text, options, said) in [
        ("see", &[][..], "known algorithms: agrawal, friedman"),
        ("sea(function=5)", &[], "a number from 1 to 4"),
        ("sea(function)", &[], "sea(function=2, noise=0.1)"),
        ("sea(funktion=5)", &[], "known options: function, noise, seed"),
        ("sea, sea(function=2)", &[], "drift_every"),
        ("sea, led", &[("drift_every", "10")], "equal columns"),
        ("led(irrelevant=false, moved=2)", &[], "irrelevant=true"),
    ] {
        let options = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let error = create(text, &options).unwrap_err().to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
}
