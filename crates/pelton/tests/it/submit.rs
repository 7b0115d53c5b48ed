//! `pelton submit`, with a shell in the place of Python: what it is given, how it ends, what reaches it.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;

use crate::running::{Running, Said, pelton};

/// A program that is called as Python would be.
fn python(dir: &Path, body: &str) -> PathBuf {
    let path = dir.join("python");
    std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(dir.join("script.py"), "").unwrap();
    path
}

fn submit(dir: &Path, body: &str, flags: &[&str]) -> Command {
    let python = python(dir, body);
    let mut command = pelton();
    command.args(["submit", "--python", python.to_str().unwrap()]).args(flags).args([
        "script.py",
        "--n",
        "2",
    ]);
    command.current_dir(dir).env_remove("PYTHONPATH").env_remove("PYSPARK_PYTHON");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Flags for a server of its own, out of everybody's way.
const ALONE: &[&str] = &["--connect", "127.0.0.1:0", "--kafka", "off", "--http", "127.0.0.1:0"];

#[test]
fn a_server_is_started_and_the_script_is_told_where() {
    let dir = tempfile::tempdir().unwrap();
    let body = "echo \"$@\"; echo $SPARK_REMOTE $PELTON_UI; ls $PYTHONPATH/pelton/session.py; exit 7";
    let said = Said::of(submit(dir.path(), body, ALONE).spawn().unwrap());
    assert_eq!(said.code, Some(7), "{said:?}");
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!(lines[0], "-m pelton script.py --n 2");
    let (remote, ui) = lines[1].split_once(' ').unwrap();
    let connect = remote.strip_prefix("sc://127.0.0.1:").unwrap();
    assert!(ui.starts_with("http://127.0.0.1:"), "{ui}");
    let package = Path::new(lines[2]);
    assert!(package.is_absolute() && !package.exists(), "the package goes with the script: {package:?}");
    let gone = std::net::TcpStream::connect(format!("127.0.0.1:{connect}"));
    assert!(gone.is_err(), "the server goes with the script");
    assert!(dir.path().join("pelton-data").is_dir());
}

#[test]
fn a_server_that_is_there_is_used_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let server = tempfile::tempdir().unwrap();
    let file = server.path().join("ready.json");
    let _server = Running::start(server.path(), &["--ready-file", file.to_str().unwrap()]);
    let ready: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let connect = ready["connect"].as_str().unwrap();
    let said = Said::of(submit(dir.path(), "echo $SPARK_REMOTE", &["--connect", connect]).spawn().unwrap());
    assert_eq!((said.code, said.out.trim()), (Some(0), &*format!("sc://{connect}")), "{said:?}");
    assert!(!dir.path().join("pelton-data").exists(), "no second server");
    std::net::TcpStream::connect(connect).unwrap();
}

/// Starts a script that waits for a signal, and sends it one.
fn signalled(body: &str, signal: Signal) -> std::process::ExitStatus {
    let dir = tempfile::tempdir().unwrap();
    let mut child: Child = submit(dir.path(), body, ALONE).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
    child.wait().unwrap()
}

#[test]
fn signals_reach_the_script_whose_end_counts() {
    let wait = "while :; do sleep 0.1; done";
    let caught = signalled(&format!("trap 'exit 5' TERM; echo ready; {wait}"), Signal::TERM);
    assert_eq!(caught.code(), Some(5));
    let caught = signalled(&format!("trap 'exit 6' INT; echo ready; {wait}"), Signal::INT);
    assert_eq!(caught.code(), Some(6));
    let killed = signalled(&format!("echo ready; {wait}"), Signal::TERM);
    assert_eq!(killed.code(), Some(128 + 15), "what a shell says of a program that a signal ended");
}

#[test]
fn what_is_missing_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let fails = |args: &[&str]| {
        let mut command = pelton();
        command.args(args).current_dir(dir.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let said = Said::of(command.spawn().unwrap());
        assert_eq!(said.code, Some(1), "{said:?}");
        said.err
    };
    assert!(fails(&["submit", "no.py"]).contains("there is no script no.py"));
    std::fs::write(dir.path().join("script.py"), "").unwrap();
    let said = fails(&["submit", "--python", "no-such-python", "script.py"]);
    assert!(said.contains("there is no no-such-python") && said.contains("--python"), "{said}");
    assert!(!dir.path().join("pelton-data").exists(), "nothing was started");
}

#[test]
fn a_python_without_pyspark_says_how_to_get_it() {
    let Some(python) = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .map(|dir| dir.join("python3"))
        .find(|path| path.is_file())
    else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let mut command = submit(dir.path(), "", ALONE);
    // Without what is installed: the standard library alone.
    std::fs::write(dir.path().join("python"), format!("#!/bin/sh\nexec {} -S \"$@\"\n", python.display()))
        .unwrap();
    let said = Said::of(command.spawn().unwrap());
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("has no PySpark") && said.err.contains("-m pip install"), "{said:?}");
}
