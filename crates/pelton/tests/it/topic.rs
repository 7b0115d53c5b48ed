//! `pelton topic`.

use crate::running::Kafka;

#[test]
fn topics_come_and_go() {
    let kafka = Kafka::start();
    assert_eq!(
        kafka.ok(&["topic", "create", "orders", "-p", "3"]),
        "created topic orders with 3 partitions\n"
    );
    assert_eq!(kafka.ok(&["topic", "create", "a", "b"]).lines().count(), 2);
    assert_eq!(kafka.ok(&["topic", "list", "--names-only"]), "a\nb\norders\n");
    let listed = kafka.json(&["topic", "list", "^ord", "--json"]);
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!((&listed[0]["topic"], &listed[0]["partitions"]), (&"orders".into(), &3.into()));
    assert_eq!(listed[0]["internal"], false);
    assert_eq!(kafka.ok(&["topic", "delete", "^[ab]$", "--yes"]), "deleted topic a\ndeleted topic b\n");
    assert_eq!(kafka.ok(&["topic", "list", "--names-only"]), "orders\n");
    assert_eq!(kafka.ok(&["topic", "delete", "gone", "--yes", "--if-exists"]), "");
}

#[test]
fn creating_what_is_there_fails_unless_that_is_fine() {
    let kafka = Kafka::start();
    kafka.ok(&["topic", "create", "orders"]);
    let line = kafka.fails(&["topic", "create", "orders"]);
    assert!(line.contains("exists already") && line.contains("--if-not-exists"), "{line}");
    assert_eq!(kafka.ok(&["topic", "create", "orders", "--if-not-exists"]), "topic orders exists already\n");
    kafka.ok(&["topic", "create", "tried", "--dry-run"]);
    assert_eq!(kafka.ok(&["topic", "list", "--names-only"]), "orders\n");
}

#[test]
fn describe_says_partitions_offsets_and_settings_that_differ() {
    let kafka = Kafka::start();
    kafka.ok(&["topic", "create", "orders", "-p", "2", "--config", "retention.ms=123456"]);
    kafka.produce("orders", "one\n");
    let described = kafka.json(&["topic", "describe", "orders", "--json"]);
    let partitions = described[0]["partitions"].as_array().unwrap();
    assert_eq!(partitions.len(), 2);
    let ends: i64 = partitions.iter().map(|row| row["log_end_offset"].as_i64().unwrap()).sum();
    assert_eq!(ends, 1);
    assert_eq!(described[0]["configs"]["retention.ms"]["value"], "123456");
    assert_eq!(described[0]["configs"].as_object().unwrap().len(), 1);
    let all = kafka.json(&["topic", "describe", "orders", "--all-configs", "--json"]);
    assert!(all[0]["configs"].as_object().unwrap().contains_key("cleanup.policy"));
    let table = kafka.ok(&["topic", "describe", "orders"]);
    assert!(table.starts_with("topic orders: 2 partitions, 1 offsets"), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
}

#[test]
fn settings_and_partitions_change() {
    let kafka = Kafka::start();
    kafka.ok(&["topic", "create", "orders"]);
    kafka.ok(&["topic", "alter", "orders", "--config", "retention.ms=99", "--partitions", "4"]);
    let described = kafka.json(&["topic", "describe", "orders", "--json"]);
    assert_eq!(described[0]["configs"]["retention.ms"]["value"], "99");
    assert_eq!(described[0]["partitions"].as_array().unwrap().len(), 4);
    kafka.ok(&["topic", "alter", "orders", "--delete-config", "retention.ms"]);
    let described = kafka.json(&["topic", "describe", "orders", "--json"]);
    assert!(described[0]["configs"].as_object().unwrap().is_empty(), "{described}");
    kafka.fails(&["topic", "alter", "orders", "--partitions", "2"]);
    let line = kafka.fails(&["topic", "alter", "orders", "--config", "retention.mss=1"]);
    assert!(line.contains("retention.mss"), "{line}");
}

#[test]
fn offsets_by_place_and_moment() {
    let kafka = Kafka::start();
    kafka.ok(&["topic", "create", "t"]);
    for moment in ["1000", "2000"] {
        let args = ["produce", "t", "--timestamp", moment];
        assert_eq!(kafka.feed(&args, b"x\n").code, Some(0));
    }
    let at =
        |place: &str| kafka.json(&["topic", "offsets", "t", "--at", place, "--json"])[0]["offset"].clone();
    assert_eq!(at("earliest"), 0);
    assert_eq!(at("latest"), 2);
    assert_eq!(at("1500"), 1);
    assert_eq!(at("1970-01-01T00:00:01Z"), 0);
    assert!(at("1970-01-01T00:00:03Z").is_null());
}

#[test]
fn the_oldest_records_can_be_deleted() {
    let kafka = Kafka::start();
    kafka.ok(&["topic", "create", "t"]);
    kafka.produce("t", "1\n2\n3\n");
    let rows = kafka.json(&["topic", "delete-records", "t", "--before-offset", "2", "--yes", "--json"]);
    assert_eq!((&rows[0]["log_start_offset"], &rows[0]["deleted"]), (&2.into(), &2.into()));
    assert_eq!(kafka.ok(&["consume", "t", "-e"]), "3\n");
    kafka.ok(&["topic", "delete-records", "t", "--all", "--yes"]);
    assert_eq!(kafka.ok(&["consume", "t", "-e"]), "");
}

#[test]
fn what_cannot_be_undone_needs_a_yes() {
    let kafka = Kafka::start();
    kafka.ok(&["topic", "create", "t"]);
    let line = kafka.fails(&["topic", "delete", "t"]);
    assert!(line.contains("--yes"), "{line}");
    assert_eq!(kafka.ok(&["topic", "list", "--names-only"]), "t\n");
}

#[test]
fn settings_of_the_configuration_file_are_what_topics_inherit() {
    let kafka = Kafka::with("[broker]\n'num.partitions' = 5\n'log.retention.hours' = 1\n");
    kafka.ok(&["topic", "create", "t"]);
    let described = kafka.json(&["topic", "describe", "t", "--all-configs", "--json"]);
    assert_eq!(described[0]["partitions"].as_array().unwrap().len(), 5);
    assert_eq!(described[0]["configs"]["retention.ms"]["value"], "3600000");
}
