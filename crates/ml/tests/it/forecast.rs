//! Forecasters keep the contract, with rows beside the series and without.

use std::collections::BTreeMap;

use ml::check::Contract;
use ml::{Batch, Columns, Label, Labels, Schema, create};

#[test]
fn forecasters_keep_the_contract() {
    let variants: &[(&str, &[(&str, &str)])] = &[
        ("holt_winters", &[]),
        ("holt_winters", &[("alpha", "0.9"), ("beta", "0.3"), ("gamma", "0.2"), ("seasonality", "5")]),
        (
            "holt_winters",
            &[("beta", "0.3"), ("gamma", "0.2"), ("seasonality", "5"), ("multiplicative", "true")],
        ),
        ("seasonal_naive", &[("seasonality", "5")]),
        ("snarimax", &[]),
        (
            "snarimax",
            &[("p", "3"), ("d", "1"), ("q", "2"), ("m", "5"), ("sp", "1"), ("sd", "1"), ("sq", "2")],
        ),
    ];
    for (algorithm, variant) in variants {
        let options: BTreeMap<String, String> =
            variant.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        for dim in [1, 4] {
            let make = || create(algorithm, &options, Schema::vector(Some(Label::Number))).unwrap();
            let contract = Contract { make: &make, dim, snapshot_bytes_max: 40_000 };
            contract.check().unwrap_or_else(|violation| panic!("{algorithm} {variant:?} {dim}: {violation}"));
        }
    }
}

#[test]
fn a_series_alone_needs_no_columns() {
    let mut model = create("holt_winters", &BTreeMap::new(), Schema::vector(Some(Label::Number))).unwrap();
    let values = [1.0, f64::NAN, 3.0, f64::INFINITY, 2.0];
    let batch = Batch::new(Columns::Table(&[]), Some(Labels::Numbers(&values)));
    let report = model.learn(&batch);
    assert_eq!((report.learned, report.rejected.len()), (3, 2));
    assert_eq!((report.rejected[0].row, report.rejected[1].row), (1, 3));
    assert_eq!(model.forecast(2).unwrap().len(), 2);
    assert_eq!(model.forecast(usize::MAX).unwrap().len(), ml::model::forecast::HORIZON_MAX);
}
