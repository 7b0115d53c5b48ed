//! Python functions, with programs in the place of Python that do what workers should not.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::call::{Answer, Door, SESSION};
use crate::message::Message;

const OPERATION: &str = "bbbbbbbb-2222-4333-8444-555555555555";
const INTERNAL: u32 = 13;

/// `spark.range(3).select(f("id"))`.
fn call(operation: &str) -> Message {
    const RANGE: u32 = 15;
    const PROJECT: u32 = 3;
    const ATTRIBUTE: u32 = 2;
    const INLINE_FUNCTION: u32 = 15;
    const LONG: u32 = 7;
    let range = Message::new().message(RANGE, Message::new().number(2, 3).number(3, 1));
    let id = Message::new().message(ATTRIBUTE, Message::new().text(1, "id"));
    let long = Message::new().message(LONG, Message::new());
    let code = Message::new().message(1, long).number(2, 101).bytes(3, b"pickled").text(4, "3.11");
    let function = Message::new().text(1, "f").message(3, id).message(4, code);
    let column = Message::new().message(INLINE_FUNCTION, function);
    let project = Message::new().message(1, range).message(3, column);
    let root = Message::new().message(1, Message::new().message(PROJECT, project));
    Message::new().text(1, SESSION).text(6, operation).message(3, root)
}

fn program(dir: &Path, body: &str) -> PathBuf {
    let path = dir.join("python");
    std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

async fn asked(python: PathBuf) -> Answer {
    let door = Door::with_python(python).await;
    let answer = door.call("ExecutePlan", call(OPERATION)).await;
    assert_eq!(answer.code, INTERNAL, "{answer:?}");
    // Whatever became of the function, the door answers.
    let version = Message::new().text(1, SESSION).message(3, Message::new().message(2, Message::new()));
    assert_eq!(door.call("Config", version).await.code, 0);
    door.close().await;
    plain(answer)
}

/// With the error's text as it was before gRPC wrapped it.
fn plain(answer: Answer) -> Answer {
    Answer { error: answer.error.replace("%20", " "), ..answer }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_python_that_is_not_there_is_named() {
    let answer = asked(PathBuf::from("/no/such/python")).await;
    assert!(answer.error.contains("/no/such/python"), "{answer:?}");
    assert!(answer.error.contains("spark.pyspark.python"), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_ends_at_once_is_a_failure_of_the_function() {
    let dir = tempfile::tempdir().unwrap();
    let answer = asked(program(dir.path(), "exit 3")).await;
    assert!(answer.error.contains("exited unexpectedly (exit status: 3) while it ran f"), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_talks_nonsense_is_ended() {
    let dir = tempfile::tempdir().unwrap();
    // It answers on the socket that is its standard input.
    let answer = asked(program(dir.path(), "echo 'hello there' >&0; exec sleep 1000")).await;
    assert!(answer.error.contains("exited unexpectedly (signal: 9"), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_never_answers_is_killed_by_an_interrupt() {
    let dir = tempfile::tempdir().unwrap();
    let pid = dir.path().join("pid");
    let fifo = dir.path().join("started");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let body = format!("echo $$ > {}; echo > {}; exec sleep 1000", pid.display(), fifo.display());
    let door = Door::with_python(program(dir.path(), &body)).await;
    let interrupted = async {
        // Opened when the worker opens it, too.
        tokio::task::spawn_blocking(move || std::fs::read(fifo)).await.unwrap().unwrap();
        door.ask("Interrupt", Message::new().text(1, SESSION).number(4, 1)).await
    };
    let (answer, _) = tokio::join!(door.call("ExecutePlan", call(OPERATION)), interrupted);
    assert!(answer.error.contains("OPERATION_CANCELED"), "{answer:?}");
    door.close().await;
    let pid = std::fs::read_to_string(pid).unwrap();
    let alive = Path::new("/proc").join(pid.trim()).join("exe").exists();
    assert!(!alive, "the worker is gone");
}
