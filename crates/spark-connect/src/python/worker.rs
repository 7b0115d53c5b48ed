//! One Python process, and the messages between it and this one.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use crate::python::failure::Failure;
use crate::session::lock;

/// The longest message of a worker, in bytes.
const MESSAGE_BYTES_MAX: usize = 1 << 30;

/// A process that runs functions, one task after the other.
#[derive(Debug)]
pub(crate) struct Worker {
    stream: UnixStream,
    child: Killer,
    /// It has served before: that it is gone may only mean that it was idle for too long.
    pub(crate) used: bool,
}

/// Ends a worker, whatever it does.
#[derive(Debug, Clone)]
pub(crate) struct Killer(Arc<Mutex<Child>>);

/// What a worker says.
#[derive(Debug)]
pub(crate) enum Word {
    Data(Vec<u8>),
    Wants,
    /// What was measured of its functions.
    Measured(Vec<u8>),
    /// Its last words, which most functions do without.
    Finished(Vec<u8>),
    Raised(String),
}

impl Worker {
    /// Starts a process of this Python. What it prints is printed by this process.
    pub(crate) fn start(program: &Path, package: &Path) -> Result<Worker, Failure> {
        let failed = |source| Failure::Start { program: program.to_owned(), source };
        let (stream, theirs) = UnixStream::pair().map_err(failed)?;
        let mut path = package.as_os_str().to_owned();
        if let Some(more) = std::env::var_os("PYTHONPATH").filter(|more| !more.is_empty()) {
            path.push(":");
            path.push(more);
        }
        let mut command = Command::new(program);
        command.args(["-m", "pelton.worker"]).env("PYTHONPATH", path).env("PYTHONUNBUFFERED", "1");
        // A Ctrl-C at the terminal is for the server, which ends its workers itself.
        command.stdin(Stdio::from(OwnedFd::from(theirs))).process_group(0);
        let child = command.spawn().map_err(failed)?;
        Ok(Worker { stream, child: Killer(Arc::new(Mutex::new(child))), used: false })
    }

    pub(crate) fn killer(&self) -> Killer {
        self.child.clone()
    }

    /// Sends a message of these parts.
    pub(crate) fn send(&mut self, kind: u8, parts: &[&[u8]]) -> std::io::Result<()> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let length = u32::try_from(length).map_err(std::io::Error::other)?;
        let mut head = vec![kind];
        head.extend(length.to_be_bytes());
        self.stream.write_all(&head)?;
        parts.iter().try_for_each(|part| self.stream.write_all(part))
    }

    /// Waits for a message.
    pub(crate) fn receive(&mut self) -> std::io::Result<Word> {
        let mut head = [0; 5];
        self.stream.read_exact(&mut head)?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        if length > MESSAGE_BYTES_MAX || !b"DWPFX".contains(&head[0]) {
            return Err(std::io::Error::other(format!("a message of kind {} and {length} bytes", head[0])));
        }
        let mut data = vec![0; length];
        self.stream.read_exact(&mut data)?;
        match head[0] {
            b'D' => Ok(Word::Data(data)),
            b'W' => Ok(Word::Wants),
            b'P' => Ok(Word::Measured(data)),
            b'F' => Ok(Word::Finished(data)),
            _ => Ok(Word::Raised(String::from_utf8_lossy(&data).into_owned())),
        }
    }

    /// Waits no longer than this for messages.
    pub(crate) fn patience(&self, patience: Option<std::time::Duration>) -> std::io::Result<()> {
        self.stream.set_read_timeout(patience)
    }

    /// How a process ended that has closed its end of the socket.
    pub(crate) fn status(&self) -> String {
        let mut child = lock(&self.child.0);
        // One that is ending already ends as it would have.
        let _ = child.kill();
        child.wait().map_or_else(|error| error.to_string(), told)
    }
}

/// How a process ended; of a signal also in the words of Python, which cannot say them itself any more.
fn told(status: ExitStatus) -> String {
    let words = match status.signal() {
        Some(4) => "Illegal instruction",
        Some(6) => "Aborted",
        Some(7) => "Bus error",
        Some(8) => "Floating-point exception",
        Some(11) => "Segmentation fault",
        _ => return status.to_string(),
    };
    format!("{status}, Fatal Python error: {words}")
}

impl Killer {
    /// Whether both are of one worker.
    pub(crate) fn is(&self, other: &Killer) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// When it returns, the process is gone.
    pub(crate) fn kill(&self) {
        let mut child = lock(&self.0);
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.child.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_pythons_names() {
        let of = |raw| told(ExitStatus::from_raw(raw));
        assert!(of(11).ends_with("Fatal Python error: Segmentation fault"), "{}", of(11));
        assert!(of(9).starts_with("signal: 9"), "{}", of(9));
        assert_eq!(of(3 << 8), "exit status: 3");
    }
}
