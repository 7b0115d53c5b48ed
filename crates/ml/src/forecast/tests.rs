//! Values are River 0.26.1's, on the passengers of an airline by month (Box and Jenkins): one step ahead at 100, 101
//! and 102, and what comes after the last by `forecast`.

use std::collections::BTreeMap;

use crate::{Batch, ColumnValues, Columns, Kind, Label, Labels, Model, Predictions, Schema};

const PASSENGERS: [u16; 144] = [
    112, 118, 132, 129, 121, 135, 148, 148, 136, 119, 104, 118, 115, 126, 141, 135, 125, 149, 170, 170, 158,
    133, 114, 140, 145, 150, 178, 163, 172, 178, 199, 199, 184, 162, 146, 166, 171, 180, 193, 181, 183, 218,
    230, 242, 209, 191, 172, 194, 196, 196, 236, 235, 229, 243, 264, 272, 237, 211, 180, 201, 204, 188, 235,
    227, 234, 264, 302, 293, 259, 229, 203, 229, 242, 233, 267, 269, 270, 315, 364, 347, 312, 274, 237, 278,
    284, 277, 317, 313, 318, 374, 413, 405, 355, 306, 271, 306, 315, 301, 356, 348, 355, 422, 465, 467, 404,
    347, 305, 336, 340, 318, 362, 348, 363, 435, 491, 505, 404, 359, 310, 337, 360, 342, 406, 396, 420, 472,
    548, 559, 463, 407, 362, 405, 417, 391, 419, 461, 472, 535, 622, 606, 508, 461, 390, 432,
];

fn passengers() -> Vec<f64> {
    PASSENGERS.map(f64::from).to_vec()
}

fn model(algorithm: &str, options: &[(&str, &str)], columns: &[&str]) -> Model {
    let options = options
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect::<BTreeMap<_, _>>();
    let column = |name: &&str| crate::Column { name: (*name).to_owned(), kind: Kind::Number };
    let schema = Schema { columns: columns.iter().map(column).collect(), label: Some(Label::Number) };
    crate::create(algorithm, &options, schema).unwrap()
}

/// What was expected at 100, 101 and 102, and then the next 14 and what comes of them.
fn run(model: &mut Model) -> Vec<f64> {
    let mut found = Vec::new();
    for (at, value) in passengers().into_iter().enumerate() {
        let labels = [value];
        let batch = Batch::new(Columns::Table(&[]), Some(Labels::Numbers(&labels)));
        let Predictions::Numbers(expected) = model.predict(&batch) else { panic!("numbers") };
        if (100..103).contains(&at) {
            found.push(expected[0].unwrap());
        }
        assert_eq!(model.learn(&batch).learned, 1);
    }
    found.extend(model.forecast(14).unwrap());
    found
}

fn close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found / expected - 1.0).abs() < 1e-9, "{found} instead of {expected}");
    }
}

#[test]
fn a_level_alone() {
    let mut model = model("holt_winters", &[("alpha", "0.3")], &[]);
    let expected = [
        332.2803342457229,
        339.09623397200596,
        363.9673637804042,
        461.7665886331188,
        461.7665886331188,
        461.7665886331188,
        461.7665886331188,
        461.7665886331188,
        461.7665886331188,
        461.7665886331188,
        461.7665886331188,
        461.7665886331188,
        461.7665886331188,
        461.7665886331188,
        461.7665886331188,
        461.7665886331188,
        461.7665886331188,
    ];
    close(&run(&mut model), &expected);
}

#[test]
fn a_level_and_a_trend() {
    let mut model = model("holt_winters", &[("alpha", "0.3"), ("beta", "0.1")], &[]);
    let expected = [
        337.4419614183915,
        344.7411567869196,
        372.26835884128167,
        476.20102712095263,
        476.85369298790863,
        477.50635885486463,
        478.15902472182063,
        478.81169058877657,
        479.46435645573257,
        480.11702232268857,
        480.76968818964457,
        481.42235405660057,
        482.07501992355657,
        482.72768579051257,
        483.38035165746857,
        484.03301752442457,
        484.6856833913805,
    ];
    close(&run(&mut model), &expected);
}

#[test]
fn an_additive_season() {
    let mut model = model(
        "holt_winters",
        &[("alpha", "0.3"), ("beta", "0.1"), ("gamma", "0.6"), ("seasonality", "12")],
        &[],
    );
    let expected = [
        355.6172753841111,
        405.31896595186265,
        446.4186878524662,
        454.4852897096582,
        432.8501808291215,
        476.1881794978846,
        505.88578226355276,
        517.2177431459563,
        577.3618284654389,
        654.9655039732827,
        641.7340930183866,
        543.128289300554,
        492.53809241326053,
        430.0137034472872,
        474.47184234112797,
        495.6932335720972,
        474.0581246915604,
    ];
    close(&run(&mut model), &expected);
}

#[test]
fn a_season_of_factors() {
    let mut model = model(
        "holt_winters",
        &[
            ("alpha", "0.3"),
            ("beta", "0.1"),
            ("gamma", "0.6"),
            ("seasonality", "12"),
            ("multiplicative", "true"),
        ],
        &[],
    );
    let expected = [
        358.1999436214598,
        417.45069606730124,
        465.413288308011,
        446.7090309299774,
        419.3206716996527,
        466.5049450155769,
        496.3018384096949,
        507.7951687341187,
        576.6560136215649,
        668.4937826813623,
        661.3210890555316,
        553.3864748851203,
        495.5881107576835,
        422.63324130241796,
        468.19067237895695,
        483.5796023612933,
        453.69422881241104,
    ];
    close(&run(&mut model), &expected);
}

