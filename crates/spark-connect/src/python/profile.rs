//! Profiles of Python functions: what PySpark measured in the workers (`spark.sql.pyspark.udf.profiler`), on its way to the
//! client. A worker's figures come with the end of its task; a client adds up what it is told.

use std::future::Future;

use tokio::sync::mpsc::{Sender, WeakSender, channel};

/// Figures that wait to be told; more are left out.
const UPDATES_AHEAD: usize = 1_024;
/// Bytes of the figures of one task, and of all that one operation tells.
const UPDATE_BYTES_MAX: usize = 4 << 20;
const BYTES_MAX: usize = 64 << 20;

tokio::task_local! {
    /// Who hears the figures of what the operation runs.
    static HEARD: Figures;
}

/// The way of figures to the operation. When that has ended, nobody hears them.
#[derive(Debug, Clone)]
pub(crate) struct Figures(WeakSender<Vec<u8>>);

/// An operation that waits for figures.
#[derive(Debug)]
pub(crate) struct Waits {
    _sender: Sender<Vec<u8>>,
}

impl Figures {
    /// Those of the operation that is at work.
    pub(super) fn of_operation() -> Option<Figures> {
        HEARD.try_with(Clone::clone).ok()
    }

    /// Hands over the figures of a task.
    pub(super) fn tell(&self, update: Vec<u8>) {
        let Some(sender) = self.0.upgrade() else { return };
        let bytes = update.len();
        if bytes > UPDATE_BYTES_MAX || sender.try_send(update).is_err() {
            tracing::warn!(bytes, "figures of a Python function are left out of its profile");
        }
    }

    /// Has the operation wait as long as this is kept.
    pub(super) fn wait(&self) -> Option<Waits> {
        self.0.upgrade().map(|sender| Waits { _sender: sender })
    }
}

/// Does an operation's work; also the figures of the functions that ran for it, as PySpark pickles them.
pub(crate) async fn measured<T>(work: impl Future<Output = T>) -> (T, Vec<Vec<u8>>) {
    let (sender, mut receiver) = channel(UPDATES_AHEAD);
    let work = async move {
        let done = HEARD.scope(Figures(sender.downgrade()), work).await;
        drop(sender);
        done
    };
    let heard = async move {
        let (mut updates, mut bytes): (Vec<Vec<u8>>, usize) = (Vec::new(), 0);
        while let Some(update) = receiver.recv().await {
            bytes = bytes.saturating_add(update.len());
            if bytes <= BYTES_MAX {
                updates.push(update);
            }
        }
        if bytes > BYTES_MAX {
            tracing::warn!(bytes, "profiles of Python functions are longer than an operation tells");
        }
        updates
    };
    tokio::join!(work, heard)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn figures_are_told_until_the_last_who_has_some_has_ended() {
        let (after, updates) = measured(async {
            let figures = Figures::of_operation().unwrap();
            figures.tell(vec![1]);
            figures.tell(vec![0; UPDATE_BYTES_MAX + 1]);
            let (late, waits) = (figures.clone(), figures.wait());
            tokio::spawn(async move {
                late.tell(vec![2]);
                drop(waits);
            });
            figures
        })
        .await;
        assert_eq!(updates, [[1], [2]]);
        after.tell(vec![3]);
        assert!(after.wait().is_none());
    }

    #[tokio::test]
    async fn an_operation_tells_so_much() {
        let ((), updates) = measured(async {
            let figures = Figures::of_operation().unwrap();
            for _ in 0..BYTES_MAX / UPDATE_BYTES_MAX + 5 {
                figures.tell(vec![0; UPDATE_BYTES_MAX]);
            }
        })
        .await;
        assert_eq!(updates.len(), BYTES_MAX / UPDATE_BYTES_MAX);
    }

    #[tokio::test]
    async fn nobody_listens_outside_of_operations() {
        assert!(Figures::of_operation().is_none());
    }
}
