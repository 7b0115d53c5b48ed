//! The server inside another Rust program.

use pelton::Server;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_in_memory_learns_and_answers() {
    let server = Server::builder().data_dir("/pelton").in_memory().start().await.unwrap();
    let sql =
        "CREATE STREAMING TABLE points (x ARRAY<FLOAT>) USING kafka OPTIONS (topic 'points', format 'json');
               CREATE MODEL clusters OPTIONS (algorithm 'streaming_kmeans', k 2, seed 7)
                 AS SELECT x AS features FROM STREAM points;";
    server.engine().execute(sql).await.unwrap();
    let mut builder = record::BatchBuilder::new(record::Compression::None, record::Producer::NONE);
    for i in 0..200 {
        let x = f64::from(i % 2) * 10.0 + f64::from(i) / 1000.0;
        builder.push(0, None, Some(format!("{{\"x\": [{x}]}}").as_bytes()), &[]);
    }
    let partition = server.topics().topic("points").unwrap().partition(0).unwrap();
    partition.enqueue(builder.build(), topics::Acks::All).unwrap().await.unwrap();
    let mut commits = server.engine().watch();
    let learned = |server: &Server| server.engine().models()[0].rows_learned;
    while learned(&server) < 200 {
        commits.changed().await.unwrap();
    }
    let answers =
        server.engine().execute("SELECT predict('clusters', x) AS c FROM points LIMIT 2").await.unwrap();
    let clusters: Vec<_> = answers[0].rows.iter().map(|row| row[0].as_i64()).collect();
    assert!(clusters.iter().all(Option::is_some) && clusters[0] != clusters[1], "{clusters:?}");
    server.stop().await;
}
