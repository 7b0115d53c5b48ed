//! A `pelton serve` that ends with the test.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

/// The binary under test.
pub(crate) fn pelton() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pelton"));
    // A variable of the person who runs the tests must not steer them.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PELTON_")) {
        command.env_remove(name);
    }
    command
}

pub(crate) struct Running {
    child: Child,
    /// The line on standard output that says the doors are open; empty when the start failed.
    pub(crate) ready_line: String,
}

impl Running {
    /// Starts on `data_dir` with free ports and waits for its first line, or its end.
    pub(crate) fn start(data_dir: &Path, more: &[&str]) -> Self {
        let mut command = pelton();
        command.args(["serve", "--kafka", "127.0.0.1:0", "--connect", "127.0.0.1:0"]);
        command.args(["--http", "127.0.0.1:0", "--data-dir"]);
        Self::from(command.arg(data_dir).args(more).current_dir(data_dir))
    }

    /// Starts this command and waits for its first line, or its end.
    pub(crate) fn from(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut ready_line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready_line).unwrap();
        Self { child, ready_line }
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&mut self, signal: rustix::process::Signal) -> ExitStatus {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
        self.child.wait().unwrap()
    }

    /// For a start that failed: its status and what it said.
    pub(crate) fn failure(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (status, said)
    }
}

/// A server whose Kafka door the commands are tried on.
pub(crate) struct Kafka {
    dir: tempfile::TempDir,
    server: Running,
    /// The Kafka door.
    pub(crate) addr: String,
}

/// What a command said and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Kafka {
    /// Starts an empty one.
    pub(crate) fn start() -> Self {
        Self::with("")
    }

    /// Starts one with this configuration.
    pub(crate) fn with(config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("pelton.toml"), config).unwrap();
        let (server, addr) = Self::serve(dir.path());
        Self { dir, server, addr }
    }

    fn serve(dir: &Path) -> (Running, String) {
        let file = dir.join("ready.json");
        let server = Running::start(dir, &["--http", "off", "--ready-file", file.to_str().unwrap()]);
        let ready: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let addr = ready["kafka"].as_str().unwrap().to_owned();
        (server, addr)
    }

    /// SIGKILL and a new start at the same address.
    pub(crate) fn kill_and_restart(&mut self) {
        self.server.signal(rustix::process::Signal::KILL);
        let mut command = pelton();
        command.args(["serve", "--http", "off", "--connect", "off", "--kafka", &self.addr, "--data-dir"]);
        command.arg(self.dir.path());
        self.server = Running::from(command.current_dir(self.dir.path()));
    }

    /// A command against this server.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = pelton();
        command.args(args).env("PELTON_KAFKA", &self.addr).current_dir(self.dir.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Said {
        Said::of(self.command(args).spawn().unwrap())
    }

    /// Runs a command that must succeed; what it printed.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let said = self.run(args);
        assert_eq!(said.code, Some(0), "{args:?}: {said:?}");
        said.out
    }

    /// Runs a command that must fail with 1; the line it said.
    pub(crate) fn fails(&self, args: &[&str]) -> String {
        let said = self.run(args);
        assert_eq!(said.code, Some(1), "{args:?}: {said:?}");
        assert_eq!(said.err.lines().count(), 1, "one line: {said:?}");
        said.err.trim_end().to_owned()
    }

    /// Runs a command that must succeed and prints JSON.
    pub(crate) fn json(&self, args: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.ok(args)).unwrap()
    }

    /// Runs a command with standard input.
    pub(crate) fn feed(&self, args: &[&str], input: &[u8]) -> Said {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        // A command that refuses its input may be gone before it is written.
        let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), input);
        Said::of(child)
    }

    /// Produces lines that must all be acknowledged.
    pub(crate) fn produce(&self, topic: &str, lines: &str) {
        let said = self.feed(&["produce", topic], lines.as_bytes());
        assert_eq!(said.code, Some(0), "{said:?}");
    }
}

impl Said {
    pub(crate) fn of(child: Child) -> Self {
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
