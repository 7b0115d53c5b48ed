use super::*;
use crate::row::SparseRow;

fn model<E: Event>(options: &[(&str, &str)]) -> CountingNaiveBayes<E> {
    let options = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    CountingNaiveBayes::from_options(&options, &Schema::vector(Some(Label::Class))).unwrap()
}

/// Ten rows of counts of four terms, and their classes.
fn lessons() -> impl Iterator<Item = (Vec<f64>, u32)> {
    let count =
        |i: usize, j: usize| if (i + j).is_multiple_of(3) { 0.0 } else { ((i * 7 + j * 3) % 5) as f64 };
    (0..10).map(move |i| ((0..4).map(|j| count(i, j)).collect(), (i % 3) as u32))
}

fn ask<E: Event>(bayes: &CountingNaiveBayes<E>, row: Row<'_>) -> Vec<f64> {
    let mut shares = Vec::new();
    assert!(bayes.predict_proba_one(row, &mut shares));
    shares
}

/// Holds the answers to two questions against those of River 0.26.1, made as
/// `learn_one(dict(enumerate(row)), class)` for all rows, then `predict_proba_one(dict(enumerate(question)))`.
fn answers_as_river<E: Event>(options: &[(&str, &str)], expected: [[f64; 3]; 2]) {
    let mut bayes = model::<E>(options);
    for (row, class) in lessons() {
        bayes.learn_one(Row::from(&row[..]), class, 1.0).unwrap();
    }
    for (question, expected) in [[1.0, 0.0, 2.0, 0.0], [0.0, 3.0, 0.0, 1.0]].iter().zip(expected) {
        let shares = ask(&bayes, Row::from(&question[..]));
        let same = shares.iter().zip(expected).all(|(share, expected)| (share - expected).abs() < 1e-12);
        assert!(same, "{} {question:?}: {shares:?}, not {expected:?}", E::NAME);
    }
}

/// `MultinomialNB(alpha=0.5)`, `BernoulliNB(alpha=0.5, true_threshold=1.0)`, `ComplementNB(alpha=0.5)`.
#[test]
fn they_answer_as_river_does() {
    answers_as_river::<Multinomial>(
        &[("alpha", "0.5")],
        [
            [0.39604721071877635, 0.01279744388376997, 0.591155345397454],
            [0.5934433891329209, 0.40395339998122787, 0.0026032108858510105],
        ],
    );
    answers_as_river::<Bernoulli>(
        &[("alpha", "0.5"), ("true_threshold", "1")],
        [
            [0.8243080928960357, 0.007985995870380888, 0.16770591123358358],
            [0.8278340010969006, 0.07859752126440787, 0.09356847763869142],
        ],
    );
    answers_as_river::<Complement>(
        &[("alpha", "0.5")],
        [
            [0.71723224789683, 0.12709652378867642, 0.15567122831449395],
            [0.8284844337078695, 0.10411282095893314, 0.0674027453331974],
        ],
    );
}

#[test]
fn a_sparse_row_counts_what_it_lists() {
    let mut bayes = model::<Multinomial>(&[]);
    for (columns, class) in [([3, 70_000], 0), ([5, 70_000], 1)] {
        let row = SparseRow::new(100_000, &columns, &[1.0, 1.0]).unwrap();
        bayes.learn_one(Row::from(row), class, 1.0).unwrap();
    }
    let question = SparseRow::new(100_000, &[3], &[1.0]).unwrap();
    // (1 + 1) / (2 + 3) against (0 + 1) / (2 + 3): three terms were ever listed.
    let shares = ask(&bayes, Row::from(question));
    assert!((shares[0] - 2.0 / 3.0).abs() < 1e-12, "{shares:?}");
    assert_eq!(bayes.summary()["terms"], 3);
}

#[test]
fn an_absent_term_matters_only_to_bernoulli() {
    let mut bernoulli = model::<Bernoulli>(&[]);
    let mut complement = model::<Complement>(&[]);
    for (row, class) in [([1.0, 1.0], 0), ([1.0, f64::NAN], 1), ([1.0, -3.0], 1)] {
        bernoulli.learn_one(Row::from(&row[..]), class, 1.0).unwrap();
        complement.learn_one(Row::from(&row[..]), class, 1.0).unwrap();
    }
    let (with, without) = (Row::from(&[1.0, 1.0][..]), Row::from(&[1.0, 0.0][..]));
    assert!(ask(&bernoulli, without)[1] > ask(&bernoulli, with)[1] + 0.3);
    assert_eq!(bernoulli.counts.rows, [1.0, 2.0]);
    assert_eq!(complement.counts.cells, [1.0, 1.0, 2.0, 0.0]);
}

#[test]
fn rows_of_names_and_absurd_options_are_refused() {
    let none = BTreeMap::new();
    let schema = Schema::vector(Some(Label::Number));
    assert!(MultinomialNaiveBayes::from_options(&none, &schema).is_err());
    let threshold = BTreeMap::from([("true_threshold".to_owned(), "1".to_owned())]);
    let schema = Schema::vector(Some(Label::Class));
    assert!(MultinomialNaiveBayes::from_options(&threshold, &schema).is_err());
    assert!(BernoulliNaiveBayes::from_options(&threshold, &schema).is_ok());
    let mut wide = model::<Multinomial>(&[]);
    let row = SparseRow::new(CELLS_MAX, &[1], &[1.0]).unwrap();
    assert_eq!(wide.learn_one(Row::from(row), 1, 1.0), Err(Rejection::TooManyCategories { limit: 1 }));
    assert_eq!(wide, model::<Multinomial>(&[]));
}
