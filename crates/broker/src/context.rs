//! What a handler is given beside the request.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use env::Env;
use protocol::StrBytes;
use tokio::sync::watch;
use topics::{Burst, Partition, Topic, Topics};

use crate::Config;
use crate::api::fetch::Sessions;
use crate::coordinator::Coordinator;
use crate::journal::{OFFSETS_TOPIC, TRANSACTIONS_TOPIC, Unavailable};
use crate::memory::Memory;
use crate::transactions::TransactionCoordinator;

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) topics: Topics,
    pub(crate) env: Env,
    pub(crate) coordinator: Coordinator,
    pub(crate) transactions: TransactionCoordinator,
    pub(crate) memory: Memory,
    pub(crate) fetch_sessions: Sessions,
    pub(crate) cluster_id: String,
    /// Turns true when the broker stops.
    pub(crate) closing: watch::Receiver<bool>,
}

/// One connection, as handlers see it.
#[derive(Debug)]
pub(crate) struct Client {
    /// Where it comes from.
    pub(crate) peer: SocketAddr,
    /// The address of ours that it connected to.
    pub(crate) local: SocketAddr,
    /// Who it is.
    pub(crate) principal: Principal,
    /// What it sent together is appended together.
    pub(crate) burst: Mutex<Burst>,
}

impl Client {
    pub(crate) fn burst(&self) -> MutexGuard<'_, Burst> {
        self.burst.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who a connection speaks for. There is no authentication yet, so everybody is Kafka's anonymous user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Principal {
    Anonymous,
}

/// What a handler is given beside the request.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) shared: Arc<Shared>,
    pub(crate) client: Arc<Client>,
    /// What the client calls itself.
    pub(crate) client_id: Option<StrBytes>,
    pub(crate) api_version: i16,
}

impl Context {
    pub(crate) fn topics(&self) -> &Topics {
        &self.shared.topics
    }

    pub(crate) fn config(&self) -> &Config {
        &self.shared.config
    }

    pub(crate) fn coordinator(&self) -> &Coordinator {
        &self.shared.coordinator
    }

    pub(crate) fn transactions(&self) -> &TransactionCoordinator {
        &self.shared.transactions
    }

    /// The address that this client shall use from now on.
    pub(crate) fn advertised(&self) -> (StrBytes, i32) {
        match &self.config().advertised {
            Some((host, port)) => (StrBytes::from(host), i32::from(*port)),
            None => (StrBytes::from(self.client.local.ip().to_string()), i32::from(self.client.local.port())),
        }
    }

    /// The client's own name, short enough to be kept with its group.
    pub(crate) fn client_name(&self) -> String {
        const LENGTH_MAX: usize = 255;
        self.client_id.as_deref().unwrap_or_default().chars().take(LENGTH_MAX).collect()
    }

    /// Ends a wait for other members early when the broker stops.
    pub(crate) fn until_closing<T, W: Future<Output = Result<T, Unavailable>> + Send>(
        &self,
        waiting: W,
    ) -> impl Future<Output = Result<T, Unavailable>> + Send + use<T, W> {
        let mut closing = self.shared.closing.clone();
        async move {
            tokio::select! {
                biased;
                answer = waiting => answer,
                () = turned(&mut closing) => Err(Unavailable),
            }
        }
    }
}

/// Whether clients may write to, or delete, this topic.
pub(crate) fn is_internal(topic: &str) -> bool {
    topic == OFFSETS_TOPIC || topic == TRANSACTIONS_TOPIC
}

/// A partition by Kafka's signed index.
pub(crate) fn partition(topic: &Topic, index: i32) -> Option<Partition> {
    topic.partition(u32::try_from(index).ok()?)
}

/// Waits until a flag turns true, or nobody is left to turn it.
pub(crate) async fn turned(flag: &mut watch::Receiver<bool>) {
    drop(flag.wait_for(|turned| *turned).await);
}
