//! Accepting connections, up to a limit.

use std::io;
use std::sync::{Arc, Mutex};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Duration, sleep, timeout};

use crate::connection;
use crate::context::{Client, Principal, Shared, turned};

/// How long accepting pauses when the system has no more file descriptors.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// Accepts connections until the broker stops, then waits for those that are open.
pub(crate) async fn run(listener: TcpListener, shared: Arc<Shared>) {
    let slots = Arc::new(Semaphore::new(shared.config.max_connections));
    let mut connections = JoinSet::new();
    let mut closing = shared.closing.clone();
    loop {
        tokio::select! {
            biased;
            () = turned(&mut closing) => break,
            Some(ended) = connections.join_next() => note_panic(ended),
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => admit(stream, &slots, &shared, &mut connections),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "accepting a connection failed");
                    sleep(EXHAUSTED_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let grace = shared.config.shutdown_grace;
    let drained = timeout(grace, async { while connections.join_next().await.is_some() {} }).await;
    if drained.is_err() {
        tracing::warn!(open = connections.len(), "connections cut at shutdown");
        connections.shutdown().await;
    }
}

fn admit(stream: TcpStream, slots: &Arc<Semaphore>, shared: &Arc<Shared>, connections: &mut JoinSet<()>) {
    let Ok(slot) = Arc::clone(slots).try_acquire_owned() else {
        tracing::warn!(limit = shared.config.max_connections, "connection refused: the limit is reached");
        return;
    };
    let client = match describe(&stream) {
        Ok(client) => client,
        Err(error) => {
            tracing::debug!(error = &error as &dyn std::error::Error, "gone before it was greeted");
            return;
        }
    };
    let shared = Arc::clone(shared);
    connections.spawn(async move {
        connection::serve(stream, shared, client).await;
        drop(slot);
    });
}

fn describe(stream: &TcpStream) -> io::Result<Client> {
    stream.set_nodelay(true)?;
    Ok(Client {
        peer: stream.peer_addr()?,
        local: stream.local_addr()?,
        principal: Principal::Anonymous,
        burst: Mutex::default(),
    })
}

/// A bug in one connection must not take the others along, nor stay unseen.
fn note_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(error = &error as &dyn std::error::Error, "a connection's task broke");
    }
}
