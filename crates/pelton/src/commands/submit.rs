//! `pelton submit`: a PySpark script, with a server if there is none.

use std::ffi::OsString;
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};
use std::time::Duration;

use anyhow::{Context, bail};
use pelton::{Config, Door, Ready, Server};
use rustix::process::{Pid, Signal, kill_process};
use spark_connect::Package;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal as Signals, SignalKind, signal};

use crate::commands::serve;
use crate::terminal;

/// How long a server may take to accept a connection.
const THERE: Duration = Duration::from_secs(2);

/// Flags of `submit`. What stands behind the script is the script's.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Spark Connect door of the server; one is started there if nobody listens
    #[arg(long, env = "PELTON_CONNECT", value_name = "ADDR")]
    connect: Option<String>,
    /// Python of the script and its functions [default: $PYSPARK_PYTHON, or python3]
    #[arg(long, value_name = "PROGRAM")]
    python: Option<PathBuf>,
    /// Where a server that is started keeps its data [default: ./pelton-data]
    #[arg(long, env = "PELTON_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Kafka door of a server that is started, HOST:PORT or off [default: 127.0.0.1:9092]
    #[arg(long, env = "PELTON_KAFKA", value_name = "ADDR")]
    kafka: Option<String>,
    /// HTTP door of a server that is started, HOST:PORT or off [default: 127.0.0.1:8080]
    #[arg(long, env = "PELTON_HTTP", value_name = "ADDR")]
    http: Option<String>,
    /// The script
    script: PathBuf,
    /// Its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

/// Runs the script; ends as it ends.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    serve::init_logs("warn");
    if !args.script.is_file() {
        bail!("there is no script {}", args.script.display());
    }
    let python = python(args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().thread_name("door").enable_all().build();
    let runtime = runtime.context("start the doors' runtime")?;
    let signals = {
        // Caught from here on: a signal during the start must not kill a half-open log.
        let _inside = runtime.enter();
        let interrupt = signal(SignalKind::interrupt()).context("listen for Ctrl-C")?;
        (interrupt, signal(SignalKind::terminate()).context("listen for SIGTERM")?)
    };
    let config = config(args)?;
    let Door::At(addr) = config.connect.clone() else {
        bail!("a script needs the Spark Connect door: its address is HOST:PORT, not off");
    };
    if is_there(&addr) {
        let status = script(args, &python, &addr, None, signals, &runtime)?;
        return Ok(code(status));
    }
    let server = runtime.block_on(start(config, &python))?;
    let ready = server.ready();
    let Some(connect) = ready.connect else { bail!("the Spark Connect door did not open") };
    let ended = script(args, &python, &connect.to_string(), Some(&ready), signals, &runtime);
    runtime.block_on(server.stop());
    Ok(code(ended?))
}

/// The Python to use: the flag's, the variable's of Spark, the one that the shell finds.
fn python(args: &Args) -> anyhow::Result<PathBuf> {
    let named = args.python.clone().or_else(|| std::env::var_os("PYSPARK_PYTHON").map(PathBuf::from));
    let candidates =
        named.map_or_else(|| vec![PathBuf::from("python3"), PathBuf::from("python")], |one| vec![one]);
    let found = candidates.iter().find_map(|name| which(name));
    let Some(found) = found else {
        bail!("there is no {}; name a Python with --python", candidates[0].display());
    };
    Ok(found)
}

/// The program's path as a shell would find it.
fn which(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return program.is_file().then(|| program.to_owned());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
}

fn config(args: &Args) -> anyhow::Result<Config> {
    let mut config = serve::configured(None)?;
    if let Some(dir) = &args.data_dir {
        config.data_dir.clone_from(dir);
    }
    for (told, door) in [
        (&args.connect, &mut config.connect),
        (&args.kafka, &mut config.kafka),
        (&args.http, &mut config.http),
    ] {
        if let Some(addr) = told {
            *door = Door::from(addr.clone());
        }
    }
    Ok(config)
}

