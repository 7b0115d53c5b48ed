//! Where rows go beside topics, and when queries run.

use std::io::Write;
use std::sync::{Arc, Mutex};

use engine::{Config, Console, Engine, QueryState};
use env::{Disk as _, SimDisk};
use serde_json::{Value, json};
use topics::Topics;

use crate::support::{World, env_of};

const WORDS: &str = "CREATE STREAMING TABLE words (word STRING, n INT)
    USING kafka OPTIONS (topic 'words', maxOffsetsPerTrigger 2)";

#[derive(Debug, Clone, Default)]
struct Printed(Arc<Mutex<Vec<u8>>>);

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn words(rows: &[(&str, i32)]) -> Vec<String> {
    rows.iter().map(|(word, n)| json!({ "word": word, "n": n }).to_string()).collect()
}

/// A world whose console can be read.
fn with_console(disk: &SimDisk) -> (World, Printed) {
    disk.create_dir_all("/data".as_ref()).unwrap();
    let (topics, _) = Topics::open(topics::Config::new("/data"), env_of(disk)).unwrap();
    let printed = Printed::default();
    let config = Config { console: Console::to(printed.clone()), ..Config::new("/data") };
    let engine = Engine::open(config, topics.clone(), env_of(disk)).unwrap();
    (World { topics, engine }, printed)
}

async fn rows(world: &World, sql: &str) -> Vec<Value> {
    world.sql(sql).await.rows.into_iter().map(Value::from).collect()
}

#[tokio::test]
async fn a_table_in_memory_can_be_asked() {
    let (_disk, world) = World::new();
    world.sql(WORDS).await;
    world.sql("CREATE STREAMING TABLE kept USING memory AS SELECT word, n FROM STREAM words").await;
    world
        .sql(
            "CREATE STREAMING TABLE counted USING memory OPTIONS (key 'word')
             AS SELECT word, count(*) AS times, sum(n) AS total FROM STREAM words GROUP BY word",
        )
        .await;
    world.write("words", 0, &words(&[("a", 1), ("b", 2), ("a", 3), ("c", 4), ("a", 5)])).await;
    world.caught_up().await;
    let kept = rows(&world, "SELECT word, sum(n) FROM kept GROUP BY word ORDER BY word").await;
    assert_eq!(kept, [json!(["a", 9]), json!(["b", 2]), json!(["c", 4])]);
    // Each group once, though three batches changed `a`.
    let counted = rows(&world, "SELECT * FROM counted ORDER BY word").await;
    assert_eq!(counted, [json!(["a", 3, 9]), json!(["b", 1, 2]), json!(["c", 1, 4])]);
    // Tables in memory and topics meet in one statement.
    let joined = rows(&world, "SELECT c.total FROM words w JOIN counted c ON w.word = c.word WHERE w.n = 5");
    assert_eq!(joined.await, [json!([9])]);
    world.sql("DROP TABLE kept").await;
    assert!(world.refused("SELECT * FROM kept").await.contains("kept"));
}

#[tokio::test]
async fn the_console_shows_batches_as_spark_does() {
    let (world, printed) = with_console(&SimDisk::new());
    world.sql(WORDS).await;
    world
        .sql(
            "CREATE STREAMING TABLE seen USING console OPTIONS (numRows 1)
             AS SELECT word, n FROM STREAM words WHERE n > 1",
        )
        .await;
    world.write("words", 0, &words(&[("a", 2), ("b", 3), ("c", 1), ("d", 4)])).await;
    world.caught_up().await;
    let text = String::from_utf8(printed.0.lock().unwrap().clone()).unwrap();
    let rule = "-------------------------------------------";
    let table = |word, n| format!("+----+---+\n|word|  n|\n+----+---+\n|   {word}|  {n}|\n+----+---+\n");
    let first = format!("{rule}\nBatch: 0\n{rule}\n{}only showing top 1 row\n\n", table("a", 2));
    let second = format!("{rule}\nBatch: 1\n{rule}\n{}\n", table("d", 4));
    assert_eq!(text, first + &second);
}

