use super::*;
use crate::schema::Column;

fn model(schema: &Schema) -> GaussianNaiveBayes {
    GaussianNaiveBayes::new(Config::default(), schema).unwrap()
}

#[test]
fn shares_follow_the_formula() {
    let mut bayes = model(&Schema::vector(Some(Label::Class)));
    for (value, class) in [(1.0, 0), (2.0, 0), (3.0, 0), (7.0, 1), (9.0, 1)] {
        bayes.learn_one(Row::from(&[value][..]), class, 1.0).unwrap();
    }
    let mut shares = Vec::new();
    assert!(bayes.predict_proba_one(Row::from(&[4.0][..]), &mut shares));
    // Means 2 and 8, variances 2/3 and 1.
    let curve = |x: f64, mean: f64, variance: f64| {
        (-(x - mean) * (x - mean) / (2.0 * variance)).exp() / (std::f64::consts::TAU * variance).sqrt()
    };
    let scores = [0.6 * (1e-9 + curve(4.0, 2.0, 2.0 / 3.0)), 0.4 * (1e-9 + curve(4.0, 8.0, 1.0))];
    let expected = scores[0] / (scores[0] + scores[1]);
    assert!((shares[0] - expected).abs() < 1e-12, "{shares:?} {expected}");
}

#[test]
fn a_row_of_weight_two_is_the_row_twice() {
    let schema = Schema::vector(Some(Label::Class));
    let (mut once, mut twice) = (model(&schema), model(&schema));
    for (value, class) in [(1.0, 0), (2.5, 1), (3.0, 0), (0.0, 1)] {
        let row = [value, -value];
        once.learn_one(Row::from(&row[..]), class, 2.0).unwrap();
        twice.learn_one(Row::from(&row[..]), class, 1.0).unwrap();
        twice.learn_one(Row::from(&row[..]), class, 1.0).unwrap();
    }
    let (mut a, mut b) = (Vec::new(), Vec::new());
    let question = Row::from(&[0.7, 0.3][..]);
    assert!(once.predict_proba_one(question, &mut a) && twice.predict_proba_one(question, &mut b));
    assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-12), "{a:?} {b:?}");
}

#[test]
fn categories_are_counted_and_missing_values_left_out() {
    let column = |name: &str, kind| Column { name: name.to_owned(), kind };
    let schema = Schema {
        columns: vec![column("size", Kind::Number), column("colour", Kind::Category)],
        label: Some(Label::Class),
    };
    let mut bayes = model(&schema);
    for (size, colour, class) in [(1.0, 0.0, 0), (1.5, 0.0, 0), (1.2, 1.0, 1), (f64::NAN, 1.0, 1)] {
        bayes.learn_one(Row::from(&[size, colour][..]), class, 1.0).unwrap();
    }
    let ask = |row: &[f64]| {
        let mut shares = Vec::new();
        assert!(bayes.predict_proba_one(Row::from(row), &mut shares));
        shares[0]
    };
    // (2 + 1) / (2 + 2) against (0 + 1) / (2 + 2).
    assert!((ask(&[f64::NAN, 0.0]) - 0.75).abs() < 1e-12);
    assert!((ask(&[f64::NAN, f64::NAN]) - 0.5).abs() < 1e-12, "only how frequent they are");
}

/// Ten rows of four columns as in the tests of the counting kind, answered by River 0.26.1's `GaussianNB()`.
#[test]
fn it_answers_as_river_does() {
    let mut bayes = model(&Schema::vector(Some(Label::Class)));
    for i in 0..10_usize {
        let value = |j: usize| if (i + j).is_multiple_of(3) { 0.0 } else { ((i * 7 + j * 3) % 5) as f64 };
        let row: Vec<f64> = (0..4).map(value).collect();
        bayes.learn_one(Row::from(&row[..]), (i % 3) as u32, 1.0).unwrap();
    }
    let expected = [
        [1.0328874167311156e-08, 0.02890437137116793, 0.9710956182999577],
        [1.3950759222200375e-09, 0.000555437087481093, 0.9994445615174447],
    ];
    for (question, expected) in [[1.0, 0.0, 2.0, 0.0], [0.0, 3.0, 0.0, 1.0]].iter().zip(expected) {
        let mut shares = Vec::new();
        assert!(bayes.predict_proba_one(Row::from(&question[..]), &mut shares));
        let same = shares.iter().zip(expected).all(|(share, expected)| (share - expected).abs() < 1e-12);
        assert!(same, "{shares:?}, not {expected:?}");
    }
}

#[test]
fn plain_curves_are_sure_of_what_they_saw() {
    let options = BTreeMap::from([("curves".to_owned(), "plain".to_owned())]);
    let mut bayes = GaussianNaiveBayes::from_options(&options, &Schema::vector(Some(Label::Class))).unwrap();
    for (value, class) in [(1.0, 0), (2.0, 0), (5.0, 1), (5.0, 1), (5.0, 1)] {
        bayes.learn_one(Row::from(&[value][..]), class, 1.0).unwrap();
    }
    let ask = |value: f64| {
        let mut shares = Vec::new();
        assert!(bayes.predict_proba_one(Row::from(&[value][..]), &mut shares));
        shares
    };
    assert_eq!(ask(4.0), [1.0, 0.0], "class 1 was never anything but 5");
    assert!(ask(5.0)[1] > 0.99);
    assert_eq!(ask(1e9), [0.4, 0.6], "no class is possible: how frequent they are");
}

#[test]
fn the_column_that_speaks_for_the_answer_is_named() {
    let mut bayes = model(&Schema::vector(Some(Label::Class)));
    for row in 0..20 {
        let noise = f64::from(row % 5);
        let class = u32::from(row % 2 == 1);
        bayes.learn_one(Row::from(&[noise, 10.0 * f64::from(class) + noise][..]), class, 1.0).unwrap();
    }
    let parts = bayes.explain_one(Row::from(&[2.0, 11.0][..])).unwrap();
    assert_eq!(parts.iter().map(|part| part.0).collect::<Vec<_>>(), [0, 1]);
    assert!(parts[1].1 > 5.0 && parts[0].1.abs() < 1.0, "{parts:?}");
}
