//! The HTTP door, from outside.

use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// The longest answer that is read: exported models are long.
const ANSWER_BYTES_MAX: u64 = 512 << 20;

/// Where the HTTP door is; a flag that several commands share.
#[derive(clap::Args, Debug, Clone)]
pub(crate) struct Address {
    /// HTTP door of the server
    #[arg(long, env = "PELTON_HTTP", value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) http: String,
}

/// A client of the HTTP door.
pub(crate) struct Api {
    agent: ureq::Agent,
    base: String,
}

#[derive(Deserialize)]
struct Answers {
    answers: Vec<Answer>,
}

/// What one statement answered.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    /// The columns of `rows`.
    pub(crate) columns: Vec<Column>,
    /// The rows, a value per column.
    pub(crate) rows: Vec<Vec<Value>>,
    /// What was done, for statements without rows.
    pub(crate) message: Option<String>,
}

/// A column of an answer.
#[derive(Debug, Deserialize)]
pub(crate) struct Column {
    /// Its name.
    pub(crate) name: String,
}

impl Api {
    /// Names the door; nothing is sent yet.
    pub(crate) fn at(addr: impl std::fmt::Display) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(CALL_TIMEOUT))
            .http_status_as_error(false)
            .build();
        Self { agent: config.into(), base: format!("http://{addr}") }
    }

    /// Runs SQL statements and returns an answer each.
    pub(crate) fn sql(&self, sql: &str) -> anyhow::Result<Vec<Answer>> {
        let response = self.agent.post(format!("{}/api/sql", self.base)).send_json(json!({ "sql": sql }));
        let Answers { answers } = self.read(response)?;
        Ok(answers)
    }

    /// `GET /api/<path>`.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.read(self.agent.get(format!("{}/api/{path}", self.base)).call())
    }

    /// `GET /api/<path>` of what is no JSON.
    pub(crate) fn bytes(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        self.body(self.agent.get(format!("{}/api/{path}", self.base)).call())
    }

    /// `POST /api/<path>` with a JSON body.
    pub(crate) fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> anyhow::Result<T> {
        self.read(self.agent.post(format!("{}/api/{path}", self.base)).send_json(body))
    }

    /// `POST /api/<path>` without a body.
    pub(crate) fn act(&self, path: &str) -> anyhow::Result<Value> {
        self.post(path, &json!({}))
    }

    fn read<T: DeserializeOwned>(
        &self,
        response: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> anyhow::Result<T> {
        serde_json::from_slice(&self.body(response)?).context("parse the answer")
    }

    fn body(
        &self,
        response: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> anyhow::Result<Vec<u8>> {
        let mut response = response
            .with_context(|| format!("no Pelton answers at {}; start one with `pelton serve`", self.base))?;
        let status = response.status();
        let body = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        let body = body.context("read the answer")?;
        if !status.is_success() {
            let said = serde_json::from_slice::<Value>(&body).ok();
            let said = said.as_ref().and_then(|value| value["error"]["message"].as_str());
            bail!("{}", said.map_or_else(|| String::from_utf8_lossy(&body), Into::into));
        }
        Ok(body)
    }
}
