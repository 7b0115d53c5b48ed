//! What both ways of playing share: the files, the server, the topics, the pipeline.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;

use crate::client::http::Api;
use crate::client::kafka::admin::{Mode, NewTopic, exists_already};
use crate::client::kafka::{Cluster, KafkaAddress};
use crate::demo::images;
use crate::process::{Launch, ServerProcess};

const PIPELINE: &str = include_str!("../../../../examples/digits/pipeline.sql");
const SIGNATURE: &[u8] = include_bytes!("../../../../examples/digits/signature.onnx");
const CONFIG: &str = include_str!("../../../../examples/digits/pelton.toml");

/// Topics of the story, in the order of the walk: in, out, and what the scores need.
const TOPICS: [&str; 5] = ["enrol", "uploads", "labels", "placed", "assigned"];

/// A server with the pipeline running on it.
pub(crate) struct Stage {
    /// The server.
    pub(crate) server: ServerProcess,
    /// How it was started, to start it again.
    pub(crate) launch: Launch,
    /// The label of every image.
    pub(crate) labels: HashMap<String, String>,
}

impl Stage {
    /// Lays out the files, starts the server, and sends it the pipeline unless it has it from last time.
    pub(crate) fn set(mut launch: Launch, clock: &Arc<dyn env::Clock>) -> anyhow::Result<Self> {
        let files = launch.data_dir.join("pipeline");
        lay_out(&files)?;
        launch.config = Some(files.join("pelton.toml"));
        let server = ServerProcess::start(&launch, clock.as_ref())?;
        // After a kill the same addresses serve again, so that nobody has to look for them.
        launch.kafka = server.kafka.to_string();
        launch.http = server.http.to_string();
        let mut kafka = Cluster::at(&KafkaAddress::of(server.kafka))?;
        for topic in TOPICS {
            let topic =
                NewTopic { name: topic.to_owned(), partitions: 1, replication_factor: 1, configs: vec![] };
            match kafka.create_topic(&topic, Mode::Do) {
                // From last time.
                Err(error) if exists_already(&error) => {}
                outcome => drop(outcome?),
            }
        }
        let pipeline = PIPELINE.replace("'signature.onnx'", &quoted(&files.join("signature.onnx")));
        let api = Api::at(server.http);
        let models: Vec<serde_json::Value> = api.get("models")?;
        if models.is_empty() {
            api.sql(&pipeline).context("run the pipeline")?;
        }
        let labels = images::all()?.into_iter().map(|image| (image.id, image.label)).collect();
        Ok(Self { server, launch, labels })
    }
}

fn lay_out(dir: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("create {}", dir.display()))?;
    for (name, bytes) in [
        ("signature.onnx", SIGNATURE),
        ("pipeline.sql", PIPELINE.as_bytes()),
        ("pelton.toml", CONFIG.as_bytes()),
    ] {
        let path = dir.join(name);
        std::fs::write(&path, bytes).with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}

/// An SQL string literal.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "''"))
}
