//! Every program of `examples/` gives the result that lies beside it.

use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::running::{Running, Said, pelton};

/// A server with the doors that the programs use.
struct Server {
    dir: tempfile::TempDir,
    _running: Running,
    kafka: String,
    http: String,
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name)
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

impl Server {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ready.json");
        let running = Running::start(dir.path(), &["--ready-file", file.to_str().unwrap()]);
        let ready: Value = serde_json::from_str(&text(&file)).unwrap();
        let door = |name: &str| ready[name].as_str().unwrap().to_owned();
        Self { dir, _running: running, kafka: door("kafka"), http: door("http") }
    }

    fn ok(&self, args: &[&str]) {
        let mut command = pelton();
        command.args(args).env("PELTON_KAFKA", &self.kafka).env("PELTON_HTTP", &self.http);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let said = Said::of(command.spawn().unwrap());
        assert_eq!(said.code, Some(0), "{args:?}: {said:?}");
    }

    /// The rows that a question asks for, `result.sql` being one.
    fn result(&self, name: &str, question: &str) -> Vec<Value> {
        let sql = json!({ "sql": text(&folder(name).join(question).with_extension("sql")) });
        let mut said = ureq::post(format!("http://{}/api/sql", self.http)).send_json(sql).unwrap();
        let said: Value = said.body_mut().read_json().unwrap();
        said["answers"][0]["rows"].as_array().unwrap().clone()
    }

    fn queries(&self) -> Vec<Value> {
        ureq::get(format!("http://{}/api/queries", self.http)).call().unwrap().body_mut().read_json().unwrap()
    }
}

fn expected(name: &str, question: &str) -> Vec<Value> {
    let answer = text(&folder(name).join(question).with_extension("json"));
    answer.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Produces the data, runs the program to the end of it and compares.
fn plays(name: &str, data: &[(&str, &str)]) -> Server {
    let server = Server::start();
    for (topic, file) in data {
        server.ok(&["produce", topic, "-l", folder(name).join(file).to_str().unwrap()]);
    }
    server.ok(&["run", folder(name).join("pipeline.sql").to_str().unwrap(), "--available-now"]);
    assert_eq!(server.result(name, "result"), expected(name, "result"), "{name}");
    server
}

#[test]
fn every_example_gives_its_result() {
    plays("word-count", &[("lines", "lines.txt")]);
    plays("words-per-batch", &[("lines", "lines.txt")]);
    plays("hashtags", &[("messages", "messages.jsonl")]);
    plays("clicks", &[("activity", "activity.jsonl")]);
    let sensor = plays("sensor", &[("readings", "readings.jsonl")]);
    assert_eq!(sensor.result("sensor", "last-five"), expected("sensor", "last-five"));
    let stations = [("north", "north.jsonl"), ("south", "south.jsonl"), ("west", "west.jsonl")];
    plays("joint-average", &stations);
    through_a_socket();
}

/// Lines that come when they come: the result is asked for until it is there.
fn through_a_socket() {
    let (server, name) = (Server::start(), "socket");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let pipeline = server.dir.path().join("pipeline.sql");
    let program = text(&folder(name).join("pipeline.sql")).replace("9999", &port.to_string());
    std::fs::write(&pipeline, program).unwrap();
    server.ok(&["run", pipeline.to_str().unwrap(), "--detach"]);
    let (mut connection, _) = listener.accept().unwrap();
    connection.write_all(text(&folder(name).join("lines.txt")).as_bytes()).unwrap();
    while server.result(name, "result") != expected(name, "result") {
        let queries = server.queries();
        assert!(queries.iter().all(|query| query["state"] == "running"), "{queries:?}");
    }
}
