use std::collections::BTreeMap;

use super::*;

fn version(number: u64) -> Version {
    let options = BTreeMap::from([("k".to_owned(), "2".to_owned())]);
    let model = ml::create("streaming_kmeans", &options, ml::Schema::vector(None)).unwrap();
    let record = ModelRecord { version: number, query: 1, ..ModelRecord::default() };
    Version::learnt(record, Bytes::from(model.snapshot()), model)
}

fn numbers(versions: &[Arc<Version>]) -> Vec<u64> {
    versions.iter().map(|version| version.number).collect()
}

#[test]
fn a_pinned_version_stays_until_it_is_let_go() {
    let registry = Registry::default();
    registry.insert("M", "streaming_kmeans", 1, vec![version(1)]);
    let entry = registry.get("m").unwrap();
    let (pin, again) = (entry.pin(None).unwrap(), entry.pin(Some(1)).unwrap());
    assert!(pin.is_of("m"));
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
    assert!(entry.pin(Some(1)).is_none() && entry.pin(Some(51)).is_some());
}

#[test]
fn a_replaced_model_hands_its_history_on_but_not_what_it_has_learnt() {
    let registry = Registry::default();
    registry.insert("m", "streaming_kmeans", 1, vec![version(1), version(2)]);
    let entry = registry.replace("m", "streaming_kmeans", 9);
    assert_eq!(entry.latest().map(|version| version.number), Some(2));
    assert!(entry.learns_on().is_none());
}

#[test]
fn an_unknown_model_names_the_known() {
    let registry = Registry::default();
    assert!(registry.known("x").unwrap_err().to_string().ends_with("there is none"));
    registry.insert("Segments", "streaming_kmeans", 1, Vec::new());
    assert_eq!(registry.known("x").unwrap_err().to_string(), "model x does not exist; known are Segments");
    assert_eq!(registry.known("SEGMENTS").unwrap().status(&BTreeMap::new()).version, 0);
}
