use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use datafusion::arrow::array::{ArrayRef, Int64Array};
use datafusion::arrow::datatypes::{DataType, Field};

use super::*;
use crate::functions::time::Zone;
use crate::query::journal::Numbers;
use crate::storage::tests::Unsteady;

fn options() -> FileOptions {
    FileOptions {
        zone: Zone::UTC,
        path: "s3://b/out".into(),
        format: Format::Json,
        partition_by: Vec::new(),
        storage: Settings::default(),
    }
}

fn sink(store: &Store, query: u64) -> FileSink {
    let columns = vec![Arc::new(Field::new("n", DataType::Int64, true))];
    FileSink::new(store.clone(), &options(), query, columns)
}

async fn write(sink: &mut FileSink, batch: u64, n: i64) -> Result<u64, SinkError> {
    let column: ArrayRef = Arc::new(Int64Array::from(vec![n]));
    let rows = [RecordBatch::try_from_iter([("n", column)]).unwrap()];
    let mut numbers = Numbers::default();
    let delivery =
        Delivery { batch, time_ms: 7, first: 0, partitions: 0, replaces: false, numbers: &mut numbers };
    sink.write(&rows, delivery).await
}

/// What a reader finds that goes by the manifest.
fn counted(store: &Store) -> Vec<String> {
    let directory = Path::new("s3://b/out");
    let names = manifest::committed(store, directory).unwrap().unwrap_or_default();
    let distinct: BTreeSet<&String> = names.iter().collect();
    assert_eq!(distinct.len(), names.len(), "{names:?}");
    let read = |name: &String| {
        String::from_utf8(store.read(&directory.join(name), 1_000).unwrap().bytes.to_vec()).unwrap()
    };
    names.iter().map(read).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_counts_once_wherever_it_was_cut_off() {
    let objects = Unsteady::new();
    let store = objects.bucket();
    options().prepare(&store).unwrap();
    assert_eq!(write(&mut sink(&store, 1), 1, 10).await.unwrap(), 1);
    // A program that is killed after the rows and before the manifest leaves this.
    let torn = "s3://b/out/part-00000-0000000000000001-0000000001.json";
    store.put(Path::new(torn), b"{\"n\":11}\n".to_vec()).unwrap();
    assert_eq!(counted(&store), ["{\"n\":10}\n"]);
    let mut again = sink(&store, 1);
    write(&mut again, 2, 11).await.unwrap();
    // After both, and before its own journal knew.
    let puts = objects.puts.load(Ordering::SeqCst);
    write(&mut again, 2, 11).await.unwrap();
    assert_eq!(objects.puts.load(Ordering::SeqCst), puts);
    assert_eq!(counted(&store), ["{\"n\":10}\n", "{\"n\":11}\n"]);
    assert!(options().prepare(&store).is_err(), "it holds the output of a query");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_writers_one_is_told() {
    let objects = Unsteady::new();
    let store = objects.bucket();
    let manifest = Manifest::open(Path::new("s3://b/out"));
    let entry = |name: &str| Entry::added(format!("s3://b/out/{name}"), 1, 2);
    manifest.add(&store, 0, vec![entry("mine")]).unwrap();
    let error = manifest.add(&store, 0, vec![entry("yours")]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!(manifest::committed(&store, Path::new("s3://b/out")).unwrap(), Some(vec!["mine".to_owned()]));
}

#[test]
fn an_object_is_named_by_its_own_address() {
    assert_eq!(address(Path::new("s3a://b/out/a b%.json")), "s3a://b/out/a%20b%25.json");
    assert_eq!(address(Path::new("/out/a.json")), "file:///out/a.json");
}
