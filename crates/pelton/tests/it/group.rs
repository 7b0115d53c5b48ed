//! `pelton group`.

use crate::running::{Kafka, Said};

fn group_with_two_read() -> Kafka {
    let kafka = Kafka::start();
    kafka.ok(&["topic", "create", "orders"]);
    kafka.produce("orders", "1\n2\n3\n4\n5\n");
    assert_eq!(kafka.ok(&["consume", "orders", "-G", "billing", "-n", "2", "-q"]), "1\n2\n");
    kafka
}

#[test]
fn groups_are_listed_and_described_with_their_lag() {
    let kafka = group_with_two_read();
    let listed = kafka.json(&["group", "list", "--json"]);
    assert_eq!((&listed[0]["group"], &listed[0]["state"]), (&"billing".into(), &"Empty".into()));
    assert_eq!(listed[0]["type"], "Classic");
    assert_eq!(kafka.json(&["group", "list", "--state", "stable", "--json"]).as_array().unwrap().len(), 0);
    let described = kafka.json(&["group", "describe", "billing", "--json"]);
    assert_eq!(described[0]["lag"], 3);
    let row = &described[0]["partitions"][0];
    assert_eq!((&row["committed_offset"], &row["log_end_offset"]), (&2.into(), &5.into()));
    let table = kafka.ok(&["group", "describe", "billing"]);
    assert!(table.starts_with("group billing: classic, Empty, no members, lag 3\n"), "{table}");
}

#[test]
fn a_group_goes_on_where_it_was() {
    let kafka = group_with_two_read();
    assert_eq!(kafka.ok(&["consume", "orders", "-G", "billing", "-e", "-q"]), "3\n4\n5\n");
    assert_eq!(kafka.ok(&["consume", "orders", "-G", "billing", "-e", "-q"]), "");
}

#[test]
fn offsets_are_reset_only_when_told_so() {
    let kafka = group_with_two_read();
    let reset = |args: &[&str]| {
        let args = [&["group", "reset-offsets", "billing", "--json"][..], args].concat();
        kafka.json(&args)["partitions"][0]["new_offset"].as_i64().unwrap()
    };
    assert_eq!(reset(&["--all-topics", "--to-earliest"]), 0);
    assert_eq!(reset(&["--all-topics", "--to-latest"]), 5);
    assert_eq!(reset(&["-t", "orders", "--to-offset", "99"]), 5);
    assert_eq!(reset(&["-t", "orders:0", "--shift-by", "-1"]), 1);
    assert_eq!(reset(&["-t", "orders", "--to-current"]), 2);
    assert_eq!(reset(&["-t", "orders", "--by-duration", "1h"]), 0);
    assert_eq!(reset(&["-t", "orders", "--to-datetime", "2999-01-01"]), 5);
    assert_eq!(kafka.json(&["group", "describe", "billing", "--json"])[0]["lag"], 3);
    let executed = kafka.json(&[
        "group",
        "reset-offsets",
        "billing",
        "--all-topics",
        "--to-earliest",
        "--execute",
        "--json",
    ]);
    assert_eq!(executed["executed"], true);
    assert_eq!(kafka.json(&["group", "describe", "billing", "--json"])[0]["lag"], 5);
}

#[test]
fn a_group_with_members_is_not_changed() {
    let kafka = group_with_two_read();
    let mut child = kafka.command(&["consume", "orders", "-G", "billing", "-u"]).spawn().unwrap();
    // The note says that it is in the group; the first record that it reads.
    let mut first = [0; 2];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut first).unwrap();
    assert_eq!(&first, b"3\n");
    let members = kafka.json(&["group", "describe", "billing", "--json"])[0]["members"].clone();
    assert_eq!(members[0]["partitions"][0]["topic"], "orders");
    let line =
        kafka.fails(&["group", "reset-offsets", "billing", "--all-topics", "--to-earliest", "--execute"]);
    assert!(line.contains("1 member"), "{line}");
    let said = kafka.run(&["group", "delete", "billing", "--yes"]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("stop its consumers"), "{said:?}");
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let said = Said::of(child);
    assert_eq!((said.code, said.out.as_str()), (Some(0), "4\n5\n"), "{said:?}");
    assert_eq!(kafka.json(&["group", "describe", "billing", "--json"])[0]["lag"], 0);
}

#[test]
fn offsets_and_groups_are_deleted() {
    let kafka = group_with_two_read();
    let rows = kafka.json(&["group", "delete-offsets", "billing", "-t", "orders", "--yes", "--json"]);
    assert_eq!(rows[0]["deleted_offset"], 2);
    let line = kafka.fails(&["group", "delete-offsets", "billing", "-t", "orders", "--yes"]);
    assert!(line.contains("billing"), "{line}");
    kafka.ok(&["consume", "orders", "-G", "other", "-e", "-q"]);
    assert_eq!(kafka.ok(&["group", "delete", "other", "--yes"]), "deleted group other\n");
    let line = kafka.fails(&["group", "describe", "other"]);
    assert!(line.contains("no group other"), "{line}");
}

#[test]
fn a_mistyped_group_finds_its_name() {
    let kafka = group_with_two_read();
    let line = kafka.fails(&["group", "describe", "biling"]);
    assert_eq!(line, "error: no group biling; did you mean billing?");
}

#[test]
fn two_members_share_the_partitions() {
    let kafka = Kafka::start();
    kafka.ok(&["topic", "create", "t", "-p", "2"]);
    let read = |kafka: &Kafka| kafka.command(&["consume", "t", "-G", "g", "-n", "1", "-q"]).spawn().unwrap();
    let (first, second) = (read(&kafka), read(&kafka));
    // Each ends after one record, so one of them cannot take both while the other has its own.
    let both = || kafka.json(&["group", "describe", "g", "--json"]);
    let reading = |described: &serde_json::Value| {
        let members = described[0]["members"].as_array().cloned().unwrap_or_default();
        members.iter().filter(|member| member["partitions"].as_array().unwrap().len() == 1).count()
    };
    while kafka.json(&["group", "list", "--json"]).as_array().unwrap().is_empty() || reading(&both()) < 2 {}
    for partition in ["0", "1"] {
        kafka.feed(&["produce", "t", "-p", partition], format!("{partition}\n").as_bytes());
    }
    let mut read = [Said::of(first).out, Said::of(second).out];
    read.sort();
    assert_eq!(read, ["0\n", "1\n"]);
}
