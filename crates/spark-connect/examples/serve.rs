//! The door alone, for trying it: `serve DATA_DIR HOST:PORT` prints its address and serves until it is killed.

use std::io::Write;

use engine::Engine;
use env::Env;
use spark_connect::{Config, SparkConnect};
use topics::Topics;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(dir), Some(addr)) = (arguments.next(), arguments.next()) else {
        return Err("serve DATA_DIR HOST:PORT".into());
    };
    let (topics, _) = Topics::open(topics::Config::new(&dir), Env::real())?;
    let engine = Engine::open(engine::Config::new(&dir), topics, Env::real())?;
    let config = Config { addr: addr.parse()?, ..Config::default() };
    let door = SparkConnect::bind(config, engine, Env::real()).await?;
    writeln!(std::io::stdout(), "{}", door.local_addr())?;
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    door.run(stopped).await?;
    Ok(())
}
