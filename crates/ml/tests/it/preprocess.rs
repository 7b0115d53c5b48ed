//! Steps before a learner: what they give it, and that a refused row teaches none of them.

use std::collections::BTreeMap;

use ml::check::Contract;
use ml::{
    Batch, Column, ColumnValues, Columns, Kind, Label, Labels, Model, Predictions, Rejection, Row, RowBuffer,
    Schema, SparseRow, Transformer, create,
};
use serde_json::json;

fn options(preprocess: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("preprocess".to_owned(), preprocess.to_owned())])
}

fn shop() -> Schema {
    let column = |name: &str, kind| Column { name: name.to_owned(), kind };
    let columns = vec![column("price", Kind::Number), column("colour", Kind::Category)];
    Schema { columns, label: Some(Label::Class) }
}

#[test]
fn pipelines_keep_the_contract() {
    for preprocess in [
        "standard_scaler",
        "min_max_scaler",
        "impute",
        "impute(strategy=constant, value=3), standard_scaler",
        "impute(strategy=previous), min_max_scaler, standard_scaler(with_std=false)",
        "robust_scaler(q_inf=0.1), normalizer",
        "max_abs_scaler, normalizer(order=1), polynomial(degree=3)",
        "variance_threshold(threshold=0.5, min_samples=10), max_abs_scaler",
        "hashing(n_features=32), max_abs_scaler",
    ] {
        let make = || {
            let mut options = options(preprocess);
            options.insert("evaluation_window".to_owned(), "50".to_owned());
            create("logistic_regression", &options, Schema::vector(Some(Label::Class))).expect("good options")
        };
        let contract = Contract { make: &make, dim: 3, snapshot_bytes_max: 20_000 };
        contract.check().unwrap_or_else(|violation| panic!("{preprocess}: {violation}"));
    }
}

fn learn(
    model: &mut Model,
    prices: &[f64],
    colours: &[Option<&str>],
    labels: &[Option<&str>],
) -> Vec<(usize, Rejection)> {
    let columns = [ColumnValues::Numbers(prices), ColumnValues::Words(colours)];
    let batch = Batch::new(Columns::Table(&columns), Some(Labels::Classes(labels)));
    model.learn(&batch).rejected.iter().map(|row| (row.row, row.reason)).collect()
}

#[test]
fn categories_reach_a_linear_model_as_columns() {
    let mut model =
        create("logistic_regression", &options("standard_scaler, one_hot"), shop()).expect("good options");
    let colours: Vec<Option<&str>> = (0..400).map(|row| Some(["red", "blue", "green"][row % 3])).collect();
    let labels: Vec<Option<&str>> =
        (0..400).map(|row| Some(if row % 3 == 1 { "yes" } else { "no" })).collect();
    assert_eq!(learn(&mut model, &vec![1.0; 400], &colours, &labels), []);
    let asked = [Some("red"), Some("blue"), Some("green"), Some("never seen"), None];
    let columns = [ColumnValues::Numbers(&[1.0; 5]), ColumnValues::Words(&asked)];
    let question = Batch::new(Columns::Table(&columns), None);
    let Predictions::Classes(answers) = model.predict(&question) else { panic!("it names classes") };
    let words: Vec<_> = answers.iter().map(|code| code.and_then(|code| model.class(code))).collect();
    assert_eq!(words[..3], [Some("no"), Some("yes"), Some("no")]);
    assert!(words[3].is_some() && words[4].is_some(), "an unknown colour is none of the known ones");
}

