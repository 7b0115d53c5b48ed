//! The HTTP door: the live page, its data, metrics.
//!
//! [`Dashboard::bind`] takes the address, [`Dashboard::run`] serves until it is told to stop. What it serves:
//!
//! | path | what |
//! |---|---|
//! | `/`, `/assets/*` | the page, packed from `web/` at build time |
//! | `/api/live` | the live feed: a snapshot, then frames, as server-sent events |
//! | `/api/status`, `topics`, `queries`, `models`, `models/NAME/history`, `dead-letters`, `scores` | the same, once, as JSON |
//! | `/api/queries/NAME/progress` | its last batches, the oldest first, as Spark's `StreamingQueryProgress` |
//! | `/api/queries/NAME/stop`, `/start` | `POST`: ends it after its batch; lets it go on |
//! | `/api/models/NAME/export`, `/import` | a model as JSON, out and in |
//! | `/models/NAME/predict` | `POST` one row or many: answered at once, past SQL |
//! | `/api/sql` | `POST {"sql": ".."}`: runs statements |
//! | `/api/topics/NAME/records` | `POST [row, ..]`: appends JSON rows, through the log |
//! | `/metrics`, `/healthz` | for monitoring |
//!
//! Errors are JSON, `{"error": {"kind": .., "message": ..}}`, with the status that fits.
//!
//! Limits: connections, watchers, request bodies, and everything the feed remembers (ids, images, clusters, labels,
//! seconds) are counted and bounded; see [`Config`] and the constants of `feed/board.rs`. A browser that reads too
//! slowly misses frames and begins anew with a snapshot.
//!
//! What it deliberately does not know: Kafka's protocol, Arrow, how anything is stored; passwords (it binds to
//! loopback unless told otherwise, and answers only to its own names); other doors.
//!
//! ```no_run
//! # async fn example(topics: topics::Topics, engine: engine::Engine) -> Result<(), Box<dyn std::error::Error>> {
//! let config = dashboard::Config { addr: "127.0.0.1:0".parse()?, ..Default::default() };
//! let dashboard = dashboard::Dashboard::bind(config, topics, engine, env::Env::real()).await?;
//! println!("http://{}", dashboard.local_addr());
//! let (stop, stopped) = tokio::sync::watch::channel(false);
//! let served = tokio::spawn(dashboard.run(stopped));
//! stop.send(true)?;
//! served.await??;
//! # Ok(())
//! # }
//! ```
//!
//! How to read it: `dashboard` opens and closes; `routes` is the table of paths; `guard` is what every request must
//! pass; `api/` holds the handlers; `feed/` follows the log and serves the watchers; `wire` is the JSON, and
//! `web/src/wire.ts` its other half.

mod api;
mod asset;
mod config;
mod connections;
mod dashboard;
mod door;
mod error;
mod feed;
mod guard;
mod metrics;
mod routes;
mod stop;
mod wire;

pub use config::{Config, Exposure, Gallery};
pub use dashboard::Dashboard;
pub use error::{BindError, ErrorKind};
