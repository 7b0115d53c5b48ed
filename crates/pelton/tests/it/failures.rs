//! One clear line, and what to do.

use crate::running::{Kafka, pelton};

fn line(args: &[&str]) -> String {
    let output = pelton().args(args).stdin(std::process::Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{args:?}");
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    text.trim_end().to_owned()
}

#[test]
fn a_server_that_is_not_there() {
    // A port that was free a moment ago.
    let addr = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    for args in [&["topic", "list"][..], &["group", "list"], &["consume", "t"], &["produce", "t"]] {
        let line = line(&[args, &["-b", &addr]].concat());
        assert!(line.contains(&addr) && line.contains("pelton serve"), "{line}");
    }
}

#[test]
fn an_address_that_is_none() {
    let line = line(&["topic", "list", "-b", "no host:1"]);
    assert!(line.contains("cannot resolve no host:1"), "{line}");
}

#[test]
fn a_server_that_is_no_kafka() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    });
    let line = line(&["topic", "list", "-b", &addr]);
    server.join().unwrap();
    assert!(line.contains("does not answer as a Kafka broker"), "{line}");
}

#[test]
fn the_second_broker_of_a_list_is_asked_when_the_first_is_away() {
    let kafka = Kafka::start();
    kafka.ok(&["topic", "create", "t"]);
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let list = format!("{dead},{}", kafka.addr);
    assert_eq!(kafka.ok(&["topic", "list", "--names-only", "--bootstrap-servers", &list]), "t\n");
}

#[test]
fn a_mistyped_topic_finds_its_name() {
    let kafka = Kafka::start();
    kafka.ok(&["topic", "create", "orders"]);
    for args in
        [&["topic", "describe", "oders"][..], &["consume", "oders"], &["topic", "delete", "oders", "--yes"]]
    {
        assert_eq!(kafka.fails(args), "error: no topic oders; did you mean orders?");
    }
    let line = kafka.fails(&["consume", "zzz"]);
    assert!(line.contains("no topic zzz; `pelton topic list`"), "{line}");
}

#[test]
fn usage_is_2() {
    for args in [
        &["topic"][..],
        &["topic", "create"],
        &["topic", "alter", "t"],
        &["topic", "create", "t", "--config", "novalue"],
        &["group", "reset-offsets", "g", "--to-earliest"],
        &["group", "reset-offsets", "g", "--all-topics", "--to-earliest", "--to-latest"],
        &["consume", "t", "-o", "tomorrow"],
        &["produce", "t", "-z", "rar"],
    ] {
        let output = pelton().args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn every_command_has_help_with_examples() {
    for args in [
        &["produce"][..],
        &["consume"],
        &["completions"],
        &["topic", "create"],
        &["topic", "list"],
        &["topic", "describe"],
        &["topic", "alter"],
        &["topic", "delete"],
        &["topic", "delete-records"],
        &["topic", "offsets"],
        &["group", "list"],
        &["group", "describe"],
        &["group", "reset-offsets"],
        &["group", "delete"],
        &["group", "delete-offsets"],
    ] {
        let output = pelton().args(args).arg("--help").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("Examples:"), "{args:?}");
    }
}
