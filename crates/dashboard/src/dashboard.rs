//! Opens the door, serves, and closes it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use engine::Engine;
use env::Env;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use topics::Topics;

use crate::connections::Limited;
use crate::door::Door;
use crate::feed::FeedTask;
use crate::routes::router;
use crate::stop::stopped;
use crate::wire::Server;
use crate::{BindError, Config, Exposure};

/// How long a request that runs may take when the server stops.
const LAST_REQUESTS: Duration = Duration::from_secs(3);

/// The HTTP door, open but not served yet.
#[derive(Debug)]
pub struct Dashboard {
    listener: TcpListener,
    addr: SocketAddr,
    door: Door,
    feed: FeedTask,
}

impl Dashboard {
    /// Takes the address.
    ///
    /// # Errors
    /// If the address is not a loopback address and the configuration does not allow others, or if the operating
    /// system refuses it.
    pub async fn bind(
        config: Config,
        topics: Topics,
        engine: Engine,
        env: Env,
    ) -> Result<Dashboard, BindError> {
        let addr = config.addr;
        if config.exposure == Exposure::Loopback && !addr.ip().is_loopback() {
            return Err(BindError::Exposed { addr });
        }
        let listen = |source| BindError::Listen { addr, source };
        let listener = TcpListener::bind(addr).await.map_err(listen)?;
        let addr = listener.local_addr().map_err(listen)?;
        let server = Server {
            instance: format!("{:016x}", env.random.next_u64()),
            started_ms: env.clock.now_ms(),
            version: env!("CARGO_PKG_VERSION"),
        };
        let (feed, task) = FeedTask::new(&config, server, topics.clone(), engine.clone(), env.clone());
        let door = Door {
            watchers: Arc::new(Semaphore::new(config.watchers_max)),
            config: Arc::new(config),
            topics,
            engine,
            env,
            feed,
            turn: Arc::new(AtomicU32::new(0)),
        };
        Ok(Dashboard { listener, addr, door, feed: task })
    }

    /// The address it listens on, with the port that was picked.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// Serves until `stop` becomes true or its sender is dropped; then lets requests that run come to their end.
    ///
    /// # Errors
    /// If the listener fails for good.
    pub async fn run(self, stop: watch::Receiver<bool>) -> std::io::Result<()> {
        let Dashboard { listener, addr, door, feed } = self;
        tracing::info!(%addr, "the page is open");
        let listener = Limited::new(listener, door.config.connections_max);
        let feed = tokio::spawn(feed.run(stop.clone()));
        let (mut stop, mut late_stop) = (stop.clone(), stop);
        let graceful = axum::serve(listener, router(door))
            .with_graceful_shutdown(async move { stopped(&mut stop).await });
        let late = async {
            stopped(&mut late_stop).await;
            tokio::time::sleep(LAST_REQUESTS).await;
        };
        let served = tokio::select! {
            served = graceful.into_future() => served,
            () = late => {
                tracing::warn!("requests were cut off at the stop");
                Ok(())
            }
        };
        if let Err(panicked) = feed.await {
            tracing::error!(error = &panicked as &dyn std::error::Error, "the live feed ended early");
        }
        served
    }
}
