//! Avro, Protobuf and Parquet: the bytes are those that fastavro, Google's library and pyarrow write.

use bytes::Bytes;
use env::{Disk as _, OpenMode, SimDisk};
use record::{BatchBuilder, Compression, Producer};
use serde_json::json;
use topics::Acks;

use crate::support::World;

const AVRO_SCHEMA: &str = r#"{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"},{"name":"name","type":["null","string"]},{"name":"price","type":"double"},{"name":"tags","type":{"type":"array","items":"string"}},{"name":"kind","type":{"type":"enum","name":"Kind","symbols":["NONE","NEW"]}},{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"stock","type":{"type":"map","values":"int"}},{"name":"cost","type":{"type":"bytes","logicalType":"decimal","precision":6,"scale":2}}]}"#;

const AVRO: [&str; 2] = [
    "0e020670656e000000000000f83f04026102620002f6a1abfef96202026d01000404d2",
    "0100000000000000f83f04026102620002f6a1abfef96202026d01000404d2",
];

/// CRC-64-AVRO of the schema, as fastavro tells it.
const FINGERPRINT: &str = "c30146d76ffe31f1c19a";

/// `shop.Order`, as protoc writes it.
const DESCRIPTOR: &str = "\
    Cv8BCh9nb29nbGUvcHJvdG9idWYvdGltZXN0YW1wLnByb3RvEg9nb29nbGUucHJvdG9idWYiOwoJVGltZXN0YW1wEhgKB3NlY29u\
    ZHMYASABKANSB3NlY29uZHMSFAoFbmFub3MYAiABKAVSBW5hbm9zQoUBChNjb20uZ29vZ2xlLnByb3RvYnVmQg5UaW1lc3RhbXBQ\
    cm90b1ABWjJnb29nbGUuZ29sYW5nLm9yZy9wcm90b2J1Zi90eXBlcy9rbm93bi90aW1lc3RhbXBwYvgBAaICA0dQQqoCHkdvb2ds\
    ZS5Qcm90b2J1Zi5XZWxsS25vd25UeXBlc2IGcHJvdG8zCoAECgpzaG9wLnByb3RvEgRzaG9wGh9nb29nbGUvcHJvdG9idWYvdGlt\
    ZXN0YW1wLnByb3RvIsIDCgVPcmRlchIOCgJpZBgBIAEoA1ICaWQSEgoEbmFtZRgCIAEoCVIEbmFtZRIUCgVwcmljZRgDIAEoAlIF\
    cHJpY2USEgoEdGFncxgEIAMoCVIEdGFncxIkCgRraW5kGAUgASgOMhAuc2hvcC5PcmRlci5LaW5kUgRraW5kEiYKBWxpbmVzGAYg\
    AygLMhAuc2hvcC5PcmRlci5MaW5lUgVsaW5lcxIsCgVzdG9jaxgHIAMoCzIWLnNob3AuT3JkZXIuU3RvY2tFbnRyeVIFc3RvY2sS\
    KgoCYXQYCCABKAsyGi5nb29nbGUucHJvdG9idWYuVGltZXN0YW1wUgJhdBIQCgNyYXcYCSABKAxSA3JhdxIZCgVtYXliZRgKIAEo\
    BUgAUgVtYXliZYgBARouCgRMaW5lEhAKA3NrdRgBIAEoCVIDc2t1EhQKBWNvdW50GAIgASgNUgVjb3VudBo4CgpTdG9ja0VudHJ5\
    EhAKA2tleRgBIAEoCVIDa2V5EhQKBXZhbHVlGAIgASgFUgV2YWx1ZToCOAEiIgoES2luZBIICgROT05FEAASBwoDTkVXEAESBwoD\
    T0xEEAJCCAoGX21heWJlYgZwcm90bzM=";

const PROTOBUF: [&str; 2] = [
    "0807120370656e1d0000c03f220161220162280132090a01781080d0acf30e3a0e0a016d10ffffffffffffffffff013a050a016e1002\
     420b0880e2cfaa06108094ef3a4a0200ff5000",
    "2809",
];

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(16 * pair[0] + pair[1]).unwrap()).collect()
}

