use super::*;

fn close(value: &Value, expected: f64) {
    assert!((value.as_f64().unwrap() - expected).abs() < 1e-12, "{value} is not {expected}");
}

#[test]
fn the_window_forgets_and_the_whole_does_not() {
    let mut evaluation = Evaluation::new(Label::Class, 4);
    for row in 0..8_u32 {
        // Right from the fifth row on.
        let sure = if row < 4 { [1.0, 0.0] } else { [0.2, 0.8] };
        assert_eq!(evaluation.class(1, Some(&sure)), if row < 4 { 1.0 } else { 0.0 });
    }
    let figures = evaluation.figures(|class| ["no", "yes"].get(class as usize).copied());
    close(&figures["overall"]["accuracy"], 0.5);
    close(&figures["window"]["accuracy"], 1.0);
    close(&figures["window"]["log_loss"], -(0.8_f64.ln()));
    assert_eq!(figures["window"]["roc_auc"], Value::Null, "one class alone has no curve");
    assert_eq!(
        figures["confusion"],
        json!({"classes": ["no", "yes"], "actual_by_predicted": [[0, 0], [4, 4]]})
    );
    assert_eq!(evaluation.recent(), Some(1.0));
}

#[test]
fn a_row_without_an_answer_is_a_wrong_one_without_a_loss() {
    let mut evaluation = Evaluation::new(Label::Class, 10);
    assert_eq!(evaluation.class(0, None), 1.0);
    let figures = evaluation.figures(|_| None);
    close(&figures["overall"]["accuracy"], 0.0);
    assert_eq!(figures["overall"]["log_loss"], Value::Null);
    // A class that the model has never seen has a share of nothing, and a loss that is still finite.
    evaluation.class(5, Some(&[1.0]));
    let figures = evaluation.figures(|_| None);
    close(&figures["overall"]["log_loss"], -libm::log(1e-15));
}

#[test]
fn many_classes_have_figures_but_no_matrix() {
    let mut evaluation = Evaluation::new(Label::Class, 10);
    for class in 0..70_u32 {
        let mut shares = vec![0.0; 70];
        shares[class as usize] = 1.0;
        evaluation.class(class, Some(&shares));
    }
    let figures = evaluation.figures(|_| None);
    close(&figures["overall"]["accuracy"], 1.0);
    assert!(figures.get("confusion").is_none());
}

#[test]
fn errors_of_numbers_are_judged_where_there_is_an_estimate() {
    let mut evaluation = Evaluation::new(Label::Number, 2);
    assert_eq!(evaluation.number(1.0, None), None);
    for (actual, estimate) in [(0.0, 10.0), (1.0, 2.0), (3.0, 3.0)] {
        evaluation.number(actual, Some(estimate));
    }
    let figures = evaluation.figures(|_| None);
    close(&figures["overall"]["mae"], 11.0 / 3.0);
    close(&figures["window"]["mae"], 0.5);
    assert_eq!(figures["overall"]["rows"], 3);
}
