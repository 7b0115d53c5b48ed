//! The demo in words and figures.

use std::time::Duration;

use crate::demo::answers::Tally;
use crate::demo::audit::{Check, Restart};
use crate::demo::feed::Acknowledged;
use crate::terminal;

/// One line on how it stands.
pub(crate) fn line(acknowledged: &Acknowledged, questions: &Tally) -> String {
    let latency = questions.latency_ms(0.5).map_or_else(|| "-".to_owned(), |ms| format!("{ms} ms"));
    format!(
        "enrolled {}  asked {}  answered {}  purity {} (raw {})  p50 {latency}  model v{}",
        acknowledged.enrolled(),
        acknowledged.asked(),
        questions.answered.len(),
        figure(questions.signature.purity()),
        figure(questions.raw.purity()),
        questions.model_version,
    )
}

/// The closing tables of `--once`.
pub(crate) fn print(
    enrolments: &Tally,
    questions: &Tally,
    restart: &Restart,
    took: Duration,
    checks: &[Check],
) {
    let images = enrolments.answered.len() + questions.answered.len();
    let latency =
        |quantile| questions.latency_ms(quantile).map_or_else(|| "-".to_owned(), |ms| format!("{ms} ms"));
    terminal::say("");
    terminal::table(
        &["clusters of the questions, against the labels", "signature", "raw pixels"],
        [
            row("purity", questions.signature.purity(), questions.raw.purity()),
            row(
                "adjusted Rand index",
                questions.signature.adjusted_rand_index(),
                questions.raw.adjusted_rand_index(),
            ),
        ],
    );
    terminal::say("");
    let judged = questions.answered.len() as u64 - questions.early;
    terminal::table(
        &["played", ""],
        [
            ["images through the whole path".to_owned(), images.to_string()],
            ["questions judged (never enrolled)".to_owned(), judged.to_string()],
            ["asked before the model had centres".to_owned(), questions.early.to_string()],
            ["time, restart included".to_owned(), format!("{:.1} s", took.as_secs_f64())],
            ["question to answer, p50 / p99".to_owned(), format!("{} / {}", latency(0.5), latency(0.99))],
            ["ready again after the kill".to_owned(), format!("{} ms", restart.ready_after.as_millis())],
        ],
    );
    terminal::say("");
    let mark = |held| if held { "held" } else { "FAILED" };
    terminal::table(
        &["check", "", ""],
        checks.iter().map(|check| [check.what.to_owned(), mark(check.held).to_owned(), check.detail.clone()]),
    );
}

fn row(name: &str, signature: Option<f64>, raw: Option<f64>) -> [String; 3] {
    [name.to_owned(), figure(signature), figure(raw)]
}

/// A score, or a dash while there is nothing to judge.
pub(crate) fn figure(score: Option<f64>) -> String {
    score.map_or_else(|| "-".to_owned(), |score| format!("{score:.3}"))
}
