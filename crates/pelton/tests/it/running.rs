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
        command.args(["serve", "--kafka", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data-dir"]);
        command.arg(data_dir).args(more).current_dir(data_dir);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut ready_line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready_line).unwrap();
        Self { child, ready_line }
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

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