async fn write(world: &World, topic: &str, values: &[Vec<u8>]) {
    let mut builder = BatchBuilder::new(Compression::None, Producer::NONE);
    for value in values {
        builder.push(7_000, None, Some(value), &[]);
    }
    let topic = world.topics.topic(topic).unwrap();
    topic.partition(0).unwrap().enqueue(builder.build(), Acks::All).unwrap().await.unwrap();
}

#[tokio::test]
async fn avro_values_become_columns() {
    let (_disk, world) = World::new();
    world
        .sql(&format!(
            "CREATE STREAMING TABLE every USING kafka
               OPTIONS (topic 'a', partitions 1, format 'avro', avroSchema '{AVRO_SCHEMA}');
             CREATE STREAMING TABLE some (ID INT, at TIMESTAMP_NTZ)
               USING kafka OPTIONS (topic 'a', format 'avro', avroSchema '{AVRO_SCHEMA}');
             CREATE STREAMING TABLE o USING kafka OPTIONS (topic 'o') AS SELECT id FROM STREAM some;
             CREATE STREAMING TABLE framed (id BIGINT) USING kafka OPTIONS (topic 'f', partitions 1, format 'avro',
               avroSchema '{AVRO_SCHEMA}', avroFraming 'single-object');
             CREATE STREAMING TABLE numbered (id BIGINT) USING kafka OPTIONS (topic 'n', partitions 1, format 'avro',
               avroSchema '{AVRO_SCHEMA}', avroFraming 'confluent');"
        ))
        .await;
    let values: Vec<Vec<u8>> = AVRO.iter().map(|value| unhex(value)).collect();
    let framed = |prefix: &str| -> Vec<Vec<u8>> {
        values.iter().map(|value| [unhex(prefix), value.clone()].concat()).collect()
    };
    write(&world, "f", &framed(FINGERPRINT)).await;
    write(&world, "n", &framed("000000002a")).await;
    write(&world, "a", &values).await;
    let found = world.asked("SELECT * FROM every").await;
    assert_eq!(
        found[0],
        json!([7, "pen", 1.5, ["a", "b"], "NEW", "2023-11-14T22:13:20.123Z", {"m": -1}, 12.34])
    );
    assert_eq!(found[1][1], json!(null));
    assert_eq!(found[1][0], json!(-1));
    assert_eq!(world.asked("SELECT id FROM framed").await, [json!([7]), json!([-1])]);
    assert_eq!(world.asked("SELECT id FROM numbered").await, [json!([7]), json!([-1])]);
    let whole = &values[0];
    let bad = [whole[..9].to_vec(), [whole.clone(), vec![0]].concat(), Vec::new(), whole.clone()];
    write(&world, "a", &bad).await;
    world.caught_up().await;
    assert_eq!(world.read("o"), [json!({"ID": 7}), json!({"ID": -1}), json!({"ID": 7})]);
    let letters = world.query("o").dead_letters;
    assert_eq!(letters.count, 3);
    assert!(
        letters.samples.iter().all(|s| s.reason.starts_with("malformed Avro: ")),
        "{:?}",
        letters.samples
    );
    for (columns, options, reason) in [
        (
            "(x INT)",
            format!("avroSchema '{AVRO_SCHEMA}'"),
            "the schema has no such field; it has id, name, price",
        ),
        ("(tags INT)", format!("avroSchema '{AVRO_SCHEMA}'"), "the schema's field is of another kind"),
        ("", "avroSchema '{\"type\": \"word\"}'".to_owned(), "avroSchema is the JSON of a record"),
        ("", "key 'id'".to_owned(), "needs avroSchema"),
    ] {
        let table = format!(
            "CREATE STREAMING TABLE q {columns} USING kafka OPTIONS (topic 'a', format 'avro', {options})"
        );
        let refused = world.refused(&table).await;
        assert!(refused.contains(reason), "{refused}");
    }
}

