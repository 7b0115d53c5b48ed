//! A model is judged on each row before it learns it, and can begin anew when its errors change.

use std::collections::BTreeMap;

use ml::{
    Batch, Columns, Features, Given, Label, Labels, Model, Pending, Predictions, Rejection, Schema, create,
};
use serde_json::Value;

fn model(pairs: &[(&str, &str)]) -> Model {
    let options: BTreeMap<String, String> =
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    create("naive_bayes", &options, Schema::vector(Some(Label::Class))).expect("good options")
}

/// Rows of two classes on either side of `middle`, of which `turned` says whether they change places.
fn rows(count: usize, turned: bool) -> (Vec<f64>, Vec<Option<&'static str>>) {
    let value = |row: usize| (row % 2) as f64 * 4.0 + (row * 7 % 11) as f64 / 10.0;
    let class = |row: usize| Some(if row.is_multiple_of(2) == turned { "high" } else { "low" });
    ((0..count).map(value).collect(), (0..count).map(class).collect())
}

fn teach(model: &mut Model, values: &[f64], classes: &[Option<&str>], batch: usize) {
    for (values, classes) in values.chunks(batch).zip(classes.chunks(batch)) {
        let columns = Columns::Vectors(Features::dense(values, 1).expect("rows of one"));
        let report = model.learn(&Batch::new(columns, Some(Labels::Classes(classes))));
        assert_eq!(report.learned, values.len());
    }
}

#[test]
fn the_figures_are_those_of_asking_before_teaching_whatever_the_batches() {
    let (values, classes) = rows(300, false);
    let mut by_hand = model(&[("evaluation_window", "0")]);
    let mut right = 0;
    for (value, class) in values.iter().zip(&classes) {
        let question = [*value];
        let rows = Batch::vectors(Features::dense(&question[..], 1).unwrap());
        let Predictions::Classes(answers) = by_hand.predict(&rows) else { panic!("it names classes") };
        right += u64::from(answers[0].and_then(|code| by_hand.class(code)) == *class);
        by_hand.learn(&rows.with_labels(Labels::Classes(&[*class])));
    }
    assert_eq!(by_hand.evaluation(), Value::Null);
    for batch in [1, 7, 300] {
        let mut judged = model(&[]);
        teach(&mut judged, &values, &classes, batch);
        let figures = judged.evaluation();
        assert_eq!(figures["overall"]["accuracy"], right as f64 / 300.0, "batches of {batch}");
        assert_eq!(figures["overall"]["rows"], 300);
        let twin = Model::restore(&judged.snapshot()).unwrap();
        assert_eq!(twin.evaluation(), figures, "figures are state too");
        assert_eq!(judged.recent_figure(), figures["window"]["accuracy"].as_f64());
    }
}

#[test]
fn a_learner_that_begins_anew_when_its_errors_change_is_soon_right_again() {
    let run = |options: &[(&str, &str)]| {
        let mut model = model(options);
        for turned in [false, true] {
            let (values, classes) = rows(3_000, turned);
            teach(&mut model, &values, &classes, 64);
        }
        model
    };
    let (stubborn, warned) = (run(&[]), run(&[("drift", "adwin(delta=0.01)")]));
    let reset = run(&[("drift", "adwin(delta=0.01)"), ("on_drift", "reset")]);
    let accuracy = |model: &Model| model.evaluation()["overall"]["accuracy"].as_f64().unwrap();
    assert_eq!(accuracy(&stubborn), accuracy(&warned), "a warning changes nothing");
    assert!(accuracy(&stubborn) < 0.6 && accuracy(&reset) > 0.95, "{}", accuracy(&reset));
    let drift = &reset.evaluation()["drift"];
    assert_eq!((&drift["detector"], &drift["drifts"]), (&Value::from("adwin"), &Value::from(1)));
    assert!((3_001..3_200).contains(&drift["last_drift_row"].as_u64().unwrap()), "{drift}");
    assert!(reset.rows_learned() < 3_000, "it began anew");
}

