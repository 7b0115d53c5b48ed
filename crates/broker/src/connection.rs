//! One client: frames in, replies out in the order of the requests.

mod frame;
mod outgoing;

use std::io;
use std::sync::Arc;

use futures::FutureExt;
use futures::stream::{FuturesOrdered, StreamExt};
use tokio::net::TcpStream;

use crate::context::{Client, Shared, turned};
use crate::dispatch::{self, Answer, Refusal, Reply};
use crate::memory::Lease;
use frame::{Frame, FrameError, FrameReader};
use outgoing::Outgoing;

/// Replies beyond this size are not gathered into one write.
const BURST_BYTES: usize = 1 << 20;

/// Why a connection ended, other than by the client's wish.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("the request cannot be read")]
    Frame(#[from] FrameError),
    #[error("the request is refused")]
    Refused(#[from] Refusal),
    #[error("the client does not read its replies")]
    Write(#[source] io::Error),
    #[error("a request without acknowledgement failed")]
    SilentFailure,
}

/// Serves one client until it leaves, misbehaves, or the broker stops.
pub(crate) async fn serve(stream: TcpStream, shared: Arc<Shared>, client: Client) {
    let peer = client.peer;
    tracing::debug!(%peer, principal = ?client.principal, "connected");
    match run(stream, &shared, Arc::new(client)).await {
        Ok(()) => tracing::debug!(%peer, "disconnected"),
        Err(Ended::Frame(error @ (FrameError::Idle | FrameError::Io(_)))) => {
            tracing::debug!(%peer, error = &error as &dyn std::error::Error, "disconnected");
        }
        Err(error) => {
            tracing::warn!(%peer, error = &error as &dyn std::error::Error, "connection closed");
        }
    }
}

async fn run(stream: TcpStream, shared: &Arc<Shared>, client: Arc<Client>) -> Result<(), Ended> {
    let config = &shared.config;
    let (source, sink) = stream.into_split();
    let mut connection = Connection {
        reader: FrameReader::new(
            source,
            &shared.memory,
            config.max_frame_bytes,
            config.idle_timeout,
            config.stall_timeout,
        ),
        outgoing: Outgoing::new(sink, config.stall_timeout),
        replies: FuturesOrdered::new(),
        shared,
        client,
    };
    let mut closing = shared.closing.clone();
    let mut open = true;
    while open || !connection.replies.is_empty() {
        let reads = open && connection.replies.len() < config.max_pipelined;
        tokio::select! {
            biased;
            Some(reply) = connection.replies.next() => {
                connection.send(reply).await?;
                connection.reader.refresh();
            }
            frame = connection.reader.next(), if reads => match frame {
                Ok(Some(frame)) => connection.receive(frame)?,
                Ok(None) => return Ok(()),
                Err(FrameError::Idle) if !connection.replies.is_empty() => connection.reader.refresh(),
                Err(error) => return Err(error.into()),
            },
            () = turned(&mut closing), if open => open = false,
        }
    }
    Ok(())
}

struct Connection<'a> {
    reader: FrameReader<tokio::net::tcp::OwnedReadHalf>,
    outgoing: Outgoing<tokio::net::tcp::OwnedWriteHalf>,
    replies: FuturesOrdered<Answer>,
    shared: &'a Arc<Shared>,
    client: Arc<Client>,
}

impl Connection<'_> {
    fn receive(&mut self, frame: Frame) -> Result<(), Refusal> {
        let answer = dispatch::dispatch(self.shared, &self.client, frame.bytes, frame.lease)?;
        self.replies.push_back(answer);
        Ok(())
    }

    /// Writes this reply, and those behind it that are ready, at once.
    async fn send(&mut self, first: (Reply, Lease)) -> Result<(), Ended> {
        let mut leases = Vec::new();
        let mut next = Some(first);
        let mut failed = false;
        while let Some((reply, lease)) = next {
            leases.push(lease);
            match reply {
                Reply::Send(chunks) => self.outgoing.push(chunks),
                Reply::Nothing => {}
                Reply::Close => failed = true,
            }
            if failed || self.outgoing.len() >= BURST_BYTES {
                break;
            }
            next = self.replies.next().now_or_never().flatten();
        }
        self.outgoing.flush().await.map_err(Ended::Write)?;
        if failed { Err(Ended::SilentFailure) } else { Ok(()) }
    }
}
