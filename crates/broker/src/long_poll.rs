//! Waiting for bytes: fetches that found too little sleep until a partition they ask for grows.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use tokio::sync::watch;

/// Wakes when one of the high watermarks moves, or its partition goes away.
pub(crate) async fn any_changed(watches: &mut [watch::Receiver<i64>]) {
    if watches.is_empty() {
        std::future::pending::<()>().await;
    }
    let mut changes: Vec<_> = watches.iter_mut().map(|watch| Box::pin(watch.changed())).collect();
    poll_fn(|context| {
        let ready = changes.iter_mut().any(|change| pin!(change).poll(context).is_ready());
        if ready { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_one_that_moves_wakes() {
        let senders: Vec<_> = (0..3).map(|_| watch::Sender::new(0i64)).collect();
        let mut watches: Vec<_> = senders.iter().map(watch::Sender::subscribe).collect();
        let waiting = tokio::spawn(async move { any_changed(&mut watches).await });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        senders[2].send_replace(1);
        waiting.await.unwrap();
    }

    #[tokio::test]
    async fn what_moved_before_is_not_missed() {
        let sender = watch::Sender::new(0i64);
        let mut watches = [sender.subscribe()];
        sender.send_replace(5);
        any_changed(&mut watches).await;
    }
}
