//! One server's queries over the topics of another, which is an outside Kafka to them.

use std::process::Stdio;

use pelton::Server;
use serde_json::Value;
use topics::Acks;

use crate::running::{Said, pelton};

async fn server() -> Server {
    Server::builder().data_dir("/pelton").in_memory().kafka("127.0.0.1:0").start().await.unwrap()
}

async fn append(server: &Server, topic: &str, partition: u32, values: std::ops::Range<i64>) {
    let mut builder = record::BatchBuilder::new(record::Compression::None, record::Producer::NONE);
    for n in values {
        builder.push(1_000 * n, Some(b"k"), Some(format!("{{\"n\": {n}}}").as_bytes()), &[]);
    }
    let partition = server.topics().topic(topic).unwrap().partition(partition).unwrap();
    partition.enqueue(builder.build(), Acks::All).unwrap().await.unwrap();
}

/// A transaction of one record, kept or taken back.
async fn transact(server: &Server, topic: &str, sequence: i32, n: i64, commit: bool) {
    let producer = record::Producer { id: 77, epoch: 0, base_sequence: sequence };
    let mut batch = record::BatchBuilder::new(record::Compression::None, producer).transactional();
    batch.push(1_000 * n, None, Some(format!("{{\"n\": {n}}}").as_bytes()), &[]);
    let partition = server.topics().topic(topic).unwrap().partition(0).unwrap();
    partition.enqueue(batch.build(), Acks::All).unwrap().await.unwrap();
    partition.end_transaction(77, 0, commit, 0).unwrap().await.unwrap();
}

async fn asked(server: &Server, sql: &str) -> Vec<Vec<Value>> {
    match server.engine().execute(sql).await {
        Ok(mut answers) => answers.pop().unwrap().rows,
        Err(error) => panic!("{sql}\n{error}: {:?}", std::error::Error::source(&error)),
    }
}