/// Whether somebody listens at the address.
fn is_there(addr: &str) -> bool {
    let Ok(mut found) = addr.to_socket_addrs() else { return false };
    found.any(|addr| addr.port() != 0 && TcpStream::connect_timeout(&addr, THERE).is_ok())
}

/// A server in this process, whose functions run in this Python. A door whose port somebody has stays closed: the
/// script needs one alone.
async fn start(mut config: Config, python: &Path) -> anyhow::Result<Server> {
    for (name, door) in [("Kafka", &mut config.kafka), ("HTTP", &mut config.http)] {
        let Door::At(addr) = &*door else { continue };
        if taken(addr) {
            terminal::note(&format!("the port of {addr} is taken: this server has no {name} door"));
            *door = Door::Off;
        }
    }
    Ok(Server::builder().config(config).python(python).start().await?)
}

fn taken(addr: &str) -> bool {
    let found: Vec<SocketAddr> = addr.to_socket_addrs().map(Iterator::collect).unwrap_or_default();
    TcpListener::bind(&found[..]).is_err_and(|error| error.kind() == std::io::ErrorKind::AddrInUse)
}

/// Runs the script to its end, with what comes for this process handed on to it.
fn script(
    args: &Args,
    python: &Path,
    connect: &str,
    ready: Option<&Ready>,
    signals: (Signals, Signals),
    runtime: &Runtime,
) -> anyhow::Result<ExitStatus> {
    let package = Package::unpack().context("unpack the Python package")?;
    let mut command = Command::new(python);
    command.args(["-m", "pelton"]).arg(&args.script).args(&args.args);
    command.env("SPARK_REMOTE", format!("sc://{connect}")).env("PYSPARK_PYTHON", python);
    command.env("PYTHONPATH", path(package.path()));
    // Spark's words for a cluster, which would contradict the server's address.
    command.env_remove("MASTER").env_remove("SPARK_API_MODE").env_remove("SPARK_LOCAL_REMOTE");
    if std::env::var_os("PYTHONUNBUFFERED").is_none() {
        command.env("PYTHONUNBUFFERED", "1");
    }
    if let Some(http) = ready.and_then(|ready| ready.http) {
        command.env("PELTON_UI", format!("http://{http}"));
    }
    if let Some(kafka) = ready.and_then(|ready| ready.kafka) {
        command.env("PELTON_KAFKA", kafka.to_string());
    }
    let mut child = command.spawn().with_context(|| format!("start {}", python.display()))?;
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("pid of the script")?;
    let waiting = runtime.spawn_blocking(move || child.wait());
    let status = runtime.block_on(hand_on(pid, signals, waiting));
    status.context("wait for the script")
}

/// Waits, and hands signals on meanwhile. A terminal sends Ctrl-C to the script by itself.
async fn hand_on(
    pid: Pid,
    (mut interrupt, mut terminate): (Signals, Signals),
    mut waiting: tokio::task::JoinHandle<std::io::Result<ExitStatus>>,
) -> anyhow::Result<ExitStatus> {
    let terminal = std::io::IsTerminal::is_terminal(&std::io::stdin());
    loop {
        tokio::select! {
            done = &mut waiting => return Ok(done??),
            _ = interrupt.recv() => if !terminal { let _ = kill_process(pid, Signal::INT); },
            _ = terminate.recv() => { let _ = kill_process(pid, Signal::TERM); }
        }
    }
}

/// `PYTHONPATH` with this in front.
fn path(package: &Path) -> OsString {
    let rest = std::env::var_os("PYTHONPATH").unwrap_or_default();
    let parts = std::iter::once(package.to_owned()).chain(std::env::split_paths(&rest));
    let parts = parts.filter(|part| !part.as_os_str().is_empty());
    std::env::join_paths(parts).unwrap_or_else(|_| package.as_os_str().to_owned())
}

/// The script's code, or what a shell says of one that a signal ended.
fn code(status: ExitStatus) -> ExitCode {
    const SIGNALLED: i32 = 128;
    let code = status.code().unwrap_or_else(|| SIGNALLED + status.signal().unwrap_or(0));
    ExitCode::from(u8::try_from(code & 0xff).unwrap_or(1))
}
