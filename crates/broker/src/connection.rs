//! One client: frames in, replies out in the order of the requests.

mod frame;
mod outgoing;

use std::io;
use std::mem;
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
        begun: Vec::new(),
        replies: FuturesOrdered::new(),
        leases: Vec::new(),
        failed: false,
        shared,
        client,
    };
    let mut closing = shared.closing.clone();
    let mut open = true;
    while open || !connection.replies.is_empty() {
        let reads = open && connection.replies.len() < config.max_pipelined;
        tokio::select! {
            biased;
            Some(reply) = connection.replies.next() => connection.send(reply).await?,
            frame = connection.reader.next(), if reads => match frame {
                Ok(Some(frame)) => connection.receive(frame).await?,
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
    /// What waits for the end of the client's burst.
    begun: Vec<Answer>,
    /// What is not answered yet.
    replies: FuturesOrdered<Answer>,
    /// The memory of the replies in `outgoing`, and of their requests.
    leases: Vec<Lease>,
    /// Somebody who wants no answer has to notice a failure.
    failed: bool,
    shared: &'a Arc<Shared>,
    client: Arc<Client>,
}

impl Connection<'_> {
    /// Starts on this request and on all that came with it. The replies that are ready by then leave in one write.
    async fn receive(&mut self, first: Frame) -> Result<(), Ended> {
        let mut next = Some(first);
        let mut refused = None;
        while let Some(frame) = next {
            if self.reader.has_frame() {
                self.client.burst().gather();
            }
            match dispatch::dispatch(self.shared, &self.client, frame.bytes, frame.lease) {
                Ok(answer) => self.begun.push(answer),
                Err(refusal) => refused = Some(refusal),
            }
            if self.client.burst().is_empty() {
                self.start();
            }
            let pipelined = self.replies.len() + self.begun.len();
            let stops = refused.is_some() || self.is_full() || pipelined >= self.shared.config.max_pipelined;
            next = if stops { None } else { self.reader.buffered() };
        }
        self.client.burst().run();
        self.start();
        // Whoever came before what is refused hears of it, if it is ready.
        self.gather();
        self.flush().await?;
        refused.map_or(Ok(()), |refusal| Err(refusal.into()))
    }

    /// Most answers are there at once, and need not be waited for in a queue.
    fn start(&mut self) {
        let mut begun = mem::take(&mut self.begun);
        for mut answer in begun.drain(..) {
            if self.replies.is_empty()
                && let Some(reply) = (&mut answer).now_or_never()
            {
                self.take(reply);
            } else {
                self.replies.push_back(answer);
            }
        }
        self.begun = begun; // with its memory
    }

    /// Writes this reply, and those behind it that are ready, at once.
    async fn send(&mut self, first: (Reply, Lease)) -> Result<(), Ended> {
        self.take(first);
        self.gather();
        self.flush().await
    }

    fn gather(&mut self) {
        while !self.is_full() {
            let Some(reply) = self.replies.next().now_or_never().flatten() else { break };
            self.take(reply);
        }
    }

    fn take(&mut self, (reply, lease): (Reply, Lease)) {
        self.leases.push(lease);
        match reply {
            Reply::Send(chunks) => self.outgoing.push(chunks),
            Reply::Nothing => {}
            Reply::Close => self.failed = true,
        }
    }

    fn is_full(&self) -> bool {
        self.failed || self.outgoing.len() >= BURST_BYTES
    }

    async fn flush(&mut self) -> Result<(), Ended> {
        self.outgoing.flush().await.map_err(Ended::Write)?;
        if !self.leases.is_empty() {
            self.leases.clear();
            self.reader.refresh();
        }
        if self.failed { Err(Ended::SilentFailure) } else { Ok(()) }
    }
}
