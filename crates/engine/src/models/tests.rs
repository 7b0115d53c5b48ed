use std::collections::BTreeMap;

use super::*;
use crate::session::catalog::{ModelSettings, QueryDef};
use crate::sql::Statement;

fn version(number: u64) -> Version {
    let options = BTreeMap::from([("k".to_owned(), "2".to_owned())]);
    let model = ml::create("streaming_kmeans", &options, ml::Schema::vector(None)).unwrap();
    let record = ModelRecord { version: number, query: 1, ..ModelRecord::default() };
    Version::learnt(record, Bytes::from(model.snapshot()), model)
}

fn model(name: &str, id: u64) -> ModelDef {
    let sql = format!(
        "CREATE MODEL {name} OPTIONS (algorithm 'streaming_kmeans') AS SELECT features FROM STREAM t"
    );
    let Some(Statement::CreateModel(create)) = crate::sql::parse(&sql).unwrap().pop().map(|p| p.statement)
    else {
        panic!("a model")
    };
    ModelDef {
        name: name.to_owned(),
        id,
        sql,
        algorithm: "streaming_kmeans".to_owned(),
        options: BTreeMap::new(),
        shape: Shape::default(),
        settings: ModelSettings::default(),
        trigger: crate::query::trigger::Trigger::default(),
        query: QueryDef { select: create.query, sources: Vec::new(), tables: Vec::new() },
    }
}

fn numbers(versions: &[Arc<Version>]) -> Vec<u64> {
    versions.iter().map(|version| version.number).collect()
}

#[test]
fn a_pinned_version_stays_until_it_is_let_go() {
    let registry = Registry::default();
    registry.insert(&model("M", 1), vec![version(1)]);
    let entry = registry.get("m").unwrap();
    let (pin, again) = (entry.pin(At::Current).unwrap(), entry.pin(At::Version(1)).unwrap());
    assert_eq!(pin.model(), "M");
    for number in 2..=VERSIONS_KEPT as u64 + 50 {
        entry.publish(version(number));
    }
    let kept = numbers(&entry.to_keep());
    assert_eq!((kept.len(), kept[0], kept[1]), (VERSIONS_KEPT + 1, 1, 51));
    assert_eq!(entry.history().len(), VERSIONS_KEPT, "a pin is no part of the history");
    drop(pin);
    assert_eq!(entry.to_keep().len(), VERSIONS_KEPT + 1, "held twice");
    drop(again);
    assert_eq!(entry.to_keep().len(), VERSIONS_KEPT);
    assert!(entry.pin(At::Version(1)).is_none() && entry.pin(At::Version(51)).is_some());
}

#[test]
fn a_replaced_model_hands_its_history_on_but_not_what_it_has_learnt() {
    let registry = Registry::default();
    registry.insert(&model("m", 1), vec![version(1), version(2)]);
    let history = registry.get("m").unwrap().to_keep();
    let entry = registry.replace(&model("m", 9), history);
    assert_eq!(entry.latest().map(|version| version.number), Some(2));
    assert!(entry.learns_on().is_none());
}

#[test]
fn an_unknown_model_names_the_known() {
    let registry = Registry::default();
    assert!(registry.known("x").unwrap_err().to_string().ends_with("there is none"));
    registry.insert(&model("Segments", 1), Vec::new());
    assert_eq!(registry.known("x").unwrap_err().to_string(), "model x does not exist; known are Segments");
    assert_eq!(registry.known("SEGMENTS").unwrap().status(&BTreeMap::new()).version, 0);
}

#[test]
fn the_version_of_a_time_is_the_last_that_was_there() {
    let registry = Registry::default();
    let at = |number: u64, committed_ms| {
        let version = version(number);
        let record = ModelRecord { committed_ms, ..version.record.clone() };
        Version::learnt(record, version.snapshot.clone(), Model::clone(version.model()))
    };
    registry.insert(&model("m", 1), vec![at(1, 1_000), at(2, 2_000), at(3, 3_000)]);
    let entry = registry.get("m").unwrap();
    let number = |at| entry.pin(at).map(|pin| pin.version.number);
    assert_eq!(
        [999, 1_000, 2_999, 9_000].map(|time| number(At::Time(time))),
        [None, Some(1), Some(2), Some(3)]
    );
    entry.serve(entry.pin(At::Version(1)).map(|pin| Arc::clone(&pin.version)));
    assert_eq!(number(At::Current), Some(1));
    entry.publish(at(4, 4_000));
    assert_eq!((number(At::Current), entry.learns_on().map(|version| version.number)), (Some(1), Some(4)));
    entry.serve(None);
    assert_eq!((number(At::Current), entry.next_number()), (Some(4), 5));
}

#[test]
fn versions_are_limited_by_their_bytes_too() {
    assert_eq!(surplus([10; 150].into_iter()), 50);
    assert_eq!(surplus([VERSION_BYTES_KEPT; 5].into_iter()), 3, "the last two stay in any case");
    assert_eq!(surplus([VERSION_BYTES_KEPT / 4; 9].into_iter()), 5);
    assert_eq!(surplus([].into_iter()), 0);
}
