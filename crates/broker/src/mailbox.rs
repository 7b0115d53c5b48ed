//! The bounded queue in front of a coordinator's owner.

use tokio::sync::{mpsc, oneshot};

use crate::journal::Unavailable;

/// Where the owner answers.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, Unavailable>>;
/// What the owner answered, if it could.
pub(crate) type Asked<T> = Result<T, Unavailable>;

/// Answers. Whoever asked may be gone; nothing is owed then.
pub(crate) fn answer<T>(reply: Reply<T>, answer: Asked<T>) {
    let _ = reply.send(answer);
}

/// The asking end of an owner's queue.
pub(crate) struct Mailbox<C>(mpsc::Sender<C>);

impl<C> std::fmt::Debug for Mailbox<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailbox").field("free", &self.0.capacity()).finish()
    }
}

impl<C> Clone for Mailbox<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<C: Send + 'static> Mailbox<C> {
    pub(crate) fn new(queue: mpsc::Sender<C>) -> Self {
        Self(queue)
    }

    /// Enqueues now, in the caller's order; only a full queue makes the future wait for its place.
    pub(crate) fn ask<T: Send + 'static, F: FnOnce(Reply<T>) -> C>(
        &self,
        command: F,
    ) -> impl Future<Output = Asked<T>> + Send + use<T, F, C> {
        let (reply, answer) = oneshot::channel();
        let refused = self.0.try_send(command(reply)).err();
        let queue = self.0.clone();
        async move {
            if let Some(mpsc::error::TrySendError::Full(command)) = refused {
                queue.send(command).await.map_err(|_| Unavailable)?;
            }
            // Nobody holds a queue while waiting for a reply: a shutdown must see it closed.
            drop(queue);
            answer.await.unwrap_or(Err(Unavailable))
        }
    }

    /// Enqueues now or not at all.
    pub(crate) fn ask_now<T: Send + 'static, F: FnOnce(Reply<T>) -> C>(
        &self,
        command: F,
    ) -> impl Future<Output = Asked<T>> + Send + use<T, F, C> {
        let (reply, answer) = oneshot::channel();
        let refused = self.0.try_send(command(reply)).is_err();
        async move { if refused { Err(Unavailable) } else { answer.await.unwrap_or(Err(Unavailable)) } }
    }

    /// Tells without waiting for an answer.
    pub(crate) async fn tell(&self, command: C) {
        drop(self.0.send(command).await);
    }
}
