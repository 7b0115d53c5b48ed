//! The workers that wait for their next task.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use crate::python::failure::Failure;
use crate::python::package::Package;
use crate::python::worker::Worker;
use crate::session::lock;

/// Workers that run something at the same time.
pub(crate) const BUSY_MAX: usize = 64;
/// Workers that wait.
const IDLE_MAX: usize = 16;

/// Workers of one key can take each other's tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) program: PathBuf,
    /// Modules that one session brought are not another's.
    pub(crate) session: String,
}

/// All workers of a server.
#[derive(Debug)]
pub(crate) struct Pool {
    /// The Python of sessions that name none.
    pub(crate) program: PathBuf,
    /// Where workers find the server.
    pub(crate) door: SocketAddr,
    package: Mutex<Option<Package>>,
    idle: Mutex<Vec<(Key, Worker)>>,
    busy: AtomicUsize,
}

impl Pool {
    pub(crate) fn new(program: Option<PathBuf>, door: SocketAddr) -> Self {
        let program = program.or_else(|| std::env::var_os("PYSPARK_PYTHON").map(PathBuf::from));
        Pool {
            program: program.unwrap_or_else(|| PathBuf::from("python3")),
            door,
            package: Mutex::default(),
            idle: Mutex::default(),
            busy: AtomicUsize::new(0),
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(Key, Worker)>> {
        lock(&self.idle)
    }

    /// A worker that waits, or a new one.
    pub(crate) fn take(&self, key: &Key) -> Result<Worker, Failure> {
        if self.busy.fetch_add(1, Ordering::Relaxed) >= BUSY_MAX {
            self.gone();
            return Err(Failure::TooMany { max: BUSY_MAX });
        }
        let waiting = {
            let mut idle = self.idle();
            idle.iter().position(|(known, _)| known == key).map(|at| idle.swap_remove(at).1)
        };
        let taken = waiting.map_or_else(|| self.start(key), Ok);
        if taken.is_err() {
            self.gone();
        }
        taken
    }

    /// A new worker in the place of one that was taken.
    pub(crate) fn start(&self, key: &Key) -> Result<Worker, Failure> {
        let mut package = lock(&self.package);
        let failed = |source| Failure::Start { program: key.program.clone(), source };
        let package = match &mut *package {
            Some(package) => package,
            none => none.insert(Package::unpack().map_err(failed)?),
        };
        Worker::start(&key.program, package.path())
    }

    /// Takes a worker back that has finished its task.
    pub(crate) fn give(&self, key: Key, mut worker: Worker) {
        self.gone();
        worker.used = true;
        let mut idle = self.idle();
        idle.push((key, worker));
        let oldest = (idle.len() > IDLE_MAX).then(|| idle.remove(0));
        drop(idle);
        drop(oldest);
    }

    /// A worker that was taken does not come back.
    pub(crate) fn gone(&self) {
        self.busy.fetch_sub(1, Ordering::Relaxed);
    }

    /// Ends the idle workers of a session, or all.
    pub(crate) fn end(&self, session: Option<&str>) {
        let ended: Vec<_> = {
            let mut idle = self.idle();
            let ends = |key: &Key| session.is_none_or(|session| key.session == session);
            let (ended, kept) = idle.drain(..).partition(|(key, _)| ends(key));
            *idle = kept;
            ended
        };
        drop(ended);
    }
}
