//! Where the Kafka door is: a flag that several commands share.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::ensure;

/// The port that is meant when none is said.
const PORT: u16 = 9092;

/// The brokers that are asked first.
#[derive(clap::Args, Debug, Clone)]
pub(crate) struct KafkaAddress {
    /// Kafka brokers to ask first, Pelton's or Apache Kafka's
    #[arg(
        long,
        short,
        visible_alias = "bootstrap-servers",
        env = "PELTON_KAFKA",
        value_name = "HOST:PORT[,...]",
        default_value = "127.0.0.1:9092",
        help_heading = "Connection"
    )]
    bootstrap_server: String,
    /// Give up on a broker that does not answer within so many milliseconds
    #[arg(
        long,
        default_value_t = 5_000,
        value_name = "MS",
        help_heading = "Connection",
        hide_short_help = true
    )]
    connect_timeout_ms: u64,
}

impl KafkaAddress {
    /// An address that no flag named.
    pub(crate) fn of(addr: SocketAddr) -> Self {
        Self { bootstrap_server: addr.to_string(), connect_timeout_ms: 5_000 }
    }

    /// For completion: what is set in the environment, or the default.
    pub(crate) fn for_completion() -> Self {
        let addr = std::env::var("PELTON_KAFKA").unwrap_or_else(|_| format!("127.0.0.1:{PORT}"));
        Self { bootstrap_server: addr, connect_timeout_ms: 300 }
    }

    /// Each broker as `HOST:PORT`.
    pub(crate) fn each(&self) -> anyhow::Result<Vec<String>> {
        let names = self.bootstrap_server.split(',').map(str::trim).filter(|name| !name.is_empty());
        let all: Vec<String> = names.map(with_port).collect();
        ensure!(!all.is_empty(), "--bootstrap-server names no broker; it is HOST:PORT");
        Ok(all)
    }

    /// How long a broker may take to answer.
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms.max(1))
    }
}

/// Kafka's tools and kcat take a host without a port.
fn with_port(name: &str) -> String {
    let bare = name.strip_prefix("PLAINTEXT://").unwrap_or(name);
    let has_port = match bare.rsplit_once(':') {
        // An IPv6 address in brackets, or bare with many colons.
        Some((host, _)) => bare.starts_with('[') && host.ends_with(']') || !host.contains(':'),
        None => false,
    };
    match has_port {
        true => bare.to_owned(),
        false if bare.contains(':') && !bare.starts_with('[') => format!("[{bare}]:{PORT}"),
        false => format!("{bare}:{PORT}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_added_where_none_is_said() {
        for (given, wanted) in [
            ("host", "host:9092"),
            ("host:1", "host:1"),
            ("PLAINTEXT://host:1", "host:1"),
            ("::1", "[::1]:9092"),
            ("[::1]", "[::1]:9092"),
            ("[::1]:7", "[::1]:7"),
        ] {
            assert_eq!(with_port(given), wanted);
        }
    }

    #[test]
    fn a_list_has_many() {
        let address = KafkaAddress { bootstrap_server: "a:1, b ,".to_owned(), connect_timeout_ms: 1 };
        assert_eq!(address.each().unwrap(), ["a:1", "b:9092"]);
        let address = KafkaAddress { bootstrap_server: " ,".to_owned(), connect_timeout_ms: 1 };
        assert!(address.each().is_err());
    }
}
