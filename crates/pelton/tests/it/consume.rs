//! `pelton consume`.

use std::io::Read;

use crate::running::{Kafka, Said};

fn ten() -> Kafka {
    let kafka = Kafka::start();
    kafka.ok(&["topic", "create", "t"]);
    for i in 0..10 {
        let said = kafka.feed(
            &["produce", "t", "-K", "=", "--timestamp", &(i * 1000).to_string()],
            format!("k={i}").as_bytes(),
        );
        assert_eq!(said.code, Some(0), "{said:?}");
    }
    kafka
}

#[test]
fn it_starts_and_ends_where_it_is_told() {
    let kafka = ten();
    let read = |args: &[&str]| kafka.ok(&[&["consume", "t", "-e", "-D", ""][..], args].concat());
    assert_eq!(read(&[]), "0123456789");
    assert_eq!(read(&["-o", "7"]), "789");
    assert_eq!(read(&["-o", "-2"]), "89");
    assert_eq!(read(&["-o", "-99"]), "0123456789");
    assert_eq!(read(&["-o", "end"]), "");
    assert_eq!(read(&["-n", "3"]), "012");
    assert_eq!(read(&["-o", "s@2000", "-o", "e@1970-01-01T00:00:05Z"]), "234");
    assert_eq!(read(&["-o", "s@999999"]), "");
    let line = kafka.fails(&["consume", "t", "-o", "11"]);
    assert_eq!(line, "error: there is no offset 11 in t-0: it has 0 to 10");
}

#[test]
fn formats_print_what_they_name() {
    let kafka = ten();
    let read = |args: &[&str]| kafka.ok(&[&["consume", "t", "-n", "1"][..], args].concat());
    assert_eq!(read(&["-f", r"%t-%p@%o %k(%K)=%s(%S) %T %h%%\n"]), "t-0@0 k(1)=0(1) 0 %\n");
    assert_eq!(read(&["-K", r"\t"]), "k\t0\n");
    assert_eq!(read(&["-s", "hex", "-K", ":"]), "6b:30\n");
    assert_eq!(read(&["-s", "key=base64", "-s", "value=u8", "-K", ":"]), "aw==:48\n");
    let record: serde_json::Value = serde_json::from_str(&read(&["-J", "-s", "value=i8"])).unwrap();
    let wanted =
        serde_json::json!({"topic": "t", "partition": 0, "offset": 0, "ts": 0, "key": "k", "payload": 48});
    assert_eq!(record, wanted);
    let line = kafka.fails(&["consume", "t", "-n", "1", "-s", "value=i64"]);
    assert!(line.contains("t-0 at offset 0") && line.contains("1 bytes"), "{line}");
    let said = kafka.run(&["consume", "t", "-f", "%q"]);
    assert_eq!(said.code, Some(2), "{said:?}");
}

#[test]
fn many_topics_by_name_and_pattern() {
    let kafka = Kafka::start();
    for topic in ["a-1", "a-2", "b"] {
        kafka.produce(topic, &format!("{topic}\n"));
    }
    let read = |topics: &[&str]| {
        let text = kafka.ok(&[&["consume", "-e"][..], topics].concat());
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines.join(" ")
    };
    assert_eq!(read(&["^a-"]), "a-1 a-2");
    assert_eq!(read(&["b", "a-1"]), "a-1 b");
    let line = kafka.fails(&["consume", "^zzz", "-e"]);
    assert!(line.contains("no topic matches ^zzz"), "{line}");
    assert!(kafka.fails(&["consume", "^(", "-e"]).contains("no regular expression"));
}

#[test]
fn it_follows_until_an_interrupt_and_ends_well() {
    let kafka = ten();
    let mut child = kafka.command(&["consume", "t", "-o", "end", "-D", "", "-u"]).spawn().unwrap();
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    // What is produced before it asked where the end is, it does not see.
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    let mut out = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut first = [0];
        out.read_exact(&mut first).unwrap();
        sender.send(first).unwrap();
    });
    while receiver.try_recv().is_err() {
        kafka.produce("t", "x\n");
    }
    reader.join().unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let said = Said::of(child);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
}

#[test]
fn a_pipe_that_closes_is_no_error() {
    let kafka = Kafka::start();
    let lines: String = (0..50_000).map(|i| format!("a line of some length, number {i}\n")).collect();
    kafka.produce("t", &lines);
    let mut child = kafka.command(&["consume", "t"]).spawn().unwrap();
    let mut first = [0; 6];
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut first).unwrap();
    drop(out);
    let said = Said::of(child);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
}

#[test]
fn what_retention_took_is_skipped_with_a_note() {
    let kafka = ten();
    kafka.ok(&["topic", "delete-records", "t", "--before-offset", "4", "--yes"]);
    let said = kafka.run(&["consume", "t", "-e", "-D", "", "-o", "2"]);
    assert_eq!((said.code, said.out.as_str()), (Some(0), "456789"), "{said:?}");
    assert_eq!(said.err, "note: offsets 2 to 3 of t-0 are gone\n");
}

#[test]
fn a_consumer_outlives_its_broker() {
    let mut kafka = ten();
    let mut child = kafka.command(&["consume", "t", "-D", "", "-u", "-n", "11"]).spawn().unwrap();
    let mut ten = [0; 10];
    child.stdout.as_mut().unwrap().read_exact(&mut ten).unwrap();
    kafka.kill_and_restart();
    kafka.produce("t", "x\n");
    let said = Said::of(child);
    assert_eq!((said.code, said.out.as_str()), (Some(0), "x"), "{said:?}");
}