/// Waits until the query has read so many rows.
async fn read(server: &Server, query: &str, rows: u64) {
    let mut commits = server.engine().watch();
    loop {
        let status = server.engine().queries().into_iter().find(|status| status.name == query).unwrap();
        assert_eq!(status.error, None);
        if status.rows_total >= rows {
            assert_eq!(status.rows_total, rows);
            return;
        }
        let waiting = tokio::time::timeout(std::time::Duration::from_secs(60), commits.changed());
        waiting.await.unwrap_or_else(|_| panic!("{status:#?}")).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_server_is_an_outside_kafka() {
    let (outside, server) = (server().await, server().await);
    let address = outside.ready().kafka.unwrap();
    for topic in ["a1", "a2"] {
        outside.topics().create(topic, 2, Default::default()).unwrap();
    }
    append(&outside, "a1", 0, 0..500).await;
    append(&outside, "a1", 1, 500..600).await;
    transact(&outside, "a2", 0, 1_000, false).await;
    transact(&outside, "a2", 1, 600, true).await;
    let table = |name: &str, options: &str| {
        format!(
            "CREATE STREAMING TABLE {name} (n BIGINT)
               USING kafka OPTIONS (kafka.bootstrap.servers '{address}', maxOffsetsPerTrigger 100, {options})"
        )
    };
    asked(&server, &table("both", "subscribePattern 'a[12]'")).await;
    let all = "SELECT count(*) AS c, sum(n) AS s FROM both";
    let sum = |to: i64| (0..to).sum::<i64>();
    assert_eq!(asked(&server, all).await, [[Value::from(601), Value::from(sum(601))]]);
    asked(
        &server,
        "CREATE STREAMING TABLE copy USING kafka OPTIONS (topic 'copy')
           AS SELECT n, _topic AS t FROM STREAM both",
    )
    .await;
    read(&server, "copy", 601).await;
    append(&outside, "a2", 1, 601..700).await;
    read(&server, "copy", 700).await;
    let found = asked(&server, "SELECT count(DISTINCT n) AS d, count(*) AS c, sum(n) AS s FROM copy").await;
    assert_eq!(found, [[Value::from(700), Value::from(700), Value::from(sum(700))]]);
    for (options, count) in [
        (r#"subscribe 'a1', startingOffsets '{"a1":{"0":490,"1":-1}}'"#, 10),
        (r#"assign '{"a1":[1]}', endingOffsets '{"a1":{"1":7}}'"#, 7),
        ("subscribe 'a1', startingTimestamp 550000, startingOffsetsByTimestampStrategy latest", 50),
    ] {
        asked(&server, "DROP TABLE IF EXISTS part").await;
        asked(&server, &table("part", options)).await;
        assert_eq!(
            asked(&server, "SELECT count(*) AS c FROM part").await,
            [[Value::from(count)]],
            "{options}"
        );
    }
    server.stop().await;
    outside.stop().await;
}

/// The address of its Kafka door.
fn address(server: &Server) -> String {
    server.ready().kafka.unwrap().to_string()
}

async fn refused(server: &Server, sql: &str) -> String {
    let error = server.engine().execute(sql).await.unwrap_err();
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        said = format!("{said}: {error}");
        cause = error.source();
    }
    said
}

/// What stands in a topic, as a table of the server that has it shows it.
async fn values(server: &Server, topic: &str) -> Vec<i64> {
    let table =
        format!("CREATE OR REPLACE STREAMING TABLE shown (n BIGINT) USING kafka OPTIONS (topic '{topic}')");
    asked(server, &table).await;
    let rows = asked(server, "SELECT n FROM shown ORDER BY n").await;
    rows.iter().map(|row| row[0].as_i64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_go_to_another_server_and_the_same_names_are_others() {
    let (outside, server) = (server().await, server().await);
    let there = address(&outside);
    // The same name on both sides, also within one query.
    outside.topics().create("t", 1, Default::default()).unwrap();
    server.topics().create("t", 1, Default::default()).unwrap();
    append(&outside, "t", 0, 0..300).await;
    append(&server, "t", 0, 300..400).await;
    asked(
        &server,
        &format!(
            "CREATE STREAMING TABLE far (n BIGINT) USING kafka
               OPTIONS (kafka.bootstrap.servers '{there}', topic 't', maxOffsetsPerTrigger 70);
             CREATE STREAMING TABLE near (n BIGINT) USING kafka OPTIONS (topic 't');
             CREATE STREAMING TABLE back USING kafka
               OPTIONS (kafka.bootstrap.servers '{there}', topic 'all', partitions 3, key 'n')
               AS SELECT n FROM STREAM far UNION ALL SELECT n FROM STREAM near"
        ),
    )
    .await;
    read(&server, "back", 400).await;
    assert_eq!(outside.topics().topic("all").unwrap().partition_count(), 3);
    assert_eq!(values(&outside, "all").await, (0..400).collect::<Vec<_>>());
    let queries = server.engine().queries();
    let logs: Vec<&String> = queries[0].source.keys().collect();
    assert_eq!(logs, [&format!("kafka://{there}/t"), "t"]);
    // Neither is a loop; what would be one is refused, on either side.
    asked(
        &server,
        "CREATE STREAMING TABLE copied USING kafka OPTIONS (topic 't') AS SELECT n FROM STREAM far",
    )
    .await;
    let looped = format!(
        "CREATE STREAMING TABLE looped USING kafka OPTIONS (kafka.bootstrap.servers '{there}', topic 't')
           AS SELECT n FROM STREAM far"
    );
    assert!(refused(&server, &looped).await.contains("would read what it writes"));
    asked(&server, "INSERT INTO far VALUES (1000), (1001)").await;
    read(&server, "back", 704).await;
    assert_eq!(values(&outside, "t").await.len(), 302);
    server.stop().await;
    outside.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_over_another_server_has_all_of_its_topics_there() {
    let (outside, dir) = (server().await, tempfile::tempdir().unwrap());
    outside.topics().create("orders", 2, Default::default()).unwrap();
    append(&outside, "orders", 0, 0..50).await;
    append(&outside, "orders", 1, 50..100).await;
    let mut bad = record::BatchBuilder::new(record::Compression::None, record::Producer::NONE);
    bad.push(0, None, Some(b"no JSON"), &[]);
    let partition = outside.topics().topic("orders").unwrap().partition(0).unwrap();
    partition.enqueue(bad.build(), Acks::All).unwrap().await.unwrap();
    let pipeline =
        "CREATE STREAMING TABLE IF NOT EXISTS orders (n BIGINT) USING kafka OPTIONS (topic 'orders');
         CREATE STREAMING TABLE IF NOT EXISTS even USING kafka OPTIONS (topic 'even')
           AS SELECT n FROM STREAM orders WHERE n % 2 = 0;
         CREATE STREAMING TABLE IF NOT EXISTS fourth USING kafka OPTIONS (topic 'fourth')
           AS SELECT n FROM STREAM even WHERE n % 4 = 0;";
    std::fs::write(dir.path().join("p.sql"), pipeline).unwrap();
    let run = |servers: &str| {
        let mut command = pelton();
        command.args(["run", "p.sql", "--available-now", "--bootstrap-servers", servers]);
        command.current_dir(dir.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Said::of(command.spawn().unwrap())
    };
    let there = address(&outside);
    let said = tokio::task::block_in_place(|| run(&there));
    assert_eq!(said.code, Some(0), "{said:?}");
    append(&outside, "orders", 1, 100..104).await;
    let said = tokio::task::block_in_place(|| run(&there));
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(values(&outside, "fourth").await, (0..26).map(|n| 4 * n).collect::<Vec<_>>());
    let topics: Vec<String> = outside.topics().list().iter().map(|topic| topic.name().to_owned()).collect();
    assert!(topics.contains(&"even.dead-letter".to_owned()), "{topics:?}");
    let said = tokio::task::block_in_place(|| run("127.0.0.1:1"));
    assert!(said.code == Some(1) && said.err.contains("over the Kafka at"), "{said:?}");
    outside.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_kafka_refuses_is_said_with_what_to_do() {
    let (outside, server) = (server().await, server().await);
    let there = address(&outside);
    let table = |options: &str| {
        format!(
            "CREATE OR REPLACE STREAMING TABLE far (n BIGINT) USING kafka OPTIONS ({options});
             CREATE STREAMING TABLE copy USING kafka OPTIONS (topic 'copy') AS SELECT n FROM STREAM far"
        )
    };
    for (options, expected) in [
        (
            format!("kafka.bootstrap.servers '{there}', topic 'nowhere'"),
            "the topic does not exist; create it there",
        ),
        (format!("kafka.bootstrap.servers '{there}', topic 't', kafka.no.such '1'"), "no.such"),
        ("kafka.security.protocol 'SSL', topic 't'".to_owned(), "name it with kafka.bootstrap.servers"),
        ("kafka.bootstrap.servers '127.0.0.1:1', topic 't'".to_owned(), "no broker answers; check"),
    ] {
        let said = refused(&server, &table(&options)).await;
        assert!(said.contains(expected), "{options}: {said}");
    }
    server.stop().await;
    outside.stop().await;
}
