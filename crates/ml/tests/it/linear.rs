//! Linear models answer as River's do, and keep the contract.
//!
//! The numbers were recorded from River 0.26.1: each model predicts, then learns, row by row, the 200 rows of
//! [`stream`]. Beside the options stand its last answer and the sum of its answers from the second on (of the probability of the class
//! `true`, which is `y > 0.5`, from the 11th row on, where both classes have been seen).

use std::collections::BTreeMap;

use ml::check::Contract;
use ml::{Batch, Features, Label, Labels, Model, Predictions, Schema, create};

/// Rows of 3 uniform values, and a number that depends on them.
fn stream() -> Vec<([f64; 3], f64)> {
    let mut state = 12_345_u64;
    let mut uniform = || {
        state = (state * 1_103_515_245 + 12_345) % (1 << 31);
        state as f64 / f64::from(1_u32 << 31) * 4.0 - 2.0
    };
    let mut row = || [uniform(), uniform() + 1.0, uniform() + 2.0];
    let label = |[a, b, c]: [f64; 3]| 1.5 * a - 0.5 * b + 0.25 * c * c;
    (0..200).map(|_| row()).map(|row| (row, label(row))).collect()
}

/// `'key=value;key=value'` as options.
fn options(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split(';').filter(|pair| !pair.is_empty());
    pairs.filter_map(|pair| pair.split_once('=')).map(|(key, value)| (key.into(), value.into())).collect()
}

