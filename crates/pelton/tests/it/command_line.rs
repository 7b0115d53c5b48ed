//! Exit codes, the ready file, and errors that say what to do.

use rustix::process::Signal;

use crate::running::{Running, pelton};

#[test]
fn the_ready_file_names_each_open_door() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ready.json");
    let mut server = Running::start(dir.path(), &["--ready-file", file.to_str().unwrap(), "--http", "off"]);
    let ready: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let kafka = ready["kafka"].as_str().unwrap();
    assert!(server.ready_line.contains(kafka), "{}", server.ready_line);
    let connect = ready["connect"].as_str().unwrap();
    assert!(server.ready_line.contains(&format!("connect sc://{connect}")), "{}", server.ready_line);
    assert!(ready.get("http").is_none(), "a door that is off is left out: {ready}");
    assert!(ready["pid"].as_u64().is_some());
    std::net::TcpStream::connect(kafka).unwrap();
    std::net::TcpStream::connect(connect).unwrap();
    assert_eq!(server.signal(Signal::TERM).code(), Some(0));
}

#[test]
fn ctrl_c_is_a_clean_stop() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Running::start(dir.path(), &[]);
    assert_eq!(server.signal(Signal::INT).code(), Some(0));
}

#[test]
#[cfg(target_os = "linux")]
fn the_server_may_open_as_many_files_as_the_system_lets_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "ulimit -Sn 256 && exec \"$0\" \"$@\""]).arg(pelton().get_program());
    shell.args(["serve", "--kafka", "127.0.0.1:0", "--connect", "off", "--http", "off", "--data-dir"]);
    shell.arg(dir.path());
    let server = Running::from(shell.current_dir(dir.path()));
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.pid())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let numbers: Vec<&str> = line.split_whitespace().skip(3).take(2).collect();
    assert_eq!(numbers[0], numbers[1], "{line}");
}

#[test]
fn bad_arguments_end_with_2_and_a_line() {
    for args in [&["serve", "--no-such-flag"][..], &["no-such-command"], &["consume"]] {
        let output = pelton().args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(String::from_utf8_lossy(&output.stderr).starts_with("error:"), "{args:?}");
    }
}

#[test]
fn a_second_server_on_the_same_data_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let _first = Running::start(dir.path(), &[]);
    let (status, said) = Running::start(dir.path(), &[]).failure();
    assert_eq!(status.code(), Some(1));
    assert!(said.contains("error:") && said.contains("data directory"), "{said}");
}

#[test]
fn a_port_in_use_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let (status, said) = Running::start(dir.path(), &["--kafka", &addr]).failure();
    assert_eq!(status.code(), Some(1));
    assert!(said.contains(&addr), "{said}");
}

#[test]
fn a_door_beyond_loopback_must_be_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let (status, said) = Running::start(dir.path(), &["--kafka", "0.0.0.0:0"]).failure();
    assert_eq!(status.code(), Some(1));
    assert!(said.contains("loopback"), "{said}");
}

#[test]
fn an_unknown_key_in_the_configuration_is_named() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("pelton.toml"), "kafak = '127.0.0.1:0'\n").unwrap();
    let (status, said) = Running::start(dir.path(), &[]).failure();
    assert_eq!(status.code(), Some(1));
    assert!(said.contains("unknown key kafak; did you mean kafka?"), "{said}");
}

#[test]
fn lines_go_in_and_come_out_again_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ready.json");
    let mut server = Running::start(dir.path(), &["--ready-file", file.to_str().unwrap()]);
    let door = || {
        let ready: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        ready["kafka"].as_str().unwrap().to_owned()
    };
    let mut produce = pelton();
    produce.args(["produce", "lines", "-K", ":", "--bootstrap-server", &door()]);
    let mut child =
        produce.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"a:1\nb:2\nno key\n").unwrap();
    assert!(child.wait().unwrap().success());
    server.signal(Signal::KILL);
    let _again = Running::start(dir.path(), &["--ready-file", file.to_str().unwrap()]);
    let consume = ["consume", "lines", "--exit", "--format", "key", "--bootstrap-server", &door()];
    let output = pelton().args(consume).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "a\t1\nb\t2\n\tno key\n");
}