#[test]
fn lags_of_seasons() {
    let mut model =
        model("snarimax", &[("p", "0"), ("d", "0"), ("q", "0"), ("m", "12"), ("sp", "3"), ("sq", "6")], &[]);
    let expected = [
        332.92672831478114,
        465.072325322651,
        534.2270044941963,
        399.36509087225215,
        355.2153437367896,
        415.98404580637913,
        450.9922847590515,
        481.4162697910329,
        570.6712009366868,
        725.1688614336018,
        745.0320099677933,
        563.9604708687679,
        479.6380268290575,
        382.28451599275945,
        443.3054589362438,
        424.86164166951534,
        359.74396340895186,
    ];
    close(&run(&mut model), &expected);
}

#[test]
fn differences_and_lags_of_all_kinds() {
    let mut model = model(
        "snarimax",
        &[("p", "2"), ("d", "1"), ("q", "2"), ("m", "12"), ("sp", "1"), ("sd", "1"), ("sq", "1")],
        &[],
    );
    let expected = [
        354.2136170295196,
        410.49856776433455,
        458.3969426388717,
        450.43417659423585,
        427.23617292415065,
        465.90691301167726,
        489.82738000564405,
        502.9555684075124,
        563.2834412771672,
        646.5861905242411,
        640.7235371432703,
        543.4465921392484,
        495.2233176889895,
        433.2414585885633,
        474.83134906269584,
        492.7243113446152,
        470.2119467169698,
    ];
    close(&run(&mut model), &expected);
}

/// A column that is missing every seventh time is left out then, as a key that a dictionary does not have.
#[test]
fn columns_beside_the_series() {
    let mut model = model("snarimax", &[], &["a", "b"]);
    let columns = |from: usize, to: usize| -> (Vec<f64>, Vec<f64>) {
        let b = |at: usize| if at.is_multiple_of(7) && at < 144 { f64::NAN } else { at as f64 / 10.0 };
        ((from..to).map(|at| (at % 12) as f64).collect(), (from..to).map(b).collect())
    };
    let mut found = Vec::new();
    for (at, value) in passengers().into_iter().enumerate() {
        let ((a, b), labels) = (columns(at, at + 1), [value]);
        let values = [ColumnValues::Numbers(&a), ColumnValues::Numbers(&b)];
        let batch = Batch::new(Columns::Table(&values), Some(Labels::Numbers(&labels)));
        if (100..103).contains(&at) {
            found.extend(model.forecast_with(&batch).unwrap());
        }
        assert_eq!(model.learn(&batch).learned, 1);
    }
    let (a, b) = columns(144, 158);
    let values = [ColumnValues::Numbers(&a), ColumnValues::Numbers(&b)];
    found.extend(model.forecast_with(&Batch::new(Columns::Table(&values), None)).unwrap());
    let expected = [
        344.7872988286538,
        349.79026761121656,
        426.8233346451125,
        436.42381213557275,
        441.0500977169232,
        445.87562500451264,
        450.89721384156894,
        456.1117348307582,
        461.5161085239981,
        467.107304625203,
        472.8823412057541,
        478.83828393249166,
        484.97224530802987,
        491.2813839231966,
        497.7629037214058,
        528.066024064233,
        558.1585504343261,
    ];
    close(&found, &expected);
}

#[test]
fn a_season_repeats() {
    let mut model = model("seasonal_naive", &[("seasonality", "12")], &[]);
    assert_eq!(run(&mut model)[..4], [318.0, 374.0, 413.0, 417.0]);
    let Some(values) = model.forecast(25) else { panic!("a series") };
    assert_eq!((values[0], values[12], values[24]), (417.0, 417.0, 417.0));
    let fresh = self::model("seasonal_naive", &[], &[]);
    assert_eq!(fresh.forecast(3), Some(vec![]));
}

#[test]
fn a_series_that_explodes_stays_finite() {
    for (algorithm, options) in [
        (
            "holt_winters",
            &[
                ("alpha", "1"),
                ("beta", "1"),
                ("gamma", "1"),
                ("seasonality", "3"),
                ("multiplicative", "true"),
            ][..],
        ),
        ("snarimax", &[("p", "2"), ("d", "2"), ("q", "1"), ("learning_rate", "1000")]),
    ] {
        let mut model = model(algorithm, options, &[]);
        for value in [0.0, 1.0, -1e100, 1e100, 0.0, 1e-300, 1e100, -1e100, 0.0, 0.0, 5.0, 1e-200, 7.0] {
            let labels = [value];
            model.learn(&Batch::new(Columns::Table(&[]), Some(Labels::Numbers(&labels))));
            assert!(model.forecast(500).unwrap().iter().all(|value| value.is_finite()), "{algorithm}");
            assert_eq!(Model::restore(&model.snapshot()).unwrap().snapshot(), model.snapshot());
        }
    }
}

#[test]
fn options_that_need_others_say_so() {
    let create = |options: &[(&str, &str)]| {
        let options = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        crate::create("holt_winters", &options, Schema::vector(Some(Label::Number)))
    };
    let error = create(&[("gamma", "0.1")]).unwrap_err().to_string();
    assert_eq!(error, "option 'gamma' is only used with beta");
    create(&[("seasonality", "7")]).unwrap_err();
    create(&[("alpha", "0.1"), ("beta", "0.1"), ("gamma", "0.1"), ("seasonality", "7")]).unwrap();
}