#[tokio::test]
async fn available_now_reads_what_is_there_in_batches_and_ends() {
    let (disk, world) = World::new();
    world.sql(WORDS).await;
    world.write("words", 0, &words(&[("a", 1), ("b", 2), ("c", 3)])).await;
    let create = "CREATE STREAMING TABLE now USING kafka OPTIONS (topic 'now', trigger 'availableNow')
                  AS SELECT word FROM STREAM words";
    world.sql(create).await;
    world.until("ended", |world| world.query("now").state == QueryState::Stopped).await;
    let status = world.query("now");
    assert_eq!((status.batch_id, status.rows_total, status.error), (2, 3, None));
    world.write("words", 0, &words(&[("d", 4)])).await;
    world.close().await;
    // The next start finds more and takes that.
    let world = World::open(&disk);
    world.until("ended again", |world| world.query("now").state == QueryState::Stopped).await;
    assert_eq!(world.read("now").len(), 4);
}

#[tokio::test]
async fn once_reads_everything_in_one_batch() {
    let (_disk, world) = World::new();
    world.sql(WORDS).await;
    world.write("words", 0, &words(&[("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5)])).await;
    world
        .sql(
            "CREATE STREAMING TABLE now USING noop OPTIONS (trigger 'once') AS SELECT word FROM STREAM words",
        )
        .await;
    world.until("ended", |world| world.query("now").state == QueryState::Stopped).await;
    let status = world.query("now");
    assert_eq!((status.batch_id, status.rows_total, status.rows_written), (1, 5, 5));
}

#[tokio::test]
async fn a_processing_time_holds_batches_apart() {
    let (_disk, world) = World::new();
    world.sql(WORDS).await;
    world
        .sql(
            "CREATE STREAMING TABLE slow USING noop OPTIONS (trigger 'processingTime 7 milliseconds')
             AS SELECT word FROM STREAM words",
        )
        .await;
    for n in 0..5 {
        world.write("words", 0, &words(&[("a", n)])).await;
    }
    world.caught_up().await;
    assert_eq!(world.query("slow").rows_written, 5);
    // One that would wait for an hour still stops when it is told to.
    world
        .sql(
            "CREATE STREAMING TABLE hourly USING noop OPTIONS (trigger 'processingTime 1 hour')
             AS SELECT word FROM STREAM words",
        )
        .await;
    world.until("the first batch", |world| world.query("hourly").batch_id == 1).await;
    world.sql("DROP TABLE hourly").await;
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    let (_disk, world) = World::new();
    world.sql(WORDS).await;
    world.sql("CREATE STREAMING TABLE gone USING noop AS SELECT word FROM STREAM words").await;
    world.sql("CREATE STREAMING TABLE held USING memory AS SELECT word FROM STREAM words").await;
    let table =
        |rest: &str| format!("CREATE STREAMING TABLE t USING {rest} AS SELECT word FROM STREAM words");
    for (sql, expected) in [
        ("CREATE STREAMING TABLE t (a INT) USING memory".to_owned(), "needs a query that fills it"),
        (table("memory OPTIONS (speed 1)"), "option speed is not known; known are key, trigger"),
        (table("memory OPTIONS (key 'nothing')"), "the query has no column nothing"),
        (table("noop OPTIONS (trigger 'sometimes')"), "trigger is 'processingTime 2 seconds'"),
        (table("noop OPTIONS (trigger 'processingTime soon')"), "'soon' is not an interval"),
        (
            table("memory OPTIONS (checkpointLocation '/c')"),
            "checkpointLocation is not for a table in memory",
        ),
        (table("console OPTIONS (numRows 0)"), "numRows is a whole number"),
        ("SELECT * FROM gone".to_owned(), "gone: stands on noop, which keeps no rows to read"),
        (
            "CREATE STREAMING TABLE t USING noop AS SELECT word FROM STREAM held".to_owned(),
            "held: is a table in memory",
        ),
    ] {
        let refused = world.refused(&sql).await;
        assert!(refused.contains(expected), "{sql}\n{refused}");
    }
}

#[tokio::test]
async fn batches_are_told_in_sparks_words_and_queries_stop_and_go_on() {
    let (_disk, world) = World::new();
    world.sql(WORDS).await;
    world
        .sql(
            "CREATE STREAMING TABLE told USING kafka OPTIONS (topic 'told')
             AS SELECT word, count(*) AS n FROM STREAM words GROUP BY word",
        )
        .await;
    world.write("words", 0, &words(&[("a", 1), ("b", 2), ("a", 3)])).await;
    world.caught_up().await;
    let told = world.engine.progress("TOLD").unwrap();
    let told: Vec<Value> = told.iter().map(|batch| serde_json::to_value(batch).unwrap()).collect();
    assert_eq!(told.len(), 2);
    let second = &told[1];
    assert_eq!((&second["batchId"], &second["numInputRows"]), (&json!(1), &json!(1)));
    assert_eq!(second["timestamp"], "2023-11-14T22:13:20.000Z");
    assert_eq!((&second["id"], &second["runId"]), (&told[0]["id"], &told[0]["runId"]));
    assert_eq!(second["sources"][0]["startOffset"], json!({"words": {"0": 2}}));
    assert_eq!(second["sources"][0]["endOffset"], json!({"words": {"0": 3}}));
    assert_eq!(second["sink"], json!({"description": "kafka[told]", "numOutputRows": 1}));
    let state = &second["stateOperators"][0];
    assert_eq!((&state["numRowsTotal"], &state["numRowsUpdated"]), (&json!(2), &json!(1)));
    let parts = ["addBatch", "commitOffsets", "getBatch", "latestOffset", "triggerExecution", "walCommit"];
    let given: Vec<&String> = second["durationMs"].as_object().unwrap().keys().collect();
    assert_eq!(given, parts);
    assert_eq!(world.engine.progress("nobody"), None);

    world.engine.stop_query("told").await.unwrap();
    assert_eq!(world.query("told").state, QueryState::Stopped);
    world.write("words", 0, &words(&[("a", 4)])).await;
    world.engine.start_query("told").await.unwrap();
    world.caught_up().await;
    // The state was kept, and the run is another one.
    assert_eq!(world.read("told").last().unwrap(), &json!({"word": "a", "n": 3}));
    let again = serde_json::to_value(world.engine.progress("told").unwrap()).unwrap();
    assert_eq!(again[0]["id"], told[0]["id"]);
    assert_ne!(again[0]["runId"], told[0]["runId"]);
    let refused = world.engine.stop_query("nobody").await.unwrap_err();
    assert!(refused.to_string().contains("query nobody does not exist; known are told"), "{refused}");
}

#[tokio::test]
async fn rows_that_look_like_records_become_records() {
    let (_disk, world) = World::new();
    world.sql(WORDS).await;
    world
        .sql(
            "CREATE STREAMING TABLE sent USING kafka AS SELECT word AS key, concat(word, '!') AS value,
                 CASE WHEN n > 1 THEN 'large' END AS topic, 0 AS partition,
                 array(named_struct('key', 'n', 'value', CAST(n AS STRING))) AS headers
             FROM STREAM words",
        )
        .await;
    world.sql("CREATE STREAMING TABLE one USING kafka OPTIONS (topic 'one') AS SELECT word AS value, 'other' AS topic FROM STREAM words").await;
    world.sql("CREATE STREAMING TABLE same USING kafka OPTIONS (topic 'same', format 'json') AS SELECT word AS value FROM STREAM words").await;
    world.write("words", 0, &words(&[("a", 1), ("b", 2)])).await;
    world.caught_up().await;
    let records = |topic: &str| {
        let partition = world.topics.topic(topic).unwrap().partition(0).unwrap();
        let read = partition.read(0, 1 << 20, true).unwrap();
        let batches = record::batches(&read.bytes).map(Result::unwrap);
        let text =
            |bytes: Option<bytes::Bytes>| bytes.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
        let records = batches.flat_map(|batch| batch.records(1 << 20).unwrap().collect::<Vec<_>>());
        let records = records.map(Result::unwrap).map(|record| {
            let header = record.headers.first().and_then(|(_, value)| text(value.clone()));
            (text(record.key), text(record.value), header)
        });
        records.collect::<Vec<_>>()
    };
    let some = |text: &str| Some(text.to_owned());
    // What names no topic goes to that of the table's name.
    assert_eq!(records("sent"), [(some("a"), some("a!"), some("1"))]);
    assert_eq!(records("large"), [(some("b"), some("b!"), some("2"))]);
    assert_eq!(records("one"), [(None, some("a"), None), (None, some("b"), None)]);
    assert!(world.topics.topic("other").is_none(), "the option is stronger than the column, as in Spark");
    assert_eq!(world.read("same")[0], json!({"value": "a"}));
    for (sql, expected) in [
        ("SELECT * FROM one", "one: holds records as its query made them"),
        ("CREATE STREAMING TABLE t USING kafka AS SELECT word AS value FROM STREAM words", "no column topic"),
        (
            "CREATE STREAMING TABLE t USING kafka OPTIONS (topic 't') AS SELECT n AS value FROM STREAM words",
            "column value: is INT; a record's has to be STRING or BINARY",
        ),
    ] {
        let refused = world.refused(sql).await;
        assert!(refused.contains(expected), "{sql}\n{refused}");
    }
}
