//! The store against a plain map, and what it costs in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, Int64Array, StringViewArray};
use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema};

use super::tidy::FAN_IN;
use super::*;

fn store() -> StateStore {
    let fields = vec![
        Field::new("k", DataType::Int64, true),
        Field::new("n", DataType::Int64, true),
        Field::new("t", DataType::Utf8View, true),
    ];
    let layout = Layout { schema: Arc::new(Schema::new(fields)), keys: 1, parts: Vec::new() };
    StateStore::try_new(layout, KeyGroups::DEFAULT, None).unwrap()
}

fn rows(store: &StateStore, rows: &[(i64, i64)]) -> RecordBatch {
    let text = |n: i64| format!("a text too long to be inlined: {n}");
    RecordBatch::try_new(
        Arc::clone(&store.layout().schema),
        vec![
            Arc::new(rows.iter().map(|row| Some(row.0)).collect::<Int64Array>()),
            Arc::new(rows.iter().map(|row| Some(row.1)).collect::<Int64Array>()),
            Arc::new(rows.iter().map(|row| Some(text(row.1))).collect::<StringViewArray>()),
        ],
    )
    .unwrap()
}

fn pairs(rows: &RecordBatch) -> Vec<(i64, i64)> {
    let column = |index: usize| rows.column(index).as_primitive::<Int64Type>().values().to_vec();
    column(0).into_iter().zip(column(1)).collect()
}

fn content(store: &StateStore) -> BTreeMap<i64, i64> {
    store.by_group(1000).flat_map(|chunk| pairs(&chunk.unwrap().0)).collect()
}

#[test]
fn many_batches_equal_a_map_and_dead_rows_do_not_pile_up() {
    let mut store = store();
    let mut model = BTreeMap::new();
    let mut random = 7_u64;
    for batch in 0..600_u64 {
        let mut changed = BTreeMap::new();
        for _ in 0..batch % 50 + 1 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            changed.insert((random >> 40).cast_signed() % 2000, batch.cast_signed());
        }
        let changed: Vec<(i64, i64)> = changed.into_iter().collect();
        let found = store.find(&[rows(&store, &changed)]).unwrap();
        let mut found = found.map_or_else(Vec::new, |rows| pairs(&rows));
        found.sort_unstable();
        let known: Vec<(i64, i64)> =
            changed.iter().filter_map(|(key, _)| Some((*key, *model.get(key)?))).collect();
        assert_eq!(found, known, "batch {batch}");

        store.stage(batch, &rows(&store, &changed), None).unwrap();
        if batch % 7 == 0 {
            store.abort();
        } else {
            store.commit();
            model.extend(changed);
        }
        assert_eq!(store.len(), model.len());
        let held: usize = store.blocks.iter().flatten().map(|block| block.slots.len()).sum();
        assert!(held <= 2 * model.len(), "{held} rows for {} keys after batch {batch}", model.len());
        assert!(store.blocks.iter().flatten().count() < 4 * FAN_IN, "blocks pile up");
    }
    assert_eq!(content(&store), model);
}

#[test]
fn a_key_asked_for_twice_is_found_once() {
    let mut store = store();
    store.stage(0, &rows(&store, &[(1, 1), (2, 2)]), None).unwrap();
    store.commit();
    let asked = rows(&store, &[(2, 0), (2, 0), (3, 0)]);
    assert_eq!(pairs(&store.find(&[asked.clone(), asked]).unwrap().unwrap()), [(2, 2)]);
    assert!(store.find(&[rows(&store, &[(4, 0)])]).unwrap().is_none());
}

#[test]
fn a_small_slice_does_not_pin_a_large_batch() {
    let mut store = store();
    let large = rows(&store, &(0..100_000).map(|n| (n, n)).collect::<Vec<_>>());
    store.stage(0, &large.slice(500, 10), None).unwrap();
    store.commit();
    assert!(store.size() < 20_000, "{} bytes for ten keys", store.size());
    assert_eq!(content(&store), (500..510).map(|n| (n, n)).collect());
}

#[test]
fn the_size_follows_what_is_held() {
    let mut store = store();
    let empty = store.size();
    let batch = rows(&store, &(0..10_000).map(|n| (n, n)).collect::<Vec<_>>());
    store.stage(0, &batch, None).unwrap();
    let staged = store.size();
    assert!(staged > empty + 10_000 * 60, "{staged}");
    store.abort();
    assert_eq!(store.size(), empty);
    for number in 0..20 {
        store.stage(number, &batch, None).unwrap();
        store.commit();
    }
    assert!(store.size() < 2 * staged, "{} bytes, staged were {staged}", store.size());
}

#[test]
fn key_groups_are_contiguous_in_a_snapshot() {
    let mut store = store();
    store.stage(0, &rows(&store, &(0..5000).map(|n| (n, n)).collect::<Vec<_>>()), None).unwrap();
    store.commit();
    let groups: Vec<u16> = store.by_group(512).flat_map(|chunk| chunk.unwrap().1).collect();
    assert!(groups.is_sorted());
    let used = groups.iter().collect::<std::collections::BTreeSet<_>>().len();
    assert_eq!(used, usize::from(store.groups().count()), "5,000 keys reach all groups");
    assert_eq!(store.untouched(4096).map(|rows| rows.unwrap().num_rows()).sum::<usize>(), 5000);
    assert_eq!(rows(&store, &[]).column(0).len(), 0);
}
