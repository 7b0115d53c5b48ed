//! What the engine tells, cut to what the page needs each second.

use engine::{DeadLetter, Engine, QueryStatus, SourceOffset};

use crate::wire::{Model, Query, Version, Versions};

/// Queries and models that a status lists.
const LISTED_MAX: usize = 200;
/// Dead letters per query, and how much of each value.
const SAMPLES_MAX: usize = 5;
const VALUE_CHARS_MAX: usize = 400;
/// Versions per model.
const VERSIONS_MAX: usize = 200;

pub(super) fn queries(engine: &Engine) -> Vec<Query> {
    engine.queries().into_iter().take(LISTED_MAX).map(query).collect()
}

pub(super) fn models(engine: &Engine) -> Vec<Model> {
    let tell = |model: engine::ModelStatus| Model {
        name: model.name,
        algorithm: model.algorithm,
        version: model.version,
        rows_learned: model.rows_learned,
        updated_ms: model.updated_ms,
    };
    engine.models().into_iter().take(LISTED_MAX).map(tell).collect()
}

/// The versions that are newer than `known` says, by model.
pub(super) fn versions(engine: &Engine, models: &[Model], known: impl Fn(&str) -> Option<u64>) -> Versions {
    let mut all = Versions::new();
    for model in models {
        let seen = known(&model.name);
        if seen.is_some_and(|seen| seen >= model.version) {
            continue;
        }
        let history = engine.model_history(&model.name);
        let fresh = history.into_iter().filter(|version| seen.is_none_or(|seen| version.version > seen));
        let mut fresh: Vec<Version> = fresh
            .map(|version| Version {
                version: version.version,
                committed_ms: version.committed_ms,
                rows_learned: version.rows_learned,
            })
            .collect();
        fresh.drain(..fresh.len().saturating_sub(VERSIONS_MAX));
        all.insert(model.name.clone(), fresh);
    }
    all
}

fn query(status: QueryStatus) -> Query {
    let sources = || status.source.values().flat_map(|partitions| partitions.values());
    let sum = |of: fn(&SourceOffset) -> i64| sources().map(of).sum();
    let worked = status.batch_id > 0;
    let samples = status.dead_letters.samples;
    let skipped = samples.len().saturating_sub(SAMPLES_MAX);
    Query {
        done: sum(|source| source.offset),
        end: sum(|source| source.end),
        name: status.name,
        state: status.state,
        error: status.error,
        sink: status.sink,
        batch_id: status.batch_id,
        rows_total: status.rows_total,
        rows_per_second: status.rows_per_second,
        batch_p50_ms: worked.then_some(status.batch_ms.p50),
        batch_p99_ms: worked.then_some(status.batch_ms.p99),
        dead_letters: status.dead_letters.count,
        samples: samples.into_iter().skip(skipped).map(shorten).collect(),
    }
}

fn shorten(mut letter: DeadLetter) -> DeadLetter {
    if let Some((at, _)) = letter.value.char_indices().nth(VALUE_CHARS_MAX) {
        letter.value.truncate(at);
        letter.value.push('…');
    }
    letter
}
