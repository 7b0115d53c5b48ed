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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_knows_its_name() {
        let handle = spawn_thread("writer-3", || std::thread::current().name().map(str::to_owned)).unwrap();
        assert_eq!(handle.join().unwrap().as_deref(), Some("writer-3"));
    }
}
