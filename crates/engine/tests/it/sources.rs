//! Tables over everything that rows come from.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use env::{Disk as _, Env, ManualClock, OpenMode, SimDisk};
use record::{BatchBuilder, Compression, Producer};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use topics::{Acks, Topics};

use crate::support::World;

fn rows(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

/// Time, key, value and headers.
type Record<'a> = (i64, &'a [u8], &'a [u8], &'a [(&'a str, &'a str)]);

impl World {
    pub(crate) async fn asked(&self, sql: &str) -> Vec<Value> {
        self.sql(sql).await.rows.into_iter().map(Value::from).collect()
    }

    /// One record with all that a record can have.
    async fn record(&self, topic: &str, partition: u32, record: Record<'_>) {
        let (time, key, value, headers) = record;
        let mut batch = BatchBuilder::new(Compression::None, Producer::NONE);
        let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        let headers: Vec<_> = headers.iter().map(|(key, value)| (bytes(key), Some(bytes(value)))).collect();
        batch.push(time, Some(key), Some(value), &headers);
        let partition = self.topics.topic(topic).unwrap().partition(partition).unwrap();
        partition.enqueue(batch.build(), Acks::All).unwrap().await.unwrap();
    }
}

fn put(disk: &SimDisk, path: &str, text: &[u8]) {
    disk.create_dir_all(Path::new(path).parent().unwrap()).unwrap();
    // As careful writers do: under a hidden name first.
    let hidden = Path::new(path).with_file_name("_half");
    disk.open(&hidden, OpenMode::Truncate).unwrap().write_at(text, 0).unwrap();
    disk.rename(&hidden, path.as_ref()).unwrap();
}

#[tokio::test]
async fn a_table_without_format_has_sparks_columns() {
    let (_disk, world) = World::new();
    world.sql("CREATE STREAMING TABLE r USING kafka OPTIONS (subscribe 'r', includeHeaders true)").await;
    world.record("r", 0, (7_000, b"k", b"\xffv", &[("trace", "1"), ("trace", "2")])).await;
    world.record("r", 0, (8_000, b"", b"plain", &[])).await;
    let found = world
        .asked("SELECT key, value, topic, partition, offset, timestamp, timestampType, headers[1]['key'] AS h FROM r")
        .await;
    assert_eq!(found[0], json!(["6b", "ff76", "r", 0, 0, "1970-01-01T00:00:07Z", 0, "trace"]));
    assert_eq!(found[1], json!(["", "706c61696e", "r", 0, 1, "1970-01-01T00:00:08Z", 0, null]));
    let found = world.asked("SELECT array_length(_headers) AS n FROM r ORDER BY _offset").await;
    assert_eq!(found, [json!([2]), json!([null])]);
}

#[tokio::test]
async fn formats_read_what_they_can_and_say_what_they_cannot() {
    let (_disk, world) = World::new();
    world
        .sql(
            "CREATE STREAMING TABLE c (n INT, s STRING, f DOUBLE)
               USING kafka OPTIONS (topic 'c', format 'csv', sep ';', nullValue '-');
             CREATE STREAMING TABLE o USING kafka OPTIONS (topic 'o') AS SELECT n, s, f FROM STREAM c;
             CREATE STREAMING TABLE t USING kafka OPTIONS (topic 'c', format 'text');
             CREATE STREAMING TABLE b USING kafka OPTIONS (topic 'c', format 'raw');",
        )
        .await;
    let lines =
        ["1;a;0.5", "x;b;1", "2;\"q;\"\"\n", "3;\"q;z\";-", "4;a\n5;b", "6;d", "7;a;1;1", "", "8;e;2\r\n"];
    world.write("c", 0, &rows(&lines)).await;
    world.caught_up().await;
    assert_eq!(
        world.read("o"),
        [
            json!({"n": 1, "s": "a", "f": 0.5}),
            json!({"n": 3, "s": "q;z", "f": null}),
            json!({"n": 6, "s": "d", "f": null}),
            json!({"n": 8, "s": "e", "f": 2.0})
        ]
    );
    let letters = world.query("o").dead_letters;
    let reasons: Vec<(i64, &str)> = letters.samples.iter().map(|s| (s.offset, s.reason.as_str())).collect();
    assert_eq!(letters.count, 5, "{reasons:?}");
    assert!(reasons[0].1.starts_with("malformed CSV: Error while parsing value 'x'"), "{reasons:?}");
    assert_eq!(reasons[1], (2, "malformed CSV: a quote is not closed"));
    assert_eq!(reasons[2], (4, "malformed CSV: the value holds more than one line"));
    assert!(reasons[3].1.contains("expected 3 got more than 3"), "{reasons:?}");
    assert_eq!(reasons[4], (7, "malformed CSV: the value is empty"));
    assert_eq!(world.asked("SELECT value FROM t WHERE _offset = 5").await, [json!(["6;d"])]);
    assert_eq!(world.asked("SELECT value FROM b WHERE _offset = 5").await, [json!(["363b64"])]);
}

