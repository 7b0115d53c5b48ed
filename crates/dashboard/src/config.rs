//! What the door is told when it is opened.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

/// Where the door listens, whom it lets in, what it shows.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address to listen on; port 0 picks a free one.
    pub addr: SocketAddr,
    /// Whether addresses that other machines can reach are allowed.
    pub exposure: Exposure,
    /// Host names that requests may ask for, beside `localhost` and any literal IP address.
    pub allowed_hosts: Vec<String>,
    /// The topics of the demo's page; without them the page shows topics, queries and models only.
    pub gallery: Option<Gallery>,
    /// The largest request body.
    pub body_bytes_max: usize,
    /// The largest model that is imported.
    pub model_bytes_max: usize,
    /// The most browsers that may watch at a time.
    pub watchers_max: usize,
    /// The most connections at a time, watchers included.
    pub connections_max: usize,
    /// How many of a gallery topic's newest records are read again at a start, to show what was before.
    pub history_records_max: u32,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            exposure: Exposure::Loopback,
            allowed_hosts: Vec::new(),
            gallery: None,
            body_bytes_max: 1 << 20,
            model_bytes_max: 64 << 20,
            watchers_max: 64,
            connections_max: 256,
            history_records_max: 100_000,
        }
    }
}

/// Who can reach the door. It asks nobody for a name or a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposure {
    /// Programs of this machine. Binding to any other address is refused.
    Loopback,
    /// Whoever can reach the address. Somebody in front of it must check who that is.
    Network,
}

/// The topics and models that the demo's page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gallery {
    /// Images that the model learns from: `{"id": .., "pixels": [..]}`.
    pub enrol: String,
    /// The clusters of those: `{"id": .., "segment": .., "segment_raw": .., "model_version": ..}`.
    pub placed: String,
    /// Images that are only asked about.
    pub uploads: String,
    /// The clusters of those.
    pub assigned: String,
    /// What the images show, to judge by: `{"id": .., "label": ".."}`.
    pub labels: String,
    /// The model whose answer `segment` is.
    pub model: String,
    /// The model whose answer `segment_raw` is.
    pub raw_model: String,
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Gallery {
    pub(crate) fn pixels(&self) -> usize {
        self.width as usize * self.height as usize
    }
}
