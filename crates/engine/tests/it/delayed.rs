//! Labels that come later than their rows, on another stream; and rows that count more than others.

use serde_json::{Value, json};

use crate::support::World;

const STREAMS: &str = "
    CREATE STREAMING TABLE asked (id STRING, at TIMESTAMP, size DOUBLE) USING kafka OPTIONS (topic 'asked');
    CREATE STREAMING TABLE verdicts (id STRING, at TIMESTAMP, kind STRING) USING kafka OPTIONS (topic 'verdicts');
    CREATE STREAMING TABLE answered (id STRING, at TIMESTAMP, size DOUBLE, told STRING, shares MAP<STRING, DOUBLE>)
      USING kafka OPTIONS (topic 'answers')";

const JOINED: &str = "FROM STREAM answered WATERMARK at DELAY OF INTERVAL 0 SECONDS AS a
    LEFT JOIN STREAM verdicts WATERMARK at DELAY OF INTERVAL 0 SECONDS AS v
      ON a.id = v.id AND v.at BETWEEN a.at AND a.at + INTERVAL 1 HOUR";

const ANSWERS: &str = "CREATE STREAMING TABLE answers USING kafka OPTIONS (topic 'answers')
    AS SELECT id, at, size, predict('kinds', size) AS told, predict_proba('kinds', size) AS shares
       FROM STREAM asked";

fn time(minute: u32) -> String {
    format!("2026-01-01T{:02}:{:02}:00Z", minute / 60, minute % 60)
}

fn asked(rows: &[(&str, u32)]) -> Vec<String> {
    rows.iter().map(|(id, at)| json!({"id": id, "at": time(*at), "size": 1.5}).to_string()).collect()
}

fn verdicts(rows: &[(&str, u32, &str)]) -> Vec<String> {
    rows.iter().map(|(id, at, kind)| json!({"id": id, "at": time(*at), "kind": kind}).to_string()).collect()
}

fn figures(world: &World, model: &str) -> Value {
    let models = world.engine.models();
    models.iter().find(|one| one.name == model).expect("it is there").evaluation["overall"].clone()
}