#[test]
fn options_of_the_evaluation_are_checked() {
    let refused = |pairs: &[(&str, &str)], label| {
        let options: BTreeMap<String, String> =
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let algorithm = if label { "naive_bayes" } else { "streaming_kmeans" };
        let schema = Schema::vector(label.then_some(Label::Class));
        create(algorithm, &options, schema).unwrap_err().to_string()
    };
    for (pairs, label, part) in [
        (&[("drift", "magic")][..], true, "expected one of adwin"),
        (&[("drift", "adwin(dleta=1)")], true, "unknown option 'dleta'"),
        (&[("drift", "adwin, adwin")], true, "expected one of"),
        (&[("on_drift", "reset")], true, "only used with drift"),
        (&[("drift", "adwin"), ("on_drift", "panic")], true, "'warn' or 'reset'"),
        (&[("evaluation_window", "-1")], true, "a number of rows from 0"),
        (&[("evaluation_window", "10")], false, "only used with labels"),
        (&[("drift", "adwin")], false, "only used with labels"),
        (&[("drift", "adwin"), ("evaluation_window", "0")], true, "only used with labels"),
    ] {
        let reason = refused(pairs, label);
        assert!(reason.contains(part), "{pairs:?}: {reason}");
    }
}

/// The same rows with labels that come `late` rows after their questions.
fn judged_late(late: usize) -> Model {
    let (values, classes) = rows(400, false);
    let mut model = model(&[]);
    let mut pending = Pending::new(1_000);
    for row in 0..values.len() + late {
        if let Some(value) = values.get(row) {
            let question = Features::dense(std::slice::from_ref(value), 1).expect("rows of one");
            let answer = model.give(&Batch::vectors(question)).remove(0);
            pending.keep(&row.to_string(), answer);
        }
        if let Some(labelled) = row.checked_sub(late) {
            let labels = Labels::Classes(&classes[labelled..=labelled]);
            let answer = pending.take(&labelled.to_string()).expect("it waits");
            assert_eq!(model.score_delayed(&[answer], labels).learned, 1);
            let lesson = Features::dense(&values[labelled..=labelled], 1).expect("rows of one");
            model.learn_unjudged(&Batch::vectors(lesson).with_labels(labels));
        }
    }
    assert!(pending.is_empty());
    model
}

#[test]
fn answers_are_judged_as_they_were_given_when_their_labels_come() {
    let (values, classes) = rows(400, false);
    let mut at_once = model(&[]);
    teach(&mut at_once, &values, &classes, 1);
    assert_eq!(judged_late(0).evaluation(), at_once.evaluation());
    let late = judged_late(50);
    assert_eq!(late.evaluation()["overall"]["rows"], 400);
    assert_eq!(late.rows_learned(), 400);
    let accuracy = |model: &Model| model.evaluation()["overall"]["accuracy"].as_f64().unwrap();
    assert!(accuracy(&late) < accuracy(&at_once) - 0.1, "the first 50 rows had no answer");
    let (one, other) = (late.describe(), at_once.describe());
    assert_eq!(one["means"], other["means"], "what was learned is the same");
}

#[test]
fn answers_that_come_back_with_their_labels_are_judged_and_the_rows_learned_at_once() {
    let late = 50;
    let (values, classes) = rows(400, false);
    let mut model = model(&[]);
    let mut stored: Vec<Given> = Vec::new();
    for row in 0..values.len() + late {
        if let Some(value) = values.get(row) {
            let question = Features::dense(std::slice::from_ref(value), 1).expect("rows of one");
            stored.push(model.give(&Batch::vectors(question)).remove(0));
        }
        if let Some(labelled) = row.checked_sub(late) {
            let lesson = Features::dense(&values[labelled..=labelled], 1).expect("rows of one");
            let lesson = Batch::vectors(lesson).with_labels(Labels::Classes(&classes[labelled..=labelled]));
            let answers = Some(&stored[labelled..=labelled]);
            assert_eq!(model.learn(&Batch { answers, ..lesson }).learned, 1);
        }
    }
    let by_hand = judged_late(late);
    assert_eq!(model.evaluation(), by_hand.evaluation());
    assert_eq!(model.snapshot(), by_hand.snapshot());
}

