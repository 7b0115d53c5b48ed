//! The Spark Connect door: unmodified PySpark drives the engine.
//!
//! [`SparkConnect::bind`] takes the address, [`SparkConnect::run`] serves until it is told to stop. A client is
//! `pip install pyspark-client` and `SparkSession.builder.remote("sc://localhost:15002")`, of Spark 4.x.
//!
//! ```no_run
//! # async fn example(engine: engine::Engine) -> Result<(), Box<dyn std::error::Error>> {
//! let config = spark_connect::Config { addr: "127.0.0.1:0".parse()?, ..Default::default() };
//! let door = spark_connect::SparkConnect::bind(config, engine, env::Env::real()).await?;
//! println!("sc://{}", door.local_addr());
//! let (stop, stopped) = tokio::sync::watch::channel(false);
//! let served = tokio::spawn(door.run(stopped));
//! stop.send(true)?;
//! served.await??;
//! # Ok(())
//! # }
//! ```
//!
//! # How to read it
//!
//! `door` opens and closes; `rpc` is the table of calls; `service/` has one file per call; `session` and `operation`
//! are what the door remembers between calls. A client's plan comes as the messages of `wire/`, is translated once
//! by `plan/` (relations) and `expression/` (columns; `sql/` turns texts into the same messages), and runs in the
//! engine. `schema/` holds the two notations of types, `show` prints rows as Spark does, `error` is how Spark says
//! no.
//!
//! # Limits
//!
//! Messages are at most 128 MiB, cached local data 1 GiB for each session, answers that nobody has fetched 256 MiB
//! for each operation. `docs/spark-connect.md` says which parts of the DataFrame API are served.
//!
//! # What it does not know
//!
//! How a plan runs, what a topic or a model is: the engine does. Who is there: it binds to loopback unless told
//! otherwise. Other doors.

mod config;
mod database;
mod door;
mod error;
mod expression;
mod operation;
mod place;
mod plan;
mod python;
mod rpc;
mod schema;
mod service;
mod session;
mod show;
mod sql;
mod streaming;
mod wire;

pub use config::{Config, Exposure};
pub use door::{BindError, SparkConnect};
pub use python::Package;
