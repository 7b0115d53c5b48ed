//! A server as a child process, and what the system says of it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};

/// `pelton serve` as a child of this process.
pub(crate) struct ServerProcess {
    child: Child,
    /// The Kafka door.
    pub(crate) kafka: SocketAddr,
    /// The HTTP door.
    pub(crate) http: SocketAddr,
    /// From the start of the process to its word that every door is open.
    pub(crate) ready_after: Duration,
}

/// How to start one.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    /// The data directory.
    pub(crate) data_dir: PathBuf,
    /// Where the Kafka door listens.
    pub(crate) kafka: String,
    /// Where the HTTP door listens.
    pub(crate) http: String,
    /// A configuration file.
    pub(crate) config: Option<PathBuf>,
}

#[derive(serde::Deserialize)]
struct ReadyFile {
    kafka: SocketAddr,
    http: SocketAddr,
}

impl ServerProcess {
    /// Starts the server and waits until every door answers.
    pub(crate) fn start(launch: &Launch, clock: &dyn env::Clock) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&launch.data_dir)
            .with_context(|| format!("create data directory {}", launch.data_dir.display()))?;
        let ready_file = launch.data_dir.join("ready.json");
        let log_path = launch.data_dir.join("server.log");
        let log =
            File::options().create(true).append(true).open(&log_path).context("open the server's log")?;
        let started = clock.monotonic();
        let mut command = Command::new(std::env::current_exe().context("find my own executable")?);
        command.arg("serve").arg("--data-dir").arg(&launch.data_dir);
        command.args(["--kafka", &launch.kafka, "--connect", "off", "--http", &launch.http]);
        command.arg("--ready-file").arg(&ready_file);
        if let Some(config) = &launch.config {
            command.arg("--config").arg(config);
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .context("start pelton serve")?;
        let stdout = child.stdout.take().context("read the server's first line")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).context("read the server's first line")?;
        if line.is_empty() {
            let status = child.wait().context("wait for the server")?;
            bail!("the server did not start ({status}):\n{}", last_lines(&log_path, 5));
        }
        let ready_after = clock.monotonic().saturating_sub(started);
        let text = std::fs::read_to_string(&ready_file).context("read the ready file")?;
        let ready: ReadyFile = serde_json::from_str(&text).context("parse the ready file")?;
        Ok(Self { child, kafka: ready.kafka, http: ready.http, ready_after })
    }

    /// SIGKILL: no chance to tidy up.
    pub(crate) fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().context("kill the server")?;
        self.child.wait().context("wait for the server")?;
        Ok(())
    }

    /// SIGTERM, and waits for a clean end.
    pub(crate) fn stop(mut self) -> anyhow::Result<ExitStatus> {
        kill_process(self.pid()?, Signal::TERM).context("stop the server")?;
        self.child.wait().context("wait for the server")
    }

    /// Whether it is still there; its status if not.
    pub(crate) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.child.try_wait().context("look after the server")
    }

    /// Resident memory in bytes and processor time used so far, as the system counts them (Linux).
    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        Usage::of(self.child.id())
    }

    fn pid(&self) -> anyhow::Result<Pid> {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("pid of the server")
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // After `kill` or `stop` the child is reaped and these do nothing.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Memory and processor time of a process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// Resident memory, in bytes.
    pub(crate) resident_bytes: u64,
    /// User and system time together.
    pub(crate) cpu: Duration,
}

impl Usage {
    fn of(pid: u32) -> anyhow::Result<Self> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).context("read /proc")?;
        let resident_kib: u64 = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok())
            .context("find VmRSS")?;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).context("read /proc")?;
        // Fields are counted behind the command's closing bracket, which may hold spaces itself.
        let behind = stat.rsplit_once(')').map(|(_, rest)| rest).context("parse /proc/stat")?;
        let field = |n: usize| behind.split_whitespace().nth(n).and_then(|text| text.parse::<u64>().ok());
        let ticks =
            field(11).zip(field(12)).map(|(user, system)| user + system).context("parse /proc/stat")?;
        let cpu = Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second().max(1));
        Ok(Self { resident_bytes: resident_kib * 1024, cpu })
    }
}

fn last_lines(path: &Path, count: usize) -> String {
    let mut text = String::new();
    if let Ok(mut file) = File::open(path) {
        let _ = file.read_to_string(&mut text);
    }
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
