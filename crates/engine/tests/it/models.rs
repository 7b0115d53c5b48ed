//! Models with labels: what they learn from, what they answer, and in which type.

use serde_json::json;

use crate::support::World;

const FLOWERS: &str = "CREATE STREAMING TABLE flowers (petal DOUBLE, colour STRING, species STRING) \
                       USING kafka OPTIONS (topic 'flowers')";

fn flowers(count: usize) -> Vec<String> {
    let row = |index: usize| {
        let (petal, colour, species) =
            if index.is_multiple_of(2) { (1.0, "white", "lily") } else { (5.0, "red", "rose") };
        let petal = petal + (index % 7) as f64 * 0.1;
        json!({"petal": petal, "colour": colour, "species": species}).to_string()
    };
    (0..count).map(row).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_classifier_learns_from_columns_and_answers_with_the_label() {
    let (_disk, world) = World::new();
    world.sql(FLOWERS).await;
    world
        .sql(
            "CREATE MODEL kinds OPTIONS (algorithm 'naive_bayes', label 'species') \
             AS SELECT petal, colour, species FROM STREAM flowers",
        )
        .await;
    world.write("flowers", 0, &flowers(40)).await;
    world.settled().await;
    let answer = world
        .sql(
            "SELECT predict('kinds', petal, colour) AS p, \
             predict('kinds', named_struct('colour', colour, 'petal', petal)) AS by_name, \
             predict_proba('kinds', petal, colour)['rose'] > 0.99 AS sure FROM flowers LIMIT 2",
        )
        .await;
    assert_eq!(
        answer.rows,
        [[json!("lily"), json!("lily"), json!(false)], [json!("rose"), json!("rose"), json!(true)]]
    );
    assert_eq!(answer.columns[0].type_name, "STRING");
    let refused = world.refused("SELECT predict('kinds', petal) FROM flowers").await;
    assert!(refused.contains("expected predict('kinds', petal, colour)"), "{refused}");
    let refused = world.refused("SELECT score('kinds', petal, colour) FROM flowers").await;
    assert!(refused.contains("does not look for anomalies"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_of_every_type_come_back_in_it() {
    let (_disk, world) = World::new();
    world
        .sql(
            "CREATE STREAMING TABLE t (x DOUBLE, w STRING, n INT, b BOOLEAN) USING kafka OPTIONS (topic 't')",
        )
        .await;
    for label in ["w", "n", "b"] {
        let create = format!(
            "CREATE MODEL m_{label} OPTIONS (model_type 'naive_bayes', input_label_cols '[''{label}'']') \
             AS SELECT array(x) AS features, {label} FROM STREAM t"
        );
        world.sql(&create).await;
    }
    let rows: Vec<String> = (0..20)
        .map(|i| json!({"x": i % 2 * 10, "w": format!("w{}", i % 2), "n": i % 2 + 7, "b": i % 2 == 1}))
        .enumerate()
        .map(|(i, mut row)| {
            row["x"] = json!(row["x"].as_f64().unwrap() + i as f64 / 100.0);
            row.to_string()
        })
        .collect();
    world.write("t", 0, &rows).await;
    world.settled().await;
    let sql =
        "SELECT predict('m_w', array(x)), predict('m_n', array(x)), predict('m_b', array(x)) FROM t LIMIT 2";
    let answer = world.sql(sql).await;
    assert_eq!(answer.rows, [[json!("w0"), json!(7), json!(false)], [json!("w1"), json!(8), json!(true)]]);
    let types: Vec<&str> = answer.columns.iter().map(|column| column.type_name.as_str()).collect();
    assert_eq!(types, ["STRING", "BIGINT", "BOOLEAN"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_learned_from_is_refused_when_the_model_is_created() {
    let (_disk, world) = World::new();
    world.sql(FLOWERS).await;
    for (options, select, part) in [
        (
            "algorithm 'naive_bayes'",
            "petal, colour, species",
            "has no column label; it has petal, colour, species",
        ),
        ("algorithm 'naive_bayes', label 'kind'", "petal, species", "has no column kind"),
        ("algorithm 'naive_bayes', label 'species', k 3", "petal, species", "unknown option 'k'"),
        ("algorithm 'magic'", "petal, species", "known algorithms"),
        ("algorithm 'naive_bayes', model_type 'x'", "petal", "give one"),
        ("algorithm 'streaming_kmeans', label 'species'", "petal, species", "learns without one"),
        ("algorithm 'naive_bayes', label 'species'", "array(petal) AS a, petal, species", "the whole row"),
        (
            "algorithm 'naive_bayes', label 'species'",
            "petal AS P, colour AS p, species",
            "two columns have this name",
        ),
        ("algorithm 'naive_bayes', label 'species'", "_timestamp, species", "not from TIMESTAMP"),
        ("label 'species'", "petal, species", "expected an algorithm"),
    ] {
        let sql = format!("CREATE MODEL m OPTIONS ({options}) AS SELECT {select} FROM STREAM flowers");
        let refused = world.refused(&sql).await;
        assert!(refused.contains(part), "{sql}\n{refused}");
    }
    assert!(world.engine.models().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_rows_go_to_the_dead_letters_by_the_name_of_what_is_wrong() {
    let (_disk, world) = World::new();
    world.sql(FLOWERS).await;
    world
        .sql(
            "CREATE MODEL kinds OPTIONS (algorithm 'naive_bayes', label 'species') \
             AS SELECT petal * 1e300 AS petal, colour, species FROM STREAM flowers",
        )
        .await;
    let rows = [
        json!({"petal": 1e-300, "colour": "red", "species": "rose"}),
        json!({"petal": 1e-300, "colour": "red"}),
        json!({"petal": 1.0, "colour": "red", "species": "rose"}),
        json!({"petal": null, "colour": null, "species": "rose"}),
    ];
    world.write("flowers", 0, &rows.map(|row| row.to_string())).await;
    world.settled().await;
    let query = world.query("kinds");
    assert_eq!((query.rows_written, query.dead_letters.count), (2, 2));
    let reasons: Vec<&str> = query.dead_letters.samples.iter().map(|letter| letter.reason.as_str()).collect();
    assert_eq!(
        reasons,
        ["model kinds: the label is missing", "model kinds: value 0 is larger than 1e100 (petal)"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_names_classes_and_types() {
    let (disk, world) = World::new();
    world.sql(FLOWERS).await;
    world
        .sql(
            "CREATE MODEL kinds OPTIONS (algorithm 'naive_bayes', label 'species') \
             AS SELECT petal, colour, species FROM STREAM flowers",
        )
        .await;
    world
        .sql(
            "CREATE STREAMING TABLE told USING kafka OPTIONS (topic 'told') \
             AS SELECT petal, predict('kinds', petal, colour) AS kind FROM STREAM flowers",
        )
        .await;
    world.write("flowers", 0, &flowers(10)).await;
    world.settled().await;
    let ask = "SELECT predict('kinds', petal, colour), model_version('kinds') FROM flowers";
    let before = world.sql(ask).await.rows;
    world.engine.clone().close().await;
    drop(world);
    let world = World::open(&disk);
    assert_eq!(world.sql(ask).await.rows, before);
    world.write("flowers", 0, &flowers(10)).await;
    world.settled().await;
    assert_eq!(world.query("told").rows_written, 20);
}

const TEACH: &str = "CREATE MODEL kinds OPTIONS (algorithm 'naive_bayes', label 'species') \
                     AS SELECT petal, colour, species FROM STREAM flowers";

#[tokio::test(flavor = "multi_thread")]
async fn an_older_version_is_asked_pinned_and_learned_on_from() {
    let (disk, world) = World::new();
    world.sql(FLOWERS).await;
    world.sql(TEACH).await;
    for _ in 0..3 {
        world.write("flowers", 0, &flowers(10)).await;
        world.settled().await;
    }
    let versions = world.sql("SHOW VERSIONS OF MODEL kinds").await.rows;
    let told: Vec<_> = versions.iter().map(|row| (row[0].clone(), row[2].clone(), row[4].clone())).collect();
    let row = |version: &str, rows: &str, answers: &str| (json!(version), json!(rows), json!(answers));
    assert_eq!(told, [row("1", "10", ""), row("2", "20", ""), row("3", "30", "yes")]);
    let version = |world: &World, reference: &str| {
        let sql = format!("SELECT model_version('{reference}')");
        let asked = world.engine.clone();
        async move { asked.execute(&sql).await.unwrap().pop().unwrap().rows[0][0].clone() }
    };
    assert_eq!(version(&world, "kinds@2").await, json!(2));
    assert_eq!(version(&world, "KINDS@2023-11-15T00:00:00Z").await, json!(3));
    let refused = world.refused("SELECT predict('kinds@9', petal, colour) FROM flowers").await;
    assert!(refused.contains("no such version; kept are 1 to 3"), "{refused}");

    world.sql("ALTER MODEL kinds PIN VERSION 1").await;
    world.write("flowers", 0, &flowers(10)).await;
    world.settled().await;
    assert_eq!(version(&world, "kinds").await, json!(1), "it learns on, the pinned one answers");
    let model = &world.engine.models()[0];
    assert_eq!((model.version, model.serving, model.rows_learned), (4, Some(1), 40));
    world.engine.clone().close().await;
    drop(world);
    let world = World::open(&disk);
    assert_eq!(version(&world, "kinds").await, json!(1), "also after a restart");
    world.sql("ALTER MODEL kinds UNPIN").await;
    assert_eq!(version(&world, "kinds").await, json!(4));

    world.sql("ALTER MODEL kinds ROLLBACK TO VERSION 1").await;
    let model = &world.engine.models()[0];
    assert_eq!((model.version, model.rows_learned), (5, 10));
    world.write("flowers", 0, &flowers(4)).await;
    world.settled().await;
    assert_eq!(world.engine.models()[0].rows_learned, 14, "it learns on from there");
    world.sql("ALTER MODEL kinds RESET").await;
    assert_eq!(world.engine.models()[0].rows_learned, 0);
    let refused = world.refused("ALTER MODEL kinds ROLLBACK TO VERSION 99").await;
    assert!(refused.contains("no such version"), "{refused}");
    let refused = world.refused("ALTER MODEL kinds SET (depth 3)").await;
    assert!(refused.contains("option 'depth' of naive_bayes cannot be changed"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exported_model_comes_back_as_it_was() {
    let (_disk, world) = World::new();
    world.sql(FLOWERS).await;
    world.sql(TEACH).await;
    world.write("flowers", 0, &flowers(10)).await;
    world.settled().await;
    let exported = world.engine.export_model("kinds").unwrap();
    world.write("flowers", 0, &flowers(30)).await;
    world.settled().await;
    assert_eq!(world.engine.import_model("kinds", exported.clone()).await.unwrap(), 3);
    assert_eq!(world.engine.export_model("kinds").unwrap(), exported);
    assert_eq!(world.engine.models()[0].rows_learned, 10);
    world.sql("CREATE MODEL other OPTIONS (algorithm 'streaming_kmeans') AS SELECT array(petal) FROM STREAM flowers").await;
    let refused = world.engine.import_model("other", exported).await.unwrap_err().to_string();
    assert!(refused.contains("other columns, or by another algorithm"), "{refused}");
    let refused = world.engine.import_model("kinds", json!({"format": "x"})).await.unwrap_err().to_string();
    assert!(refused.contains("not an exported model"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_goes_to_a_file_and_comes_back() {
    let (disk, world) = World::new();
    world.sql(FLOWERS).await;
    for (name, features) in [("kinds", "petal, colour"), ("petals", "petal")] {
        let sql = format!(
            "CREATE MODEL {name} OPTIONS (algorithm 'naive_bayes', label 'species') \
             AS SELECT {features}, species FROM STREAM flowers"
        );
        world.sql(&sql).await;
    }
    let refused = world.refused("EXPORT MODEL kinds TO 'kinds.json'").await;
    assert!(refused.contains("no version yet"), "{refused}");
    world.write("flowers", 0, &flowers(20)).await;
    world.settled().await;
    let exported = world.engine.export_model("kinds").unwrap();
    world.sql("EXPORT MODEL kinds VERSION 1 TO 'kinds.json'; ALTER MODEL kinds RESET").await;
    world.sql("IMPORT MODEL kinds FROM 'kinds.json'").await;
    assert_eq!(world.engine.export_model("kinds@3").unwrap(), exported);
    world.sql("EXPORT MODEL petals TO 'petals.onnx'; EXPORT MODEL petals TO 'petals' FORMAT ONNX").await;
    let graph = env::Disk::read(&disk, "petals.onnx".as_ref()).unwrap();
    assert_eq!(graph, world.engine.export_onnx("petals").unwrap());
    assert_eq!(graph, env::Disk::read(&disk, "petals".as_ref()).unwrap());
    for (sql, part) in [
        ("EXPORT MODEL kinds TO 'kinds.onnx'", "column 'colour' holds names"),
        ("EXPORT MODEL kinds VERSION 9 TO 'kinds.json'", "there is no such version"),
        ("EXPORT MODEL kinds TO 'a' FORMAT pmml", "expected JSON or ONNX"),
        ("EXPORT MODEL nobody TO 'a'", "model nobody does not exist"),
        ("IMPORT MODEL petals FROM 'kinds.json'", "learns from other columns"),
        ("IMPORT MODEL kinds FROM 'petals.onnx'", "is not an exported model"),
        ("IMPORT MODEL kinds FROM 'nowhere.json'", "read nowhere.json"),
    ] {
        let refused = world.refused(sql).await;
        assert!(refused.contains(part), "{sql}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_model_learns_on() {
    let (disk, world) = World::new();
    world.sql(FLOWERS).await;
    world.sql(TEACH).await;
    world.write("flowers", 0, &flowers(10)).await;
    world.settled().await;
    world.sql("ALTER MODEL kinds RENAME TO species_of").await;
    world.write("flowers", 0, &flowers(10)).await;
    world.settled().await;
    let known = |world: &World| {
        let models = world.engine.models();
        (models.len(), models[0].name.clone(), models[0].rows_learned)
    };
    assert_eq!(known(&world), (1, "species_of".to_owned(), 20));
    world.engine.clone().close().await;
    drop(world);
    let world = World::open(&disk);
    assert_eq!(known(&world), (1, "species_of".to_owned(), 20));
    world.sql("CREATE STREAMING TABLE told USING kafka OPTIONS (topic 'told') AS SELECT predict('species_of', petal, colour) AS kind FROM STREAM flowers").await;
    let refused = world.refused("ALTER MODEL species_of RENAME TO kinds").await;
    assert!(refused.contains("told"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_answered_past_sql() {
    let (_disk, world) = World::new();
    world.sql(FLOWERS).await;
    world.sql(TEACH).await;
    let ask = |rows: serde_json::Value| {
        let detail = engine::Detail { probabilities: true, explanation: false };
        world.engine.predict("kinds", rows.as_array().unwrap(), detail)
    };
    let refused = ask(json!([{}])).unwrap_err().to_string();
    assert!(refused.contains("no version yet"), "{refused}");
    world.write("flowers", 0, &flowers(40)).await;
    world.settled().await;
    let answer = ask(json!([{"petal": 5.2, "colour": "red"}, {"petal": "x"}, 7, {"petal": 1e200}])).unwrap();
    assert_eq!((answer.version, answer.predictions.len()), (1, 4));
    assert_eq!(answer.predictions[0].prediction, json!("rose"));
    assert!(answer.predictions[0].probabilities.as_ref().unwrap()["rose"].as_f64().unwrap() > 0.99);
    let errors: Vec<_> = answer.predictions[1..].iter().map(|row| row.error.clone().unwrap()).collect();
    assert_eq!(
        errors,
        [
            "petal is a number, not \"x\"",
            "expected an object with the features by name",
            "value 0 is larger than 1e100 (petal)"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn flink_and_bigquery_words_are_understood() {
    let (_disk, world) = World::new();
    world.sql(FLOWERS).await;
    world.sql(TEACH).await;
    world.write("flowers", 0, &flowers(40)).await;
    world.settled().await;
    for sql in [
        "SELECT species, prediction, model_version FROM ML_PREDICT(TABLE flowers, MODEL kinds, DESCRIPTOR(petal, colour)) LIMIT 2",
        "SELECT species, prediction, model_version FROM ML.PREDICT(MODEL kinds VERSION AS OF 1, TABLE flowers, DESCRIPTOR(petal, colour)) AS p LIMIT 2",
        "SELECT species, prediction, model_version FROM ML_PREDICT((SELECT * FROM flowers), MODEL kinds TIMESTAMP AS OF '2033-01-01', DESCRIPTOR(petal, colour)) LIMIT 2",
    ] {
        let rows = world.sql(sql).await.rows;
        assert_eq!(
            rows,
            [[json!("lily"), json!("lily"), json!(1)], [json!("rose"), json!("rose"), json!(1)]],
            "{sql}"
        );
    }
    let sql = "SELECT * FROM ML_EVALUATE(TABLE flowers, MODEL kinds, DESCRIPTOR(species), DESCRIPTOR(petal, colour)) \
               WHERE metric IN ('accuracy', 'kappa', 'rows') ORDER BY metric";
    let rows = world.sql(sql).await.rows;
    assert_eq!(
        rows,
        [[json!("accuracy"), json!(1.0)], [json!("kappa"), json!(1.0)], [json!("rows"), json!(40.0)]]
    );
    let rows = world.sql("SELECT evaluate(petal, petal + 1)['mae'] AS mae FROM flowers").await.rows;
    assert_eq!(rows[0][0].as_f64().map(|mae| (mae * 1e9).round() / 1e9), Some(1.0));
    world
        .sql(
            "CREATE STREAMING TABLE told USING kafka OPTIONS (topic 'told') AS SELECT species, prediction \
             FROM ML_PREDICT(STREAM flowers, MODEL kinds, DESCRIPTOR(petal, colour))",
        )
        .await;
    world.settled().await;
    assert_eq!(world.read("told")[1], json!({"species": "rose", "prediction": "rose"}));
    let refused = world.refused("SELECT * FROM ML_PREDICT(TABLE flowers, MODEL kinds)").await;
    assert!(refused.contains("column 15: expected ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR"), "{refused}");
    let figures = &world.engine.models()[0].evaluation;
    assert_eq!(figures["overall"]["rows"], 40);
    assert!(figures["window"]["accuracy"].as_f64().unwrap() > 0.9, "{figures}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_better_of_two_models_answers() {
    let (disk, world) = World::new();
    world.sql(FLOWERS).await;
    // One learns the colour only, which says nothing for the first rows.
    for (name, features) in [("blind", "0.0 * petal AS petal, 'x' AS colour"), ("seeing", "petal, colour")] {
        let sql = format!(
            "CREATE MODEL {name} OPTIONS (algorithm 'naive_bayes', label 'species') \
             AS SELECT {features}, species FROM STREAM flowers"
        );
        world.sql(&sql).await;
    }
    let refused = world.refused("CREATE MODEL best FROM MODELS (blind, nobody)").await;
    assert!(refused.contains("model nobody does not exist"), "{refused}");
    let refused = world.refused("CREATE MODEL best FROM MODELS (blind) OPTIONS (metric 'mae')").await;
    assert!(refused.contains("is one of accuracy"), "{refused}");
    world.sql("CREATE MODEL best FROM MODELS (blind, seeing) OPTIONS (min_rows 20, margin 0.05)").await;
    world
        .sql(
            "CREATE STREAMING TABLE told USING kafka OPTIONS (topic 'told') AS SELECT \
             predict('best', petal, colour) AS kind FROM STREAM flowers",
        )
        .await;
    world.write("flowers", 0, &flowers(40)).await;
    world.settled().await;
    world.write("flowers", 0, &flowers(40)).await;
    world.settled().await;
    let kinds = world.read("told");
    assert_eq!(
        kinds[40..44],
        [json!({"kind": "lily"}), json!({"kind": "rose"}), json!({"kind": "lily"}), json!({"kind": "rose"})]
    );
    let standing = |world: &World| {
        let models = world.engine.models();
        models.iter().find(|model| model.name == "best").unwrap().detail.clone()
    };
    assert_eq!(standing(&world)["champion"], "seeing", "{}", standing(&world));
    let refused = world.refused("DROP MODEL seeing").await;
    assert!(refused.contains("best"), "{refused}");
    world.engine.clone().close().await;
    drop(world);
    let world = World::open(&disk);
    assert_eq!(standing(&world)["champion"], "seeing");
    world.sql("DROP TABLE told; DROP MODEL best; DROP MODEL seeing").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_champion_stays_one_through_a_restart_until_somebody_is_better_by_the_margin() {
    let (disk, world) = World::new();
    world.sql("CREATE STREAMING TABLE t (x DOUBLE, kind STRING) USING kafka OPTIONS (topic 't')").await;
    for algorithm in ["majority_class", "no_change"] {
        let sql = format!(
            "CREATE MODEL {algorithm} OPTIONS (algorithm '{algorithm}', label 'kind', evaluation_window 20) \
             AS SELECT x, kind FROM STREAM t"
        );
        world.sql(&sql).await;
    }
    world
        .sql("CREATE MODEL best FROM MODELS (majority_class, no_change) OPTIONS (min_rows 20, margin 0.9)")
        .await;
    let row = |kind: &str| json!({"x": 1.0, "kind": kind}).to_string();
    let in_runs: Vec<String> = (0..24).map(|index| row(if index / 6 % 2 == 0 { "a" } else { "b" })).collect();
    world.write("t", 0, &in_runs).await;
    world.settled().await;
    let standing = |world: &World| {
        let models = world.engine.models();
        let detail = models.into_iter().find(|model| model.name == "best").unwrap().detail;
        (detail["champion"].clone(), detail["promotions"].clone(), detail["figures"].clone())
    };
    assert_eq!(standing(&world).0, "no_change", "{:?}", standing(&world));
    // Now nothing stays as it is, and the other one is better, but not by so much.
    let in_turn: Vec<String> = (0..30).map(|index| row(if index % 2 == 0 { "a" } else { "b" })).collect();
    world.write("t", 0, &in_turn).await;
    world.settled().await;
    let (champion, promotions, figures) = standing(&world);
    assert_eq!((champion, promotions), (json!("no_change"), json!(0)));
    assert!(figures[0][1].as_f64() > figures[1][1].as_f64(), "{figures}");
    world.close().await;
    let world = World::open(&disk);
    assert_eq!(standing(&world), (json!("no_change"), json!(0), figures));
    world
        .sql("CREATE OR REPLACE MODEL best FROM MODELS (majority_class, no_change) OPTIONS (min_rows 20)")
        .await;
    assert_eq!(standing(&world).0, "majority_class", "a new contest begins with the best");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_series_tells_its_future() {
    let (_disk, world) = World::new();
    world.sql("CREATE STREAMING TABLE sales (n DOUBLE) USING kafka OPTIONS (topic 'sales')").await;
    world
        .sql(
            "CREATE MODEL next OPTIONS (algorithm 'seasonal_naive', seasonality 3, label 'n') \
             AS SELECT n FROM STREAM sales",
        )
        .await;
    assert_eq!(world.sql("SELECT forecast('next', 2) AS f").await.rows, [[json!(null)]]);
    let rows: Vec<String> = (0..9).map(|index| json!({"n": index % 3}).to_string()).collect();
    world.write("sales", 0, &rows).await;
    world.settled().await;
    assert_eq!(world.sql("SELECT forecast('next', 4) AS f").await.rows, [[json!([0.0, 1.0, 2.0, 0.0])]]);
    assert_eq!(world.sql("SELECT predict('next') AS p").await.rows, [[json!(0.0)]]);
    let refused = world.refused("SELECT forecast('next', 0)").await;
    assert!(refused.contains("a number from 1 to 10000, not 0"), "{refused}");
}
