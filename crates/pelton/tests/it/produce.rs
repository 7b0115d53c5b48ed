//! `pelton produce`.

use std::io::Write;

use crate::running::Kafka;

fn records(kafka: &Kafka, topic: &str) -> Vec<serde_json::Value> {
    let text = kafka.ok(&["consume", topic, "-e", "-J"]);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn keys_headers_timestamps_and_nothing_at_all() {
    let kafka = Kafka::start();
    let args =
        ["produce", "t", "-K", ":", "-Z", "-H", "a=1", "-H", "b=2", "--timestamp", "1970-01-01T00:00:01Z"];
    let said = kafka.feed(&args, b"k:v\nk:\n:v\nbare");
    assert_eq!((said.code, said.out.as_str()), (Some(0), "4 records acknowledged by t\n"));
    let records = records(&kafka, "t");
    let parts: Vec<(&serde_json::Value, &serde_json::Value)> =
        records.iter().map(|record| (&record["key"], &record["payload"])).collect();
    let null = serde_json::Value::Null;
    let (k, v, bare) = ("k".into(), "v".into(), "bare".into());
    assert!(parts.contains(&(&k, &v)) && parts.contains(&(&k, &null)));
    assert!(parts.contains(&(&null, &v)) && parts.contains(&(&null, &bare)));
    assert!(records.iter().all(|record| record["ts"] == 1000));
    assert_eq!(records[0]["headers"], serde_json::json!(["a", "1", "b", "2"]));
}

#[test]
fn files_are_records_or_hold_them() {
    let kafka = Kafka::start();
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (one, two) = (path("one", "a\nb\n"), path("two", "c"));
    assert_eq!(kafka.ok(&["produce", "whole", &one, &two]), "2 records acknowledged by whole\n");
    assert_eq!(kafka.ok(&["consume", "whole", "-e", "-D", "|"]), "a\nb\n|c|");
    assert_eq!(kafka.ok(&["produce", "lines", "-l", &one, &two]), "3 records acknowledged by lines\n");
    assert_eq!(kafka.ok(&["consume", "lines", "-e"]), "a\nb\nc\n");
    let line = kafka.fails(&["produce", "t", "/no/such/file"]);
    assert!(line.contains("cannot read /no/such/file"), "{line}");
}

#[test]
fn delimiters_partitions_and_every_codec() {
    let kafka = Kafka::start();
    kafka.ok(&["topic", "create", "t", "-p", "3"]);
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let said = kafka.feed(&["produce", "t", "-p", "2", "-z", codec, "-D", ";"], b"x;y;z");
        assert_eq!(said.code, Some(0), "{said:?}");
    }
    assert_eq!(kafka.ok(&["consume", "t", "-p", "2", "-e", "-D", ""]), "xyz".repeat(5));
    let said = kafka.feed(&["produce", "t", "-p", "3"], b"x\n");
    assert_eq!(said.err, "error: topic t has no partition 3; it has 0 to 2\n");
}