#[tokio::test]
async fn several_topics_are_one_table() {
    let (disk, world) = World::new();
    world
        .sql(
            "CREATE STREAMING TABLE both (a INT) USING kafka OPTIONS (subscribe 'x1, x2');
             CREATE STREAMING TABLE every (a INT) USING kafka OPTIONS (subscribePattern 'x[0-9]');
             CREATE STREAMING TABLE some (a INT) USING kafka OPTIONS (assign '{\"x1\":[0]}');
             CREATE STREAMING TABLE copy USING kafka OPTIONS (topic 'copy') AS SELECT a, _topic AS t FROM STREAM every;",
        )
        .await;
    world.write("x1", 0, &rows(&[r#"{"a":1}"#])).await;
    world.write("x2", 0, &rows(&[r#"{"a":2}"#])).await;
    world.caught_up().await;
    // A topic that came later, and one that does not match as a whole.
    world.write("x3", 0, &rows(&[r#"{"a":3}"#])).await;
    world.write("x33", 0, &rows(&[r#"{"a":33}"#])).await;
    world.until("three rows", |world| world.read("copy").len() == 3).await;
    assert_eq!(crate::support::sorted(&world.read("copy"), "t"), ["x1", "x2", "x3"]);
    assert_eq!(world.asked("SELECT a FROM both ORDER BY a").await, [json!([1]), json!([2])]);
    assert_eq!(world.asked("SELECT a FROM some").await, [json!([1])]);
    let source = world.query("copy").source;
    assert_eq!(source.keys().collect::<Vec<_>>(), ["x1", "x2", "x3"]);
    world.close().await;
    let world = World::open(&disk);
    world.write("x2", 0, &rows(&[r#"{"a":4}"#])).await;
    world.until("the fourth row", |world| world.read("copy").len() == 4).await;
    let refused = world
        .refused("CREATE STREAMING TABLE x4 USING kafka OPTIONS (topic 'x4') AS SELECT a FROM STREAM every")
        .await;
    assert_eq!(refused, "topic: the query would read what it writes");
    world.topics.delete("x3").unwrap();
    world.write("x1", 0, &rows(&[r#"{"a":5}"#])).await;
    world.settled().await;
    let error = world.query("copy").error.unwrap();
    assert!(error.contains("topic x3 does not exist any more"), "{error}");
}

#[tokio::test]
async fn reading_begins_and_ends_where_it_is_told() {
    let (_disk, world) = World::new();
    world.topics.create("p", 2, Default::default()).unwrap();
    for n in 0..6_u32 {
        let value = format!(r#"{{"n":{n}}}"#);
        world.record("p", n % 2, (1_000 * i64::from(n), b"", value.as_bytes(), &[])).await;
    }
    for (options, expected) in [
        (r#"startingOffsets '{"p":{"0":1,"1":-1}}'"#, vec![2, 4]),
        (r#"startingOffsets '{"p":{"1":-2}}', endingOffsets '{"p":{"0":0,"1":2}}'"#, vec![1, 3]),
        ("startingTimestamp 3000", vec![3, 4, 5]),
        (r#"startingOffsetsByTimestamp '{"p":{"0":4000}}', endingTimestamp 4000"#, vec![1, 3]),
        ("startingTimestamp 9000, startingOffsetsByTimestampStrategy latest", vec![]),
    ] {
        world
            .sql(&format!(
                "CREATE OR REPLACE STREAMING TABLE p (n INT) USING kafka OPTIONS (topic 'p', {options})"
            ))
            .await;
        let found = world.asked("SELECT n FROM p ORDER BY n").await;
        assert_eq!(found, expected.iter().map(|n| json!([n])).collect::<Vec<_>>(), "{options}");
    }
    world.sql("CREATE OR REPLACE STREAMING TABLE p (n INT) USING kafka OPTIONS (topic 'p', startingTimestamp 9000)").await;
    let copy = "CREATE STREAMING TABLE c USING kafka OPTIONS (topic 'c') AS SELECT n FROM STREAM p";
    assert_eq!(world.refused(copy).await, "begin query c");
    for (options, reason) in [
        ("", "expected OPTIONS with a topic"),
        ("topic 'p', subscribe 'q'", "exclude each other"),
        ("subscribePattern '['", "subscribePattern is a regular expression"),
        ("assign 'p'", "assign is JSON such as"),
        ("topic 'p', startingOffsets 'now'", "'earliest', 'latest' or JSON, not 'now'"),
        (r#"topic 'p', startingOffsets '{"p":{"0":-3}}'"#, "-3 is no offset"),
        ("topic 'p', endingOffsets 'earliest'", "endingOffsets is 'latest' or JSON"),
        ("topic 'p', kafka.group.id 'g'", "no consumer group"),
        ("topic 'p', kafka.security.protocol 'SSL'", "name it with kafka.bootstrap.servers"),
        ("topic 'p', maxTriggerDelay 'soon'", "is a duration such as"),
    ] {
        let options = if options.is_empty() { String::new() } else { format!("OPTIONS ({options})") };
        let refused = world.refused(&format!("CREATE STREAMING TABLE q (n INT) USING kafka {options}")).await;
        assert!(refused.contains(reason), "{options}: {refused}");
    }
}

#[tokio::test]
async fn a_batch_waits_for_enough_rows() {
    let (_disk, world) = World::new();
    world
        .sql(
            "CREATE STREAMING TABLE few (n INT)
               USING kafka OPTIONS (topic 'few', minOffsetsPerTrigger 3, maxTriggerDelay '1h');
             CREATE STREAMING TABLE many USING kafka OPTIONS (topic 'many') AS SELECT n FROM STREAM few;",
        )
        .await;
    for n in 0..3 {
        world.write("few", 0, &[format!(r#"{{"n":{n}}}"#)]).await;
    }
    world.caught_up().await;
    assert_eq!(world.read("many").len(), 3);
    assert_eq!(world.query("many").batch_id, 1, "three records that came one by one are one batch");
}

#[tokio::test]
async fn what_a_transaction_took_back_is_not_read() {
    let (_disk, world) = World::new();
    world
        .sql(
            "CREATE STREAMING TABLE t (n INT) USING kafka OPTIONS (topic 't');
             CREATE STREAMING TABLE u USING kafka OPTIONS (topic 'u') AS SELECT n FROM STREAM t;",
        )
        .await;
    let partition = world.topics.topic("t").unwrap().partition(0).unwrap();
    for (sequence, (n, commit)) in (0..).zip([(1, true), (2, false), (3, true)]) {
        let producer = Producer { id: 77, epoch: 0, base_sequence: sequence };
        let mut batch = BatchBuilder::new(Compression::None, producer).transactional();
        batch.push(1_000, None, Some(format!(r#"{{"n":{n}}}"#).as_bytes()), &[]);
        partition.enqueue(batch.build(), Acks::All).unwrap().await.unwrap();
        partition.end_transaction(77, 0, commit, 0).unwrap().await.unwrap();
    }
    world.caught_up().await;
    assert_eq!(world.read("u"), [json!({"n": 1}), json!({"n": 3})]);
    assert_eq!(world.asked("SELECT n FROM t ORDER BY n").await, [json!([1]), json!([3])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_read_once_each() {
    let (disk, world) = World::new();
    put(&disk, "/in/a.json", b"{\"n\":1}\n\n{\"n\":\"x\"}\n{\"n\":2}");
    put(&disk, "/in/_hidden.json", b"{\"n\":100}\n");
    world
        .sql(
            "CREATE STREAMING TABLE f (n INT) USING json OPTIONS (path '/in', maxFilesPerTrigger 1);
             CREATE STREAMING TABLE g USING kafka OPTIONS (topic 'g') AS SELECT n, _topic AS path FROM STREAM f;",
        )
        .await;
    let told = |world: &World| world.query("g").dead_letters.count == 1;
    world.until("two rows, and one that is none", |world| world.read("g").len() == 2 && told(world)).await;
    let letters = world.query("g").dead_letters.samples;
    assert_eq!(
        (letters[0].topic.as_str(), letters[0].offset, letters[0].value.as_str()),
        ("/in/a.json", 2, "{\"n\":\"x\"}")
    );
    put(&disk, "/in/b.json", b"{\"n\":3}\n");
    world.until("three rows", |world| world.read("g").len() == 3).await;
    world.close().await;
    let world = World::open(&disk);
    put(&disk, "/in/c.json", b"{\"n\":4}\n");
    world.until("four rows", |world| world.read("g").len() == 4).await;
    let n: Vec<i64> = world.read("g").iter().map(|row| row["n"].as_i64().unwrap()).collect();
    assert_eq!(n, [1, 2, 3, 4], "and nothing twice");
    assert_eq!(world.asked("SELECT sum(n) AS n FROM f").await, [json!([10])]);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_have_dialects_and_are_cleaned_up() {
    let (disk, world) = World::new();
    put(&disk, "/in/a.csv", b"\xef\xbb\xbfn,s\r\n1,\"a, b\"\r\n2,\r\n");
    put(&disk, "/in/b.csv", b"n,s\n3,c\n");
    world
        .sql(
            "CREATE STREAMING TABLE f (n INT, s STRING)
               USING csv OPTIONS (path '/in/*.csv', header true, cleanSource 'archive', sourceArchiveDir '/done');
             CREATE STREAMING TABLE g USING kafka OPTIONS (topic 'g') AS SELECT n, s FROM STREAM f;",
        )
        .await;
    world.until("three rows", |world| world.read("g").len() == 3).await;
    assert_eq!(world.read("g"), [json!({"n":1,"s":"a, b"}), json!({"n":2,"s":null}), json!({"n":3,"s":"c"})]);
    world.close().await;
    assert!(!disk.exists("/in/a.csv".as_ref()) && disk.exists("/done/in/a.csv".as_ref()));
    let world = World::open(&disk);
    world.sql("CREATE STREAMING TABLE lines USING text OPTIONS (path '/done/in/b.csv')").await;
    assert_eq!(world.asked("SELECT value FROM lines").await, [json!(["n,s"]), json!(["3,c"])]);
    for (options, reason) in [
        ("", "expected OPTIONS with a path"),
        ("(path '/in', cleanSource 'archive')", "needs sourceArchiveDir"),
        ("(path '/in', maxFileAge '7')", "is a duration such as"),
        ("(path '/in', speed 1)", "option speed is not known; known are path"),
    ] {
        let options = if options.is_empty() { String::new() } else { format!("OPTIONS {options}") };
        let refused = world.refused(&format!("CREATE STREAMING TABLE q (n INT) USING json {options}")).await;
        assert!(refused.contains(reason), "{options}: {refused}");
    }
    let refused =
        world.refused("CREATE STREAMING TABLE q (n ARRAY<INT>) USING csv OPTIONS (path '/in')").await;
    assert!(refused.contains("CSV holds no arrays"), "{refused}");
    let refused = world.refused("CREATE STREAMING TABLE q USING json OPTIONS (path '/in')").await;
    assert!(refused.contains("(column type, ...) before USING"), "{refused}");
    world.close().await;
}

#[tokio::test]
async fn a_rate_is_made_by_the_clock_and_goes_on_where_it_was() {
    let disk = SimDisk::new();
    disk.create_dir_all("/data".as_ref()).unwrap();
    let clock = Arc::new(ManualClock::new(1_700_000_000_000));
    let open = || {
        let env = Env::simulated(Arc::clone(&clock), &disk, 7);
        let (topics, _) = Topics::open(topics::Config::new("/data"), env.clone()).unwrap();
        let engine = engine::Engine::open(engine::Config::new("/data"), topics.clone(), env).unwrap();
        World { topics, engine }
    };
    let world = open();
    world
        .sql(
            "CREATE STREAMING TABLE ticks USING rate OPTIONS (rowsPerSecond 10);
             CREATE STREAMING TABLE copy USING kafka OPTIONS (topic 'copy')
               AS SELECT value, timestamp FROM STREAM ticks;",
        )
        .await;
    assert!(world.refused("SELECT * FROM ticks").await.contains("can only be read as a STREAM"));
    clock.advance(Duration::from_millis(2_050));
    world.until("twenty rows", |world| world.read("copy").len() == 20).await;
    assert_eq!(world.read("copy")[19], json!({"value": 19, "timestamp": "2023-11-14T22:13:21.900Z"}));
    world.close().await;
    clock.advance(Duration::from_secs(1));
    let world = open();
    world.until("thirty rows", |world| world.read("copy").len() == 30).await;
    let values: Vec<i64> = world.read("copy").iter().map(|row| row["value"].as_i64().unwrap()).collect();
    assert_eq!(values, (0..30).collect::<Vec<_>>());
    world
        .sql(
            "CREATE STREAMING TABLE steps
               USING rate-micro-batch OPTIONS (rowsPerBatch 5, startTimestamp 1000, advanceMillisPerBatch 10);
             CREATE STREAMING TABLE walk USING kafka OPTIONS (topic 'walk') AS SELECT value, timestamp FROM STREAM steps;",
        )
        .await;
    world.until("ten rows", |world| world.read("walk").len() >= 10).await;
    assert_eq!(world.read("walk")[7], json!({"value": 7, "timestamp": "1970-01-01T00:00:01.010Z"}));
    world.sql("DROP TABLE walk").await;
    world.close().await;
}

#[tokio::test]
async fn a_socket_gives_lines_until_it_ends() {
    let (_disk, world) = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    world
        .sql(&format!(
            "CREATE STREAMING TABLE s USING socket OPTIONS (host '127.0.0.1', port {port}, includeTimestamp true);
             CREATE STREAMING TABLE t USING kafka OPTIONS (topic 't') AS SELECT value, timestamp FROM STREAM s;"
        ))
        .await;
    let (mut stream, _) = listener.accept().await.unwrap();
    stream.write_all(b"one\r\ntwo\nthr").await.unwrap();
    world.until("two lines", |world| world.read("t").len() == 2).await;
    stream.write_all(b"ee\n").await.unwrap();
    world.until("three lines", |world| world.read("t").len() == 3).await;
    let lines: Vec<Value> = world.read("t").iter().map(|row| row["value"].clone()).collect();
    assert_eq!(lines, ["one", "two", "three"]);
    assert_eq!(world.read("t")[0]["timestamp"], "2023-11-14T22:13:20Z");
    drop(stream);
    world.until("the end", |world| world.query("t").error.is_some()).await;
    let error = world.query("t").error.unwrap();
    assert!(error.contains(&format!("connect to 127.0.0.1:{port}")), "{error}");
}
