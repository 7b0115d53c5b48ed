//! Opening the door, keeping it open, closing it.

use std::net::SocketAddr;
use std::sync::Arc;

use env::Env;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use topics::Topics;

use crate::api::fetch::Sessions;
use crate::config::Exposure;
use crate::context::{Shared, turned};
use crate::coordinator;
use crate::memory::Memory;
use crate::{Config, JournalError, cluster_id, listener, transactions};

/// Why the door cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address can be reached from other machines, and nobody asked for that.
    #[error(
        "{addr} can be reached from other machines, and clients need no password: \
         listen on a loopback address, or ask for it with listen-beyond-loopback"
    )]
    Exposed {
        /// The address.
        addr: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("listening on {addr}: is another program using this port?")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The consumer groups, or the transactions, cannot be read back.
    #[error("reading what the coordinators have decided")]
    Coordinators(#[from] JournalError),
}

/// The Kafka door, bound to its address.
#[derive(Debug)]
pub struct Broker {
    listener: TcpListener,
    local_addr: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    coordinator: JoinHandle<()>,
    transactions: JoinHandle<()>,
}

impl Broker {
    /// Reads the consumer groups and transactions, and listens. Connections wait until [`Broker::run`] serves them.
    ///
    /// # Errors
    ///
    /// When the address is taken, or reachable from outside without that being allowed, or the groups cannot
    /// be read.
    pub async fn bind(config: Config, topics: Topics, env: Env) -> Result<Self, BindError> {
        let addr = config.addr;
        if config.exposure == Exposure::Loopback && !addr.ip().is_loopback() {
            return Err(BindError::Exposed { addr });
        }
        let refused = |source| BindError::Listen { addr, source };
        let listener = TcpListener::bind(addr).await.map_err(refused)?;
        let local_addr = listener.local_addr().map_err(refused)?;
        let (coordinator, task, offsets_topic_id) = coordinator::start(config.groups.clone(), &topics, &env)?;
        let groups = coordinator.clone();
        let (transactions, transactions_task) =
            transactions::start(config.transactions.clone(), &topics, groups, &env)?;
        let (stop, closing) = watch::channel(false);
        let shared = Arc::new(Shared {
            memory: Memory::new(config.memory_bytes),
            fetch_sessions: Sessions::default(),
            cluster_id: cluster_id::from_uuid(offsets_topic_id),
            config,
            topics,
            env,
            coordinator,
            transactions,
            closing,
        });
        Ok(Self { listener, local_addr, shared, stop, coordinator: task, transactions: transactions_task })
    }

    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `shutdown` turns true or its sender is gone. Then no more connections are taken, requests
    /// that were read are answered, and every commit that was acknowledged is on disk when this returns.
    pub async fn run(self, mut shutdown: watch::Receiver<bool>) {
        let Self { listener, local_addr, shared, stop, coordinator, transactions } = self;
        tracing::info!(%local_addr, cluster_id = shared.cluster_id, "kafka door open");
        let stopping = async {
            turned(&mut shutdown).await;
            stop.send_replace(true);
        };
        tokio::join!(listener::run(listener, shared), stopping);
        // The last connection is gone and with it the last way to ask a coordinator: they finish and end. That of the
        // transactions comes first, as it asks the other one.
        for (task, name) in [(transactions, "transactions"), (coordinator, "groups")] {
            if let Err(error) = task.await {
                tracing::error!(name, error = &error as &dyn std::error::Error, "a coordinator broke");
            }
        }
        tracing::info!(%local_addr, "kafka door closed");
    }
}
