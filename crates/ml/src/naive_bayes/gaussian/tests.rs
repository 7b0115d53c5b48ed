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
    // Means 2 and 8, sample variances 1 and 2.
    let curve = |x: f64, mean: f64, variance: f64| {
        (-(x - mean) * (x - mean) / (2.0 * variance)).exp() / (std::f64::consts::TAU * variance).sqrt()
    };
    let scores = [0.6 * (1e-9 + curve(4.0, 2.0, 1.0)), 0.4 * (1e-9 + curve(4.0, 8.0, 2.0))];
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
