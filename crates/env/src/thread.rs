//! Named threads.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Starts a thread whose name shows in debuggers and in `top -H`.
///
/// # Errors
/// When the operating system refuses one more thread.
pub fn spawn_thread<F, T>(name: &str, body: F) -> io::Result<JoinHandle<T>>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Builder::new().name(name.to_owned()).spawn(body)
}

/// The weight of a thread that gets what others leave.
const BACKGROUND_NICE: i32 = 19;

/// Starts a named thread that gives way to all others: it gets what processor time they leave, and its reads and
/// writes stand behind theirs as far as the operating system ranks them by that.
///
/// # Errors
/// When the operating system refuses one more thread.
pub fn spawn_background_thread<F, T>(name: &str, body: F) -> io::Result<JoinHandle<T>>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    spawn_thread(name, move || {
        // On Linux a thread's id stands for that thread alone. Without the right to it, it works at normal weight.
        rustix::process::setpriority_process(Some(rustix::thread::gettid()), BACKGROUND_NICE)
            .unwrap_or_default();
        body()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_background_thread_gives_way_and_others_do_not() {
        let nice = || rustix::process::getpriority_process(Some(rustix::thread::gettid())).unwrap();
        let before = nice();
        let background = spawn_background_thread("cleaner", nice).unwrap().join().unwrap();
        assert_eq!((background, nice()), (19, before));
    }

    #[test]
    fn a_thread_knows_its_name() {
        let handle = spawn_thread("writer-3", || std::thread::current().name().map(str::to_owned)).unwrap();
        assert_eq!(handle.join().unwrap().as_deref(), Some("writer-3"));
    }
}
