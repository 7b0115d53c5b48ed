//! Which models have an ONNX graph; `compat/onnx_graphs.py` runs the graphs.

use std::collections::BTreeMap;

use ml::{
    Batch, Column, ColumnValues, Columns, Features, Kind, Label, Labels, Model, OnnxError, Schema, create,
};

fn taught(algorithm: &str, preprocess: &str) -> Model {
    let mut options = BTreeMap::new();
    if !preprocess.is_empty() {
        options.insert("preprocess".to_owned(), preprocess.to_owned());
    }
    let mut model = create(algorithm, &options, Schema::vector(Some(Label::Class))).expect("good options");
    let values = [0.0, 1.0, 1.0, 0.0, 0.5, 0.5];
    let batch = Batch::vectors(Features::dense(&values[..], 2).expect("whole rows"));
    model.learn(&batch.with_labels(Labels::Classes(&[Some("yes"), Some("no"), Some("yes")])));
    model
}

#[test]
fn a_graph_says_what_it_takes_and_gives() {
    let graph = taught("logistic_regression", "standard_scaler").onnx().expect("it has a graph");
    let has = |text: &str| graph.windows(text.len()).any(|bytes| bytes == text.as_bytes());
    for text in ["features", "label", "probabilities", "MatMul", "Sigmoid", "yes", "no", "ai.onnx.ml"] {
        assert!(has(text), "{text}");
    }
    // The form's version, as field 1.
    assert_eq!(graph[..2], [0x08, 8]);
    assert_eq!(graph, taught("logistic_regression", "standard_scaler").onnx().expect("the same one"));
}

#[test]
fn what_onnx_has_no_words_for_is_told() {
    let told = |model: Model| model.onnx().unwrap_err().to_string();
    assert!(told(taught("knn_classifier", "")).starts_with("'knn_classifier' cannot be written as ONNX"));
    assert!(told(taught("logistic_regression", "polynomial")).starts_with("'polynomial' cannot"));
    let column = |name: &str, kind| Column { name: name.to_owned(), kind };
    let schema = Schema { columns: vec![column("colour", Kind::Category)], label: Some(Label::Class) };
    let mut model = create("hoeffding_tree", &BTreeMap::new(), schema).expect("good options");
    assert_eq!(model.onnx(), Err(OnnxError::Names { name: "colour".to_owned() }));
    let columns = [ColumnValues::Words(&[Some("red")])];
    model.learn(&Batch::new(Columns::Table(&columns), Some(Labels::Classes(&[Some("a")]))));
    assert!(told(model).contains("column 'colour' holds names"));
    let fresh =
        create("perceptron", &BTreeMap::new(), Schema::vector(Some(Label::Class))).expect("good options");
    assert_eq!(fresh.onnx(), Err(OnnxError::Empty));
}