#[test]
fn json_in_is_json_out() {
    let kafka = Kafka::start();
    kafka.ok(&["topic", "create", "a", "-p", "2"]);
    kafka.ok(&["topic", "create", "b", "-p", "2"]);
    let lines = r#"{"key": "k", "payload": "v", "headers": ["h", "1", "h", null], "partition": 1, "ts": 5}
{"payload": {"x": [1, 2]}, "headers": {"a": "b"}, "partition": 0, "ts": 6}

{"key_base64": "/w==", "payload": null, "partition": 0, "ts": 7}
"#;
    let said = kafka.feed(&["produce", "a", "--json"], lines.as_bytes());
    assert_eq!(said.out, "3 records acknowledged by a\n", "{said:?}");
    let printed = kafka.ok(&["consume", "a", "-e", "-J"]);
    assert_eq!(kafka.feed(&["produce", "b", "--json"], printed.as_bytes()).code, Some(0));
    let copied = kafka.ok(&["consume", "b", "-e", "-J"]);
    assert_eq!(copied, printed.replace("\"topic\":\"a\"", "\"topic\":\"b\""));
    assert!(printed.contains(r#""payload":"{\"x\":[1,2]}""#) && printed.contains(r#""key_base64":"/w==""#));
}

#[test]
fn a_wrong_record_is_named_and_those_before_it_are_kept() {
    let kafka = Kafka::start();
    let said = kafka
        .feed(&["produce", "t", "--json"], b"{\"value\": 1}\n{\"value\": 2}\nnonsense\n{\"value\": 4}\n");
    assert_eq!(said.code, Some(1));
    assert_eq!(said.err.lines().count(), 1, "{said:?}");
    assert!(
        said.err.contains("record 3:") && said.err.contains("2 records are acknowledged by t"),
        "{said:?}"
    );
    assert_eq!(kafka.ok(&["consume", "t", "-e"]), "1\n2\n");
}

#[test]
fn what_a_topic_does_not_take_is_said_with_its_place() {
    let kafka = Kafka::start();
    kafka.ok(&["topic", "create", "t", "--config", "max.message.bytes=1000"]);
    let mut input = b"small\n".to_vec();
    input.extend([b'x'; 5000]);
    let said = kafka.feed(&["produce", "t"], &input);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("max.message.bytes") && said.err.contains("record 2"), "{said:?}");
    assert!(said.err.contains("1 records are acknowledged"), "{said:?}");
}

#[test]
fn a_hundred_thousand_lines_keep_their_order() {
    let kafka = Kafka::start();
    let mut input = Vec::new();
    for i in 0..100_000 {
        writeln!(input, "line {i}").unwrap();
    }
    let said = kafka.feed(&["produce", "t"], &input);
    assert_eq!(said.out, "100000 records acknowledged by t\n", "{said:?}");
    assert_eq!(kafka.ok(&["consume", "t", "-e"]).into_bytes(), input);
}

#[test]
fn nothing_is_lost_or_doubled_across_a_kill_of_the_broker() {
    let mut kafka = Kafka::start();
    kafka.ok(&["topic", "create", "t"]);
    let mut child = kafka.command(&["produce", "t"]).stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"before\n").unwrap();
    while kafka.ok(&["consume", "t", "-e"]) != "before\n" {}
    kafka.kill_and_restart();
    stdin.write_all(b"after\n").unwrap();
    drop(stdin);
    let said = crate::running::Said::of(child);
    assert_eq!(said.out, "2 records acknowledged by t\n", "{said:?}");
    assert_eq!(kafka.ok(&["consume", "t", "-e"]), "before\nafter\n");
}

#[test]
fn a_transaction_counts_as_a_whole_or_not_at_all() {
    let kafka = Kafka::start();
    let said =
        kafka.feed(&["produce", "t", "--json", "--transactional-id", "x"], b"{\"value\": 1}\nnonsense\n");
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("no record counts"), "{said:?}");
    assert_eq!(kafka.ok(&["consume", "t", "-e", "--read-committed"]), "");
    let said = kafka.feed(&["produce", "t", "--transactional-id", "x"], b"2\n3\n");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(kafka.ok(&["consume", "t", "-e", "--read-committed"]), "2\n3\n");
}

#[test]
fn what_an_aborted_transaction_wrote_is_there_and_does_not_count() {
    let kafka = Kafka::start();
    kafka.ok(&["topic", "create", "t"]);
    let args = ["produce", "t", "--json", "--transactional-id", "x"];
    let mut child = kafka.command(&args).stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"{\"value\": 1}\n").unwrap();
    while kafka.ok(&["consume", "t", "-e"]) != "1\n" {}
    assert_eq!(kafka.ok(&["consume", "t", "-e", "--read-committed"]), "");
    stdin.write_all(b"nonsense\n").unwrap();
    drop(stdin);
    let said = crate::running::Said::of(child);
    assert!(said.err.contains("the transaction is aborted: no record counts"), "{said:?}");
    kafka.produce("t", "2\n");
    assert_eq!(kafka.ok(&["consume", "t", "-e"]), "1\n2\n");
    assert_eq!(kafka.ok(&["consume", "t", "-e", "--read-committed"]), "2\n");
}

#[test]
fn acks_may_be_less() {
    let kafka = Kafka::start();
    for acks in ["1", "all"] {
        assert_eq!(kafka.feed(&["produce", "t", "--acks", acks], b"x\n").out, "1 record acknowledged by t\n");
    }
    assert_eq!(kafka.feed(&["produce", "t", "--acks", "0"], b"x\n").out, "1 record sent to t\n");
}