/// A world where `kinds` is taught and judged with the answers that it gave when rows were asked about.
async fn judged_late(prediction: &str) -> (env::SimDisk, World) {
    let (disk, world) = World::new();
    world.sql(STREAMS).await;
    world
        .sql(&format!(
            "CREATE MODEL kinds OPTIONS (algorithm 'majority_class', label 'kind', prediction '{prediction}')
             AS SELECT a.size, a.{prediction}, v.kind {JOINED}"
        ))
        .await;
    world.sql(ANSWERS).await;
    // Before it has learned anything there is no answer, and that is wrong.
    world.write("asked", 0, &asked(&[("a", 0), ("b", 1)])).await;
    world.caught_up().await;
    world.write("verdicts", 0, &verdicts(&[("a", 2, "lily"), ("b", 3, "lily")])).await;
    world.caught_up().await;
    (disk, world)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_that_comes_later_judges_the_answer_that_was_given() {
    let (disk, world) = judged_late("told").await;
    assert_eq!(
        (&figures(&world, "kinds")["rows"], &figures(&world, "kinds")["accuracy"]),
        (&json!(2), &json!(0.0))
    );
    // "c" is told to be a lily; its label comes when the model has learned otherwise.
    world.write("asked", 0, &asked(&[("c", 4)])).await;
    world.caught_up().await;
    assert_eq!(world.read("answers")[2]["told"], "lily");
    world.close().await;
    let world = World::open(&disk);
    world.write("asked", 0, &asked(&[("d", 5), ("e", 5), ("f", 5)])).await;
    world.caught_up().await;
    world.write("verdicts", 0, &verdicts(&[("d", 6, "rose"), ("e", 6, "rose"), ("f", 6, "rose")])).await;
    world.caught_up().await;
    assert_eq!(world.sql("SELECT predict('kinds', 1.5) AS k").await.rows, [[json!("rose")]]);
    world.write("verdicts", 0, &verdicts(&[("c", 7, "lily")])).await;
    world.caught_up().await;
    let judged = figures(&world, "kinds");
    assert_eq!(
        (&judged["rows"], &judged["accuracy"]),
        (&json!(6), &json!(1.0 / 6.0)),
        "only c was answered well"
    );
    assert_eq!(world.query("kinds").rows_written, 6);
    let features = world.engine.models().into_iter().find(|one| one.name == "kinds").unwrap().features;
    assert_eq!(features, Some(vec!["size".to_owned()]), "the answer is no feature");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shares_are_judged_too_and_labels_that_never_come_are_counted() {
    let (_disk, world) = judged_late("shares").await;
    world.write("asked", 0, &asked(&[("c", 4), ("never", 5)])).await;
    world.caught_up().await;
    world.write("verdicts", 0, &verdicts(&[("c", 6, "lily")])).await;
    world.caught_up().await;
    let judged = figures(&world, "kinds");
    assert_eq!(
        (&judged["accuracy"], judged["log_loss"].as_f64().map(|loss| loss < 1e-9)),
        (&json!(1.0 / 3.0), Some(true))
    );
    assert_eq!(world.query("kinds").dead_letters.count, 0, "it may come yet");
    // An hour later it cannot come any more; and what comes then is too late.
    world.write("asked", 0, &asked(&[("z", 100)])).await;
    world.write("verdicts", 0, &verdicts(&[("nobody", 100, "rose")])).await;
    world.caught_up().await;
    world.write("verdicts", 0, &verdicts(&[("never", 7, "rose")])).await;
    world.caught_up().await;
    let query = world.query("kinds");
    assert_eq!((query.dead_letters.count, query.rows_late, query.rows_written), (1, 1, 3));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn estimates_are_judged_as_they_were_given() {
    let (_disk, world) = World::new();
    world
        .sql("CREATE STREAMING TABLE t (x DOUBLE, y DOUBLE, guess DOUBLE) USING kafka OPTIONS (topic 't')")
        .await;
    world
        .sql(
            "CREATE MODEL m OPTIONS (algorithm 'target_mean', label 'y', prediction 'guess') \
             AS SELECT x, y, guess FROM STREAM t",
        )
        .await;
    let rows =
        [json!({"x": 1, "y": 4, "guess": 3}), json!({"x": 1, "y": 4, "guess": 7}), json!({"x": 1, "y": 10})];
    world.write("t", 0, &rows.map(|row| row.to_string())).await;
    world.caught_up().await;
    let judged = figures(&world, "m");
    assert_eq!(
        (&judged["rows"], &judged["mae"]),
        (&json!(2), &json!(2.0)),
        "without an estimate there is no error"
    );
    assert_eq!(world.sql("SELECT predict('m', 1.0) AS p").await.rows, [[json!(6.0)]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_says_how_much_a_row_counts() {
    let (_disk, world) = World::new();
    world
        .sql("CREATE STREAMING TABLE t (x DOUBLE, kind STRING, n DOUBLE) USING kafka OPTIONS (topic 't')")
        .await;
    let create = |name: &str, options: &str, select: &str| {
        format!("CREATE MODEL {name} OPTIONS ({options}) AS SELECT {select} FROM STREAM t")
    };
    let majority = "algorithm 'majority_class', label 'kind'";
    world.sql(&create("plain", majority, "x, kind")).await;
    world.sql(&create("weighed", &format!("{majority}, weight 'N'"), "x, kind, n")).await;
    let by_class = "array(x) AS features, kind, CASE WHEN kind = 'rare' THEN 5 ELSE 1 END AS w";
    world.sql(&create("by_class", &format!("{majority}, weight 'w'"), by_class)).await;
    for (options, select, part) in [
        (
            "algorithm 'majority_class', label 'kind', weight 'w'",
            "x, kind",
            "the query has no column w; it has x, kind",
        ),
        ("algorithm 'majority_class', label 'kind', weight 'kind'", "x, kind", "kind is the label"),
        (
            "algorithm 'majority_class', label 'kind', weight 'k'",
            "x, kind, kind || 'x' AS k",
            "k is a number",
        ),
        ("algorithm 'streaming_kmeans', weight 'n'", "x, n", "algorithms that learn with labels"),
        (
            "algorithm 'streaming_linear_regression', label 'x', weight 'n'",
            "x, n, n + 1 AS z",
            "a batch at a time",
        ),
        (
            "algorithm 'linear_regression', label 'x', prediction 'kind'",
            "x, n, kind",
            "kind is a number, not STRING",
        ),
        (
            "algorithm 'majority_class', label 'kind', prediction 'a'",
            "x, kind, array(x) AS a",
            "what predict or",
        ),
    ] {
        let refused = world.refused(&create("m", options, select)).await;
        assert!(refused.contains(part), "{options}\n{refused}");
    }
    let row = |kind: &str, n: Value| json!({"x": 1.0, "kind": kind, "n": n}).to_string();
    let mut rows = vec![row("common", json!(1)); 3];
    rows.push(row("rare", json!(7)));
    rows.push(row("common", json!(-1)));
    world.write("t", 0, &rows).await;
    world.caught_up().await;
    let answers = world
        .sql("SELECT predict('plain', 1.0) AS a, predict('weighed', 1.0) AS b, predict('by_class', array(1.0)) AS c")
        .await;
    assert_eq!(answers.rows, [[json!("common"), json!("rare"), json!("rare")]]);
    let letters = world.query("weighed").dead_letters;
    assert_eq!(
        (letters.count, letters.samples[0].reason.contains("weight is not a number from 0 on")),
        (1, true)
    );
}