#[tokio::test]
async fn protobuf_messages_become_columns() {
    let (_disk, world) = World::new();
    let options = format!("topic 'p', partitions 1, format 'protobuf', descriptor '{DESCRIPTOR}'");
    world
        .sql(&format!(
            "CREATE STREAMING TABLE every USING kafka OPTIONS ({options}, messageName 'shop.Order');
             CREATE STREAMING TABLE zeros (id BIGINT, kind INT, lines ARRAY<STRUCT<COUNT: BIGINT>>) USING kafka
               OPTIONS ({options}, messageName 'Order', emit.default.values true);
             CREATE STREAMING TABLE o USING kafka OPTIONS (topic 'o') AS SELECT kind FROM STREAM every;"
        ))
        .await;
    let values: Vec<Vec<u8>> = PROTOBUF.iter().map(|value| unhex(value)).collect();
    write(&world, "p", &values).await;
    let found = world.asked("SELECT * FROM every").await;
    let lines = json!([{"sku": "x", "count": 4_000_000_000_u64}]);
    let at = "2023-11-14T22:13:20.123456Z";
    let stock = json!({"m": -1, "n": 2});
    assert_eq!(found[0], json!([7, "pen", 1.5, ["a", "b"], "NEW", lines, stock, at, "00ff", 0]));
    assert_eq!(found[1], json!([null, null, null, [], "9", [], {}, null, null, null]));
    let found = world.asked("SELECT * FROM zeros").await;
    assert_eq!(found, [json!([7, 1, [{"COUNT": 4_000_000_000_u64}]]), json!([0, 9, []])]);
    write(&world, "p", &[unhex("08"), unhex("2802")]).await;
    world.caught_up().await;
    assert_eq!(world.read("o"), [json!({"kind": "NEW"}), json!({"kind": "9"}), json!({"kind": "OLD"})]);
    let letters = world.query("o").dead_letters.samples;
    assert!(letters[0].reason.starts_with("malformed Protobuf: "), "{letters:?}");
    for (columns, options, reason) in [
        ("(x INT)", "messageName 'Order'", "the message has no such field; it has id, name, price"),
        ("(tags STRING)", "messageName 'Order'", "the message's field is read as ARRAY<STRING>"),
        (
            "",
            "messageName 'Bill'",
            "there is no message Bill; there are google.protobuf.Timestamp, shop.Order",
        ),
        ("", "key 'id'", "needs messageName"),
    ] {
        let table = format!(
            "CREATE STREAMING TABLE q {columns} USING kafka
               OPTIONS (topic 'p', format 'protobuf', descriptor '{DESCRIPTOR}', {options})"
        );
        let refused = world.refused(&table).await;
        assert!(refused.contains(reason), "{refused}");
    }
}

fn put(disk: &SimDisk, path: &str, content: &[u8]) {
    let path = std::path::Path::new(path);
    disk.create_dir_all(path.parent().unwrap()).unwrap();
    let beside = path.with_file_name(".unfinished");
    let file = disk.open(&beside, OpenMode::Truncate).unwrap();
    file.write_at(content, 0).unwrap();
    file.sync_data().unwrap();
    disk.rename(&beside, path).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn parquet_and_avro_files_are_tables() {
    let (disk, world) = World::new();
    put(&disk, "/in/a.parquet", include_bytes!("../data/orders.parquet"));
    put(&disk, "/in/b.avro", include_bytes!("../data/orders.avro"));
    let columns = "(id BIGINT, Name STRING, price FLOAT, tags ARRAY<STRING>, at TIMESTAMP, missing INT)";
    world
        .sql(&format!(
            "CREATE STREAMING TABLE p {columns} USING parquet OPTIONS (path '/in/*.parquet');
             CREATE STREAMING TABLE a {columns} USING avro OPTIONS (path '/in/*.avro');
             CREATE STREAMING TABLE g USING kafka OPTIONS (topic 'g') AS SELECT id, _offset AS row FROM STREAM p;"
        ))
        .await;
    let at = "2023-11-14T22:13:20.123Z";
    let expected = [
        json!([7, "pen", 1.5, ["a", "b"], at, null]),
        json!([8, null, 2.5, [], at, null]),
        json!([9, "ink", null, null, null, null]),
    ];
    for table in ["p", "a"] {
        assert_eq!(world.asked(&format!("SELECT * FROM {table} ORDER BY id")).await, expected, "{table}");
    }
    world.until("three rows", |world| world.read("g").len() == 3).await;
    assert_eq!(world.read("g")[2], json!({"id": 9, "row": 2}));
    assert_eq!(world.asked("SELECT count(*) FROM p").await, [json!([3])]);
    put(&disk, "/in/c.parquet", &Bytes::from_static(b"PAR1 or not"));
    world.until("an error", |world| world.query("g").error.is_some()).await;
    let error = world.query("g").error.unwrap();
    assert!(error.contains("/in/c.parquet: cannot be read"), "{error}");
    world.close().await;
}
