//! `GET /metrics`: Prometheus text. Names are Kafka's and Spark's where theirs exist; ours begin with `pelton_`.

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::door::Door;
use crate::error::ApiError;
use crate::feed::Report;
use crate::wire::{Kind, Score};

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
/// Upper bounds of the latency histogram, in seconds.
const BOUNDS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0];

pub(crate) async fn metrics(State(door): State<Door>) -> Result<Response, ApiError> {
    let report = door.feed.report().await?;
    let mut text = Text::default();
    server(&mut text, &report);
    log(&mut text, &door);
    queries(&mut text, &door);
    models(&mut text, &door);
    gallery(&mut text, &report);
    Ok(([(CONTENT_TYPE, TEXT)], text.0).into_response())
}

fn server(text: &mut Text, report: &Report) {
    let started = report.server.started_ms as f64 / 1_000.0;
    text.head("process_start_time_seconds", "gauge", "When this server was started, in Unix time.");
    text.value("process_start_time_seconds", &[], started);
    text.head("pelton_build_info", "gauge", "The version, as a label.");
    text.value("pelton_build_info", &[("version", report.server.version)], 1.0);
    text.head("pelton_page_watchers", "gauge", "Browsers that watch the live page.");
    text.value("pelton_page_watchers", &[], report.watchers as f64);
}

fn log(text: &mut Text, door: &Door) {
    let topics = door.topics.list();
    let mut column = |name: &str, help: &str, of: fn(&topics::Partition) -> i64| {
        text.head(name, "gauge", help);
        for topic in &topics {
            for index in 0..topic.partition_count() {
                let Some(partition) = topic.partition(index) else { continue };
                let labels = [("topic", topic.name()), ("partition", &index.to_string())];
                text.value(name, &labels, of(&partition) as f64);
            }
        }
    };
    column(
        "kafka_log_log_logstartoffset",
        "First offset of a partition.",
        topics::Partition::log_start_offset,
    );
    column("kafka_log_log_logendoffset", "Offset of the next record.", topics::Partition::high_watermark);
}

fn queries(text: &mut Text, door: &Door) {
    let queries = door.engine.queries();
    let mut column = |name: &str, kind: &str, help: &str, of: &dyn Fn(&engine::QueryStatus) -> f64| {
        text.head(name, kind, help);
        for query in &queries {
            text.value(name, &[("query", &query.name)], of(query));
        }
    };
    let running = |query: &engine::QueryStatus| f64::from(query.state == engine::QueryState::Running);
    let behind = |query: &engine::QueryStatus| {
        let sources = query.source.values().flat_map(|partitions| partitions.values());
        sources.map(|source| (source.end - source.offset).max(0) as f64).sum()
    };
    column("pelton_query_running", "gauge", "1 while the query runs.", &running);
    column("spark_streaming_inputRate_total", "gauge", "Records read per second.", &|q| q.rows_per_second);
    column("spark_streaming_latency", "gauge", "Milliseconds of a batch, median.", &|q| q.batch_ms.p50);
    column("spark_streaming_states_rowsTotal", "gauge", "Rows in state.", &|q| {
        q.state_rows.unwrap_or(0) as f64
    });
    column("pelton_query_batch_p99_ms", "gauge", "Milliseconds of a batch, 99th percentile.", &|q| {
        q.batch_ms.p99
    });
    column("pelton_query_lag_records", "gauge", "Records that are still to be read.", &behind);
    column("pelton_query_records_total", "counter", "Records read.", &|q| q.rows_total as f64);
    column("pelton_query_rows_written_total", "counter", "Rows written or learnt.", &|q| {
        q.rows_written as f64
    });
    column("pelton_query_dead_letters_total", "counter", "Records refused.", &|q| {
        q.dead_letters.count as f64
    });
}

fn models(text: &mut Text, door: &Door) {
    let models = door.engine.models();
    text.head("pelton_model_version", "gauge", "The committed version of a model.");
    for model in &models {
        text.value("pelton_model_version", &[("model", &model.name)], model.version as f64);
    }
    text.head("pelton_model_rows_learned_total", "counter", "Rows a model has learnt.");
    for model in &models {
        text.value("pelton_model_rows_learned_total", &[("model", &model.name)], model.rows_learned as f64);
    }
}

fn gallery(text: &mut Text, report: &Report) {
    let scores = &report.status.scores;
    let windows = [("all", &scores.all), ("recent", &scores.recent)];
    score(
        text,
        "pelton_gallery_purity",
        "Share of answers in agreement with their cluster's majority.",
        &windows,
        |s| [s.purity, s.purity_raw],
    );
    score(text, "pelton_gallery_adjusted_rand_index", "Agreement of clusters and labels.", &windows, |s| {
        [s.ari, s.ari_raw]
    });
    text.head(
        "pelton_gallery_unreadable_total",
        "counter",
        "Records of gallery topics that the page cannot read.",
    );
    for (topic, count) in &report.status.unreadable {
        text.value("pelton_gallery_unreadable_total", &[("topic", topic)], *count as f64);
    }
    latencies(text, report);
}

fn score(
    text: &mut Text,
    name: &str,
    help: &str,
    windows: &[(&str, &Score)],
    of: fn(&Score) -> [Option<f64>; 2],
) {
    text.head(name, "gauge", help);
    for (window, score) in windows {
        for (features, value) in ["signature", "raw"].into_iter().zip(of(score)) {
            if let Some(value) = value {
                text.value(name, &[("window", window), ("features", features)], value);
            }
        }
    }
}

fn latencies(text: &mut Text, report: &Report) {
    let name = "pelton_gallery_latency_seconds";
    text.head(name, "histogram", "From the record of a question to the record of its answer.");
    for (kind, histogram) in &report.latencies {
        let kind = match kind {
            Kind::Enrolled => "enrolled",
            Kind::Uploaded => "uploaded",
        };
        for bound in BOUNDS {
            let count = histogram.at_most((bound * 1_000.0) as u64);
            text.value(
                &format!("{name}_bucket"),
                &[("kind", kind), ("le", &bound.to_string())],
                count as f64,
            );
        }
        let count = histogram.count() as f64;
        text.value(&format!("{name}_bucket"), &[("kind", kind), ("le", "+Inf")], count);
        text.value(&format!("{name}_sum"), &[("kind", kind)], histogram.sum_ms() as f64 / 1_000.0);
        text.value(&format!("{name}_count"), &[("kind", kind)], count);
    }
}

/// The text format: each name once with its help, then its values.
#[derive(Debug, Default)]
struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn value(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let labels: Vec<_> = labels.iter().map(|(label, of)| format!("{label}=\"{}\"", escape(of))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_stay_one_line() {
        let mut text = Text::default();
        text.head("a", "gauge", "About a.");
        text.value("a", &[("topic", "x\"y\\\n")], 1.5);
        assert_eq!(text.0, "# HELP a About a.\n# TYPE a gauge\na{topic=\"x\\\"y\\\\\\n\"} 1.5\n");
    }
}
