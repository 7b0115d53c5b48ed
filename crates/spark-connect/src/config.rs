//! What the door is told.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// The door's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where it listens; port 0 picks a free one.
    pub addr: SocketAddr,
    /// Who may reach it.
    pub exposure: Exposure,
    /// The Python that runs functions of scripts which name none; `python3` if there is none here.
    pub python: Option<PathBuf>,
    /// Where this server's Kafka door listens: the one that `kafka.bootstrap.servers` may name.
    pub kafka: Option<SocketAddr>,
}

/// Who may reach the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Exposure {
    /// Programs on this machine.
    #[default]
    Loopback,
    /// Whoever reaches the address: nothing asks who is there.
    Network,
}

impl Default for Config {
    fn default() -> Self {
        let addr = (Ipv4Addr::LOCALHOST, 15002).into();
        Config { addr, exposure: Exposure::default(), python: None, kafka: None }
    }
}