fn model(algorithm: &str, text: &str, label: Label) -> Model {
    create(algorithm, &options(text), Schema::vector(Some(label)))
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn close(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * other.abs().max(1.0)
}

/// The last answer and the sum of all from the second on; there is none before the first row was learned.
fn numbers(model: &mut Model) -> (f64, f64) {
    let (mut last, mut sum) = (0.0, 0.0);
    for (row, label) in stream() {
        let batch = Batch::vectors(Features::dense(&row[..], 3).expect("rows of 3"));
        let Predictions::Numbers(answers) = model.predict(&batch) else { panic!("numbers") };
        last = answers[0].unwrap_or(0.0);
        sum += last;
        assert_eq!(model.learn(&batch.with_labels(Labels::Numbers(&[label]))).learned, 1);
    }
    (last, sum)
}

/// The last probability of the class `true`, and the sum from the 11th row on.
fn shares(model: &mut Model) -> (f64, f64) {
    let (mut last, mut sum) = (0.0, 0.0);
    for (place, (row, label)) in stream().into_iter().enumerate() {
        let batch = Batch::vectors(Features::dense(&row[..], 3).expect("rows of 3"));
        let shares = model.predict_proba(&batch).expect("a classifier").remove(0);
        if place >= 10 {
            let class = usize::from(model.class(1) == Some("true"));
            last = shares.expect("two classes came")[class];
            sum += last;
        }
        let class = if label > 0.5 { "true" } else { "false" };
        assert_eq!(model.learn(&batch.with_labels(Labels::Classes(&[Some(class)]))).learned, 1);
    }
    (last, sum)
}

#[test]
fn linear_regression_answers_as_rivers() {
    for (text, last, sum) in [
        ("", -3.9318786217719937, 192.5760331484909),
        ("preprocess=standard_scaler", -4.0134773807899045, 132.53257667684244),
        ("l2=0.01", -3.9161850980275057, 192.47799580662777),
        ("l1=0.01", -3.9157629183174807, 192.49371226929887),
        ("intercept_init=2;intercept_lr=0.1;clip_gradient=0.5", -0.803817131282508, 249.52613387816967),
        ("loss=absolute", -3.2648793855054596, 170.58222309751966),
        ("loss=huber", -0.1425879577426114, 44.893897529679634),
        ("loss=quantile;alpha=0.9", -0.2979445742611068, 338.00923070650185),
        ("loss=cauchy;c=2", -2.7874992578329745, 159.2062017274756),
        ("loss=poisson;lr=0.001", 0.32543918297414465, 207.83750035262136),
        ("lr=0.05;lr_power=0.5", -3.7955035066830347, 194.8072988787145),
        ("optimizer=momentum;lr=0.001", -3.9259804383226573, 192.74581652026566),
        ("optimizer=nesterov;lr=0.001", -3.922604101282727, 191.67567010749096),
        ("optimizer=adagrad", -2.9202131393041806, 175.13188340720694),
        ("optimizer=rmsprop", -3.904932909963959, 193.619308568749),
        ("optimizer=adadelta", 0.7612753215915575, 138.4661603733359),
        ("optimizer=adam", -4.248117128610725, 195.74729406232643),
        ("optimizer=adamax", -3.9298512207383087, 187.94660316272842),
        ("optimizer=nadam", -4.202574119027674, 195.61156948272313),
        ("optimizer=ftrl", -1.339123087905969, 160.96487224752866),
    ] {
        let found = numbers(&mut model("linear_regression", text, Label::Number));
        assert!(close(found.0, last) && close(found.1, sum), "{text}: {found:?}, River {last} {sum}");
    }
}

#[test]
fn logistic_regression_answers_as_rivers() {
    for (text, last, sum) in [
        ("", 0.2165671410073868, 111.63833692910725),
        ("preprocess=standard_scaler", 0.22101915495302119, 98.34925582841214),
        ("l2=0.1", 0.23799241210472005, 111.1532554944683),
        ("l1=0.01", 0.2271193653732279, 111.47141726673199),
        ("loss=hinge", 0.10364163403971653, 113.52883938489923),
        ("loss=focal", 0.3404653575649314, 102.63471677096038),
        ("optimizer=adam", 0.0004732868093886845, 118.10541485550866),
        ("optimizer=ftrl", 0.23974260899829422, 108.93665892068097),
        ("optimizer=adagrad;l1=0.001", 0.0648570008437276, 112.95128240663244),
    ] {
        let found = shares(&mut model("logistic_regression", text, Label::Class));
        assert!(close(found.0, last) && close(found.1, sum), "{text}: {found:?}, River {last} {sum}");
    }
}

#[test]
fn a_perceptron_answers_as_rivers() {
    let found = shares(&mut model("perceptron", "", Label::Class));
    let (last, sum) = (1.3950914587244633e-13, 119.39582062899032);
    assert!(close(found.0, last) && close(found.1, sum), "{found:?}");
}

#[test]
fn linear_models_keep_the_contract() {
    let regressions = [
        "",
        "optimizer=adam;l2=2;lr=10",
        "optimizer=ftrl;l1=0.5",
        "loss=poisson;optimizer=nadam",
        "optimizer=nesterov;l1=0.1",
        "optimizer=adadelta;loss=huber",
        "preprocess=standard_scaler;lr_power=0.5",
        "optimizer=rmsprop;loss=cauchy;preprocess=standard_scaler(with_std=false)",
        "optimizer=adamax;loss=quantile;l2=100;lr=1000",
        "optimizer=momentum;l2=1000;lr=1000",
        "optimizer=sgd;l2=1000;lr=1000",
    ];
    for text in regressions {
        keeps("linear_regression", text, Label::Number);
    }
    let classifiers =
        ["", "optimizer=adagrad;loss=modified_huber", "loss=hinge;l1=0.01", "preprocess=standard_scaler"];
    for text in classifiers {
        keeps("logistic_regression", text, Label::Class);
    }
    keeps("perceptron", "l2=0.1", Label::Class);
}

fn keeps(algorithm: &str, text: &str, label: Label) {
    let dims: &[usize] = if text.is_empty() { &[1, 5] } else { &[5] };
    for &dim in dims {
        let make = || model(algorithm, text, label);
        let contract = Contract { make: &make, dim, snapshot_bytes_max: 100_000 };
        contract.check().unwrap_or_else(|violation| panic!("{algorithm} {text} {dim}: {violation}"));
    }
}

/// The last probability of the class `b`, and the sum from the 11th row on; classes are cut from the numbers.
fn shares_of_three(model: &mut Model) -> (f64, f64) {
    let (mut last, mut sum) = (0.0, 0.0);
    for (place, (row, label)) in stream().into_iter().enumerate() {
        let batch = Batch::vectors(Features::dense(&row[..], 3).expect("rows of 3"));
        if place >= 10 {
            let shares = model.predict_proba(&batch).expect("a classifier").remove(0).expect("an answer");
            let class = (0..3).find(|&code| model.class(code) == Some("b")).expect("b came");
            last = shares[class as usize];
            sum += last;
        }
        let class = if label < -0.5 {
            "a"
        } else if label < 1.0 {
            "b"
        } else {
            "c"
        };
        assert_eq!(model.learn(&batch.with_labels(Labels::Classes(&[Some(class)]))).learned, 1);
    }
    (last, sum)
}

#[test]
fn softmax_regression_answers_as_rivers() {
    for (text, last, sum) in [
        ("", 0.23034757931963296, 51.38894311903599),
        ("l2=0.1", 0.24296456678611816, 51.89805663209348),
        ("optimizer=adam", 0.00013246981615126202, 40.703406526700476),
        ("optimizer=momentum", 2.154507088236165e-09, 35.58180252734747),
        ("preprocess=standard_scaler", 0.2523528920833295, 61.29555079378147),
    ] {
        let found = shares_of_three(&mut model("softmax_regression", text, Label::Class));
        assert!(close(found.0, last) && close(found.1, sum), "{text}: {found:?}, River {last} {sum}");
    }
}

#[test]
fn passive_aggressive_models_answer_as_others() {
    // River 0.26.1: PAClassifier(C=, mode=, learn_intercept=).
    for (text, last, sum) in [
        ("", 0.0010173697515466584, 107.38953790649984),
        ("c=0.1;mode=2", 0.01797090764586737, 108.1522125313863),
        ("mode=0", 0.000862890800449829, 107.2245921752773),
        ("c=0.1;learn_intercept=false", 0.014135792577332716, 114.67888868430482),
    ] {
        let found = shares(&mut model("pa_classifier", text, Label::Class));
        assert!(close(found.0, last) && close(found.1, sum), "{text}: {found:?}");
    }
    // scikit-learn 1.9.1: PassiveAggressiveRegressor(C=, loss=, epsilon=0.1, fit_intercept=).partial_fit.
    for (text, last, sum) in [
        ("", -2.999197657271374, 171.9340133842253),
        ("c=0.05", -4.104560340581279, 173.34381694418417),
        ("c=0.05;learn_intercept=false", -3.7423988889282835, 179.69947644096996),
        ("c=0.1;mode=2", -4.061295500474914, 177.4368206045261),
    ] {
        let found = numbers(&mut model("pa_regressor", text, Label::Number));
        assert!(close(found.0, last) && close(found.1, sum), "{text}: {found:?}");
    }
}

#[test]
fn mllibs_regressions_descend_batch_by_batch() {
    // PySpark 4.0.1: StreamingLinearRegressionWithSGD and StreamingLogisticRegressionWithSGD, initial weights 0, their
    // `trainOn` over four batches of 50 rows.
    let cases: [(&str, &str, [f64; 3]); 5] = [
        ("streaming_linear_regression", "", [1.4823313865876746, -0.5947174402044494, 0.7369467828132923]),
        (
            "streaming_linear_regression",
            "step_size=0.02;num_iterations=10;convergence_tol=0",
            [0.6079354546537282, -0.16982146337386897, 0.5301366263826691],
        ),
        ("streaming_logistic_regression", "", [1.0725060456524624, -0.3884541274392703, 0.4961835377387865]),
        (
            "streaming_logistic_regression",
            "step_size=0.02;num_iterations=10;convergence_tol=0;initial_weights=[0,0,0]",
            [0.14396695165741671, -0.027722004153009197, 0.1218212442111016],
        ),
        (
            "streaming_logistic_regression",
            "reg_param=0.1",
            [0.8689539948155817, -0.3067272945889641, 0.41422905199128246],
        ),
    ];
    for (algorithm, text, expected) in cases {
        let label = if algorithm.contains("logistic") { Label::Class } else { Label::Number };
        let mut model = model(algorithm, text, label);
        for rows in stream().chunks(50) {
            let values: Vec<f64> = rows.iter().flat_map(|(row, _)| *row).collect();
            let numbers: Vec<f64> = rows.iter().map(|(_, number)| *number).collect();
            let classes: Vec<_> =
                numbers.iter().map(|&y| Some(if y > 0.5 { "true" } else { "false" })).collect();
            let labels = match label {
                Label::Class => Labels::Classes(&classes),
                Label::Number => Labels::Numbers(&numbers),
            };
            let batch = Batch::vectors(Features::dense(&values[..], 3).unwrap());
            assert_eq!(model.learn(&batch.with_labels(labels)).learned, 50);
        }
        let description = model.describe();
        let mut found = &description["weights"];
        if label == Label::Class {
            found = &found[0];
        }
        // The function speaks for the class that came second.
        let sign = if label == Label::Class && model.class(1) == Some("false") { -1.0 } else { 1.0 };
        for (column, expected) in expected.iter().enumerate() {
            let weight = sign * found[column].as_f64().unwrap();
            assert!(close(weight, *expected), "{algorithm} {text}: {found}, expected {expected}");
        }
    }
}

#[test]
fn other_linear_models_keep_the_contract() {
    keeps("softmax_regression", "", Label::Class);
    keeps("softmax_regression", "optimizer=ftrl;intercept_lr=0.1", Label::Class);
    for text in ["mode=0", "c=0.1;mode=2"] {
        keeps("pa_classifier", text, Label::Class);
        keeps("pa_regressor", text, Label::Number);
    }
    keeps("streaming_linear_regression", "num_iterations=5", Label::Number);
    keeps("streaming_logistic_regression", "num_iterations=5;reg_param=0.1", Label::Class);
}
