//! Models that read texts.

use std::collections::BTreeMap;

use ml::{Batch, Column, ColumnValues, Columns, Kind, Label, Labels, Model, Predictions, Schema, create};

fn mail(preprocess: &str, algorithm: &str) -> Model {
    let column = |name: &str, kind| Column { name: name.to_owned(), kind };
    let columns = vec![column("subject", Kind::Category), column("size", Kind::Number)];
    let options = BTreeMap::from([("preprocess".to_owned(), preprocess.to_owned())]);
    create(algorithm, &options, Schema { columns, label: Some(Label::Class) }).expect("good options")
}

const GOOD: [&str; 4] =
    ["minutes of the meeting", "the report is attached", "lunch on Friday?", "notes of the call"];
const BAD: [&str; 4] =
    ["WIN a free prize", "free pills, no prescription", "you win: claim your prize", "cheap pills"];

/// Twenty rows of each kind.
fn learn(model: &mut Model) {
    let texts: Vec<Option<&str>> = (0..40).map(|at| Some([GOOD[at % 4], BAD[at % 4]][at / 4 % 2])).collect();
    let labels: Vec<Option<&str>> = (0..40).map(|at| Some(["good", "bad"][at / 4 % 2])).collect();
    let sizes: Vec<f64> = (0..40).map(|at| if at == 7 { f64::NAN } else { f64::from(at) / 40.0 }).collect();
    let columns = [ColumnValues::Words(&texts), ColumnValues::Numbers(&sizes)];
    let batch = Batch::new(Columns::Table(&columns), Some(Labels::Classes(&labels)));
    let report = model.learn(&batch);
    assert_eq!((report.learned, report.rejected), (40, vec![]));
}

fn ask<'a>(model: &'a Model, texts: &[Option<&str>]) -> Vec<Option<&'a str>> {
    let sizes = vec![0.5; texts.len()];
    let columns = [ColumnValues::Words(texts), ColumnValues::Numbers(&sizes)];
    let batch = Batch::new(Columns::Table(&columns), None);
    let Predictions::Classes(answers) = model.predict(&batch) else { panic!("it names classes") };
    answers.into_iter().map(|code| model.class(code?)).collect()
}

#[test]
fn words_are_told_apart_and_remembered() {
    for (preprocess, algorithm) in [
        ("tf_idf", "logistic_regression"),
        ("tf_idf(n_features=512, ngrams=2), max_abs_scaler", "pa_classifier"),
        ("bag_of_words", "multinomial_naive_bayes"),
    ] {
        let mut model = mail(preprocess, algorithm);
        learn(&mut model);
        let questions = [Some("a FREE prize!"), Some("minutes of the call"), Some(""), None];
        let answers = ask(&model, &questions);
        assert_eq!(answers[..2], [Some("bad"), Some("good")], "{preprocess}, {algorithm}");
        assert!(answers[2].is_some() && answers[2] == answers[3], "no words are no reason not to answer");
        let mut twin = Model::restore(&model.snapshot()).expect("its own snapshot");
        let mut imported = Model::import(model.export()).expect("its own export");
        assert_eq!(ask(&twin, &questions), answers);
        for model in [&mut model, &mut twin, &mut imported] {
            learn(model);
        }
        assert_eq!(twin.snapshot(), model.snapshot(), "{preprocess}");
        assert_eq!(imported.snapshot(), model.snapshot(), "{preprocess}");
    }
}

#[test]
fn only_the_first_step_sees_texts() {
    for (preprocess, says) in [
        ("standard_scaler, tf_idf", "first step"),
        ("bag_of_words", "needs a column of strings"),
        ("magic", "bag_of_words"),
    ] {
        let options = BTreeMap::from([("preprocess".to_owned(), preprocess.to_owned())]);
        let error =
            create("perceptron", &options, Schema::vector(Some(Label::Class))).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}
