//! Opens the door, serves, and closes it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use engine::Engine;
use env::Env;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use crate::python::{Pool, reachable};
use crate::rpc::Rpc;
use crate::session::Sessions;
use crate::streaming::Kafka;
use crate::{Config, Exposure};

/// How long a call that runs may take when the server stops.
const LAST_CALLS: Duration = Duration::from_secs(3);

/// Why the door did not open.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address is reachable from outside, which the configuration does not allow.
    #[error(
        "{addr} is no loopback address, and nothing asks who is there; allow it with listen-beyond-loopback"
    )]
    Exposed {
        /// As it was given.
        addr: SocketAddr,
    },
    /// The operating system refused the address.
    #[error("listen on {addr}")]
    Listen {
        /// As it was given.
        addr: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
}

/// The Spark Connect door, open but not served yet.
#[derive(Debug)]
pub struct SparkConnect {
    listener: TcpListener,
    addr: SocketAddr,
    sessions: Arc<Sessions>,
}

impl SparkConnect {
    /// Takes the address.
    ///
    /// # Errors
    /// If the address is not a loopback address and the configuration does not allow others, or if the operating
    /// system refuses it.
    pub async fn bind(config: Config, engine: Engine, env: Env) -> Result<SparkConnect, BindError> {
        let addr = config.addr;
        if config.exposure == Exposure::Loopback && !addr.ip().is_loopback() {
            return Err(BindError::Exposed { addr });
        }
        let listen = |source| BindError::Listen { addr, source };
        let listener = TcpListener::bind(addr).await.map_err(listen)?;
        let addr = listener.local_addr().map_err(listen)?;
        let python = Pool::new(config.python, reachable(addr));
        let sessions = Sessions::new(engine, env, python, Kafka(config.kafka));
        Ok(SparkConnect { listener, addr, sessions: Arc::new(sessions) })
    }

    /// The address it listens on, with the port that was picked.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// Serves until `stop` becomes true or its sender is dropped; then running plans are cut off.
    ///
    /// # Errors
    /// If the listener fails for good.
    pub async fn run(self, mut stop: watch::Receiver<bool>) -> io::Result<()> {
        let SparkConnect { listener, addr, sessions } = self;
        tracing::info!(%addr, "the Spark Connect door is open");
        let mut late_stop = stop.clone();
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let ending = Arc::clone(&sessions);
        let asked = async move {
            let _ = stop.wait_for(|stop| *stop).await;
            ending.close().await;
        };
        let serving =
            Server::builder().add_service(Rpc::new(sessions)).serve_with_incoming_shutdown(incoming, asked);
        let late = async {
            let _ = late_stop.wait_for(|stop| *stop).await;
            tokio::time::sleep(LAST_CALLS).await;
        };
        tokio::select! {
            served = serving => served.map_err(io::Error::other),
            () = late => {
                tracing::warn!("calls of Spark Connect were cut off at the stop");
                Ok(())
            }
        }
    }
}