/// The figures over everything of a model that is told what was answered to rows of the classes `a`, `b`, `a`.
fn figures_of(answers: &[Given]) -> Value {
    let mut model = model(&[]);
    let classes = [Some("a"), Some("b"), Some("a")];
    let rows = Features::dense(&[1.0, 2.0, 3.0][..], 1).expect("rows of one");
    let lesson = Batch::vectors(rows).with_labels(Labels::Classes(&classes));
    assert_eq!(model.learn(&Batch { answers: Some(answers), ..lesson }).learned, 3);
    let twin = Model::restore(&model.snapshot()).expect("its own snapshot");
    assert_eq!(twin.evaluation(), model.evaluation());
    model.evaluation()["overall"].clone()
}

#[test]
fn stored_answers_name_their_classes() {
    let class = |word: &str| Given::Class(word.to_owned());
    let figures = figures_of(&[class("a"), class("nobody"), Given::Nothing]);
    assert_eq!((figures["rows"].as_u64(), figures["accuracy"].as_f64()), (Some(3), Some(1.0 / 3.0)));
    assert_eq!(figures["log_loss"], Value::Null, "a class alone has no shares");
    let shares = |a: f64, b: f64, other: f64| {
        Given::Named(vec![("b".to_owned(), b), ("nobody".to_owned(), other), ("a".to_owned(), a)])
    };
    let figures = figures_of(&[shares(0.75, 0.25, 0.0), shares(0.5, 0.5, 0.0), shares(0.25, 0.0, 0.75)]);
    assert_eq!(figures["accuracy"].as_f64(), Some(1.0 / 3.0), "the last is of a class that there is not");
    assert_eq!(figures["log_loss"].as_f64(), Some(-(0.75_f64.ln() + 0.5_f64.ln()) / 2.0));
}

#[test]
fn a_row_counts_as_often_as_it_weighs() {
    let teach = |model: &mut Model, rows: &[f64], classes: &[Option<&str>], weights: Option<&[f64]>| {
        let rows = Features::dense(rows, 1).expect("rows of one");
        let lesson = Batch::vectors(rows).with_labels(Labels::Classes(classes));
        model.learn(&Batch { weights, ..lesson })
    };
    let (one, other) = (Some("one"), Some("other"));
    for judged in ["0", "100"] {
        let make = || model(&[("evaluation_window", judged)]);
        let (mut weighed, mut repeated) = (make(), make());
        let weights = [1.0, 2.0, 0.0, 1.0];
        teach(&mut weighed, &[1.0, 2.0, 9.0, 4.0], &[one, one, one, other], Some(&weights));
        teach(&mut repeated, &[1.0, 2.0, 2.0, 4.0], &[one, one, one, other], None);
        let question = Features::dense(&[3.0][..], 1).expect("rows of one");
        let shares =
            |model: &Model| model.predict_proba(&Batch::vectors(question)).unwrap()[0].clone().unwrap();
        let (weighed, repeated) = (shares(&weighed), shares(&repeated));
        let apart = (weighed[0] - repeated[0]).abs();
        assert!(apart < 1e-12, "{weighed:?}, {repeated:?} judged over {judged} rows");
    }
    let mut model = model(&[]);
    let before = model.snapshot();
    let weights = [-1.0, f64::NAN, f64::INFINITY];
    let report = teach(&mut model, &[1.0, 2.0, 3.0], &[one, one, other], Some(&weights));
    assert_eq!((report.learned, report.rejected.len()), (0, 3));
    assert_eq!(report.rejected[0].reason, Rejection::BadWeight);
    let rows = Features::dense(&[1.0, 2.0][..], 1).expect("rows of one");
    let lesson = Batch::vectors(rows).with_labels(Labels::Classes(&[Some("one"), Some("other")]));
    let answers = [Given::Shares(vec![f64::NAN]), Given::Named(vec![("one".to_owned(), 7.0)])];
    let report = model.learn(&Batch { answers: Some(&answers), ..lesson });
    assert_eq!(report.rejected[1].reason, Rejection::BadAnswer);
    assert_eq!((report.learned, model.snapshot() == before), (0, true), "what is refused leaves no trace");
}