#[test]
fn a_missing_number_is_filled_or_its_row_teaches_nobody() {
    let prices = [1.0, f64::NAN, 3.0];
    let (colours, labels) = ([Some("red"); 3], [Some("yes"), Some("no"), Some("no")]);
    let mut model =
        create("logistic_regression", &options("standard_scaler, one_hot"), shop()).expect("good options");
    assert_eq!(learn(&mut model, &prices, &colours, &labels), [(1, Rejection::NotFinite { column: 0 })]);
    let mut clean =
        create("logistic_regression", &options("standard_scaler, one_hot"), shop()).expect("good options");
    learn(&mut clean, &[1.0, 3.0], &colours[..2], &[Some("yes"), Some("no")]);
    assert_eq!(model.snapshot(), clean.snapshot(), "the scaler has not seen the refused row");
    let mut filled = create("logistic_regression", &options("impute, standard_scaler, one_hot"), shop())
        .expect("good options");
    assert_eq!(learn(&mut filled, &prices, &colours, &labels), []);
    assert_eq!(filled.rows_learned(), 3);
}

/// The one step that is asked for, for rows of three numbers.
fn step(preprocess: &str) -> Box<dyn Transformer> {
    let column = |name: &str| Column { name: name.to_owned(), kind: Kind::Number };
    let schema = Schema { columns: ["a", "b", "c"].map(column).to_vec(), label: Some(Label::Class) };
    let model = create("logistic_regression", &options(preprocess), schema).expect("good options");
    model.steps()[0].clone()
}

/// Missing values are equal to each other.
fn bits(row: &RowBuffer) -> Vec<u64> {
    let mut values = Vec::new();
    row.row().append_to(&mut values);
    values.into_iter().map(f64::to_bits).collect()
}

#[test]
fn learning_and_preparing_in_one_go_is_the_same_as_one_after_the_other() {
    let sparse = SparseRow::new(3, &[0, 2], &[5.0, -1.0]).expect("a good row");
    for preprocess in [
        "standard_scaler",
        "standard_scaler(with_std=false)",
        "min_max_scaler",
        "max_abs_scaler",
        "robust_scaler",
        "normalizer",
        "normalizer(order=1)",
        "variance_threshold",
        "impute",
        "polynomial",
    ] {
        let (mut both, mut each) = (step(preprocess), step(preprocess));
        let (mut one, mut other) = (RowBuffer::default(), RowBuffer::default());
        for row in 0..20 {
            let number = f64::from(row * 7 % 11) - 4.0;
            let gap = if row % 4 == 3 { f64::NAN } else { number * number };
            let (wide, narrow) = ([number, gap, 1.0], [number as f32, gap as f32, 1.0]);
            for row in [Row::F64(&wide), Row::F32(&narrow), Row::Sparse(sparse)] {
                let taken = both.learn_and_transform_one(row, &mut one);
                let apart = each.learn_one(row).and_then(|()| each.transform_one(row, &mut other));
                assert_eq!(taken, apart, "{preprocess}");
                assert_eq!(bits(&one), bits(&other), "{preprocess}");
            }
        }
        assert_eq!(both.snapshot(), each.snapshot(), "{preprocess}");
    }
}

#[test]
fn scalers_are_stored_column_by_column() {
    let learned = |preprocess: &str| {
        let mut step = step(preprocess);
        for row in [[1.0, 2.0, f64::NAN], [3.0, 2.0, f64::NAN]] {
            step.learn_one(Row::F64(&row)).expect("a good row");
        }
        step.export()
    };
    let moments = |mean: f64, variance: f64| json!({ "count": 2.0, "mean": mean, "variance": variance });
    let nothing = json!({ "count": 0.0, "mean": 0.0, "variance": 0.0 });
    let stored = learned("standard_scaler");
    assert_eq!(stored["columns"], json!([moments(2.0, 1.0), moments(2.0, 0.0), nothing]));
    assert_eq!(learned("min_max_scaler")["ranges"], json!([[1.0, 3.0], [2.0, 2.0], null]));
    let medians = learned("robust_scaler")["columns"].clone();
    let heights: Vec<_> = (0..3).map(|column| medians[column]["median"]["heights"].clone()).collect();
    assert_eq!(heights, [json!([1.0, 3.0]), json!([2.0, 2.0]), json!([])]);
}
