//! Watching the queries of a pipeline from outside.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::client::http::Api;
use crate::stop::Stop;
use crate::terminal::{self, count};

/// How often the server is asked.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// So many looks make a line about what has changed.
const LOOKS_PER_LINE: u32 = 10;

/// So many times the same: another cluster is asked every two seconds where its topics end.
const LOOKS_OUTSIDE: u32 = 30;

/// When there is nothing more to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// Somebody says so, or all queries have ended.
    Told,
    /// They have read everything.
    CaughtUp,
}

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The pipeline's queries.
    pub(super) queries: Vec<String>,
    /// Those that failed, and why.
    pub(super) failed: Vec<(String, String)>,
}

/// Follows the queries whose statements are in `text`, and tells of them on standard error.
pub(super) fn follow(api: &Api, text: &str, until: Until, stop: &Stop) -> anyhow::Result<Seen> {
    let mut told: BTreeMap<String, u64> = BTreeMap::new();
    let mut before = None;
    let mut same = 0;
    for look in 0_u32.. {
        let all: Vec<Value> = api.get("queries")?;
        let ours = |query: &&Value| query["sql"].as_str().is_some_and(|sql| text.contains(sql));
        let queries: Vec<&Value> = all.iter().filter(ours).collect();
        let now = standing(&queries);
        same = if now.is_some() && now == before { same + 1 } else { 0 };
        // Still the same: what one query wrote meanwhile, another has read.
        let caught_up = same >= if queries.iter().any(|query| is_outside(query)) { LOOKS_OUTSIDE } else { 1 };
        let running = queries.iter().any(|query| query["state"] == "running");
        let failed = queries.iter().any(|query| query["state"] == "failed");
        let over = !running || failed || (until == Until::CaughtUp && caught_up) || stop.said();
        if over || look % LOOKS_PER_LINE == 0 {
            tell(&queries, &mut told);
        }
        if over {
            return Ok(seen(&queries));
        }
        before = now;
        stop.pause(LOOK_EVERY);
    }
    Ok(Seen::default())
}

/// How far each query is, if all have read what there is.
fn standing(queries: &[&Value]) -> Option<Vec<(String, u64, String)>> {
    let at_end = |query: &Value| query["state"] != "running" || behind(query) == 0;
    queries.iter().all(|query| at_end(query)).then(|| {
        let one = |query: &&Value| (name(query), number(&query["batch_id"]), query["source"].to_string());
        queries.iter().map(one).collect()
    })
}

/// Whether it reads another cluster than this program's own log.
fn is_outside(query: &Value) -> bool {
    let mut logs = query["source"].as_object().into_iter().flat_map(|logs| logs.keys());
    logs.any(|log| log.starts_with("kafka://"))
}

/// Records that the query has not read yet.
fn behind(query: &Value) -> u64 {
    let logs = query["source"].as_object().into_iter().flat_map(|logs| logs.values());
    let partitions = logs.filter_map(Value::as_object).flat_map(|partitions| partitions.values());
    partitions.map(|at| number(&at["end"]).saturating_sub(number(&at["offset"]))).sum()
}

/// A line for each query that has committed batches since the last one.
fn tell(queries: &[&Value], told: &mut BTreeMap<String, u64>) {
    for query in queries {
        let (name, batch) = (name(query), number(&query["batch_id"]));
        if told.insert(name.clone(), batch).is_some_and(|last| last == batch) {
            continue;
        }
        let (read, written) = (count(number(&query["rows_total"])), count(number(&query["rows_written"])));
        let rate = query["rows_per_second"].as_f64().unwrap_or(0.0);
        let behind = count(behind(query));
        terminal::note(&format!(
            "{name}: batch {batch}, {read} rows in, {written} out, {rate:.0} rows/s, {behind} behind"
        ));
    }
}

fn seen(queries: &[&Value]) -> Seen {
    let failed = queries.iter().filter(|query| query["state"] == "failed");
    let why = |query: &&&Value| query["error"].as_str().unwrap_or("no reason was given").to_owned();
    Seen {
        queries: queries.iter().map(|query| name(query)).collect(),
        failed: failed.map(|query| (name(query), why(&query))).collect(),
    }
}

fn name(query: &Value) -> String {
    query["name"].as_str().unwrap_or_default().to_owned()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}
