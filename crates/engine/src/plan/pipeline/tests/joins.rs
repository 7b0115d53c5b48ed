//! Joins against DataFusion's own over all rows that were in time.

use super::*;
use crate::plan::pipeline::TableRows;

/// `l` and `r` are streams of `(k, v, at)`, both up to ten seconds late; `t (k, name)` is a table.
fn stream() -> SchemaRef {
    let field = |name: &str, data_type| Field::new(name, data_type, true);
    Arc::new(Schema::new(vec![
        field("k", DataType::Utf8),
        field("v", DataType::Int64),
        marked(&field("at", instant()), 10 * SECOND),
    ]))
}

fn table() -> SchemaRef {
    let field = |name: &str| Field::new(name, DataType::Utf8, true);
    Arc::new(Schema::new(vec![field("k"), field("name")]))
}

fn rows(rows: &[Row]) -> RecordBatch {
    let columns = batch(rows).columns().to_vec();
    RecordBatch::try_new(stream(), vec![columns[0].clone(), columns[1].clone(), columns[3].clone()]).unwrap()
}

fn names(rows: &[(&str, &str)]) -> RecordBatch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0))),
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.1))),
    ];
    RecordBatch::try_new(table(), columns).unwrap()
}

async fn joining(query: &str, output: Option<OutputMode>) -> Result<Pipeline, CutError> {
    let context = session(SessionConfig::new());
    let slots = [stream(), stream(), table()].map(Slot::new);
    for (name, slot) in ["l", "r", "t"].into_iter().zip(&slots) {
        let partition: Arc<dyn PartitionStream> = Arc::clone(slot) as _;
        let stream = StreamingTable::try_new(Arc::clone(slot.schema()), vec![partition]).unwrap();
        context.register_table(name, Arc::new(stream)).unwrap();
    }
    window::functions().for_each(|function| context.register_udf(function));
    let logical = context.sql(query).await.unwrap().into_unoptimized_plan();
    let logical = expand_windows(logical).unwrap();
    let plan = context.state().create_physical_plan(&logical).await.unwrap();
    let schemas = slots.map(|slot| Arc::clone(slot.schema()));
    let leaves = Leaves { streams: &schemas[..2], tables: &schemas[2..] };
    let config = Config { query: "q".into(), output, state_bytes_max: 64 << 20 };
    Pipeline::try_new(&plan, leaves, &config, context.task_ctx())
}

/// What DataFusion makes of all rows at once.
async fn at_once(query: &str, left: &[Row], right: &[Row]) -> Vec<String> {
    let context = SessionContext::new();
    for (name, all) in [("l", left), ("r", right)] {
        let fixed = MemTable::try_new(stream(), vec![vec![rows(all)]]).unwrap();
        context.register_table(name, Arc::new(fixed)).unwrap();
    }
    let mut found = words(&context.sql(query).await.unwrap().collect().await.unwrap());
    found.sort();
    found
}

/// Runs batches of both streams as the driver does.
struct Tale {
    query: &'static str,
    /// Whether the join sees event time: without, no row is late.
    timed: bool,
    pipeline: Pipeline,
    batch: u64,
    newest: [Option<i64>; 2],
    watermark: Option<i64>,
    /// The rows of each stream that were not late.
    in_time: [Vec<Row>; 2],
    late: usize,
    late_expected: usize,
    changes: Vec<Bytes>,
    seen: Vec<String>,
}

impl Tale {
    async fn new(query: &'static str) -> Self {
        Tale {
            query,
            timed: query.contains("at"),
            pipeline: joining(query, None).await.unwrap(),
            batch: 0,
            newest: [None; 2],
            watermark: None,
            in_time: Default::default(),
            late: 0,
            late_expected: 0,
            changes: Vec::new(),
            seen: Vec::new(),
        }
    }

    async fn run(&mut self, left: &[Row], right: &[Row]) -> Vec<String> {
        self.batch += 1;
        for (side, rows) in [left, right].into_iter().enumerate() {
            let end = self.watermark.filter(|_| self.timed);
            let in_time = |row: &&Row| end.is_none_or(|watermark| row.2 * SECOND >= watermark);
            self.in_time[side].extend(rows.iter().filter(in_time));
            self.late_expected += rows.iter().filter(|row| !in_time(row)).count();
            self.newest[side] = self.newest[side].max(rows.iter().map(|row| (row.2 - 10) * SECOND).max());
        }
        let reached = self.newest[0].zip(self.newest[1]).map(|(left, right)| left.min(right));
        let moment = Moment {
            batch: self.batch,
            late: self.watermark,
            watermark: self.watermark.max(reached),
            earlier: None,
        };
        let inputs = [rows(left), rows(right)];
        let merged = self.pipeline.run(inputs[..].into(), &moment).await.unwrap();
        self.changes.push(self.pipeline.changelog().unwrap());
        self.pipeline.commit();
        self.watermark = moment.watermark;
        self.late += merged.late.iter().map(RecordBatch::num_rows).sum::<usize>();
        let found = words(&merged.rows);
        self.seen.extend(found.iter().cloned());
        found
    }

    /// Loses everything that was not written down.
    async fn lose(&mut self, snapshot: Option<&Bytes>) {
        self.pipeline = joining(self.query, None).await.unwrap();
        self.pipeline.restore(snapshot, &self.changes).unwrap();
    }
}

const VIEWS: &str = "select l.k, l.v, r.v from l left join r \
     on l.k = r.k and r.at between l.at and l.at + interval '20 seconds'";

#[tokio::test]
async fn a_row_waits_for_its_match_as_long_as_one_may_come() {
    let mut tale = Tale::new(VIEWS).await;
    assert!(tale.run(&[("a", 1, 0), ("b", 2, 0)], &[]).await.is_empty());
    assert_eq!(
        tale.run(&[], &[("a", 10, 20), ("b", 10, 21)]).await,
        ["a 1 10"],
        "b's came a second too late"
    );
    assert!(tale.run(&[("c", 3, 30)], &[]).await.is_empty(), "the watermark is 11 still");
    assert_eq!(tale.pipeline.figures().keys, 5);
    assert_eq!(
        tale.run(&[("d", 4, 40)], &[("x", 0, 31)]).await,
        ["b 2 "],
        "it is 21: b has waited long enough"
    );
    assert_eq!(tale.pipeline.figures().keys, 4, "c, d, and what of r is not older than 21 seconds");
}

#[tokio::test]
async fn what_could_never_say_no_match_is_refused() {
    for (query, refusal) in [
        ("select l.k from l left join r on l.k = r.k", "LeftOuter join: a row of the left stream"),
        ("select r.k from l right join r on l.k = r.k", "a watermark on"),
        ("select l.k from l left join r on l.k = r.k and l.at < r.at", "can only be known to have no match"),
        ("select t.k from l right join t on l.k = t.k", "the stream has to be on the preserved side"),
        ("select l.k from l full join t on l.k = t.k", "the stream has to be on the preserved side"),
        ("select t.k from t where k not in (select k from l where k is not null)", "preserved side"),
    ] {
        let error = joining(query, None).await.unwrap_err();
        assert!(error.to_string().contains(refusal), "{query}: {error}");
    }
    let error = joining("select l.k from l join r on l.k = r.k", Some(OutputMode::Update)).await.unwrap_err();
    assert!(error.to_string().contains("append mode only"), "{error}");
}

#[tokio::test]
async fn a_stream_is_joined_with_a_table_as_it_is() {
    let queries = [
        ("select l.v, t.name from l join t on l.k = t.k", "1 Ann|3 Ann", "1 Ann|2 Bob|3 Ann"),
        ("select l.v, t.name from l left join t on l.k = t.k", "1 Ann|2 |3 Ann", "1 Ann|2 Bob|3 Ann"),
        ("select t.name, l.v from t right join l on l.k = t.k", " 2|Ann 1|Ann 3", "Ann 1|Ann 3|Bob 2"),
        ("select v from l where k in (select k from t)", "1|3", "1|2|3"),
        ("select v from l where not exists (select 1 from t where t.k = l.k)", "2", ""),
        (
            "select v, name from l cross join (select max(name) as name from t)",
            "1 Ann|2 Ann|3 Ann",
            "1 Bob|2 Bob|3 Bob",
        ),
        ("select v from l where v > (select count(*) from t)", "2|3", "3"),
        ("select name, count(*) from l join t on l.k = t.k group by name", "Ann 2", "Ann 4|Bob 1"),
    ];
    for (query, first, second) in queries {
        let mut pipeline = joining(query, None).await.unwrap_or_else(|error| panic!("{query}: {error}"));
        let streams = [rows(&[("a", 1, 0), ("b", 2, 0), ("a", 3, 0)]), rows(&[])];
        let tables = [vec![names(&[("a", "Ann")])], vec![names(&[("a", "Ann")]), names(&[("b", "Bob")])]];
        for (batch, (table, expected)) in (1..).zip(tables.into_iter().zip([first, second])) {
            let tables = [TableRows { rows: table, version: batch }];
            let inputs = Inputs { streams: &streams, tables: &tables };
            let merged = pipeline.run(inputs, &Moment { batch, ..Moment::default() }).await.unwrap();
            pipeline.commit();
            let mut found = words(&merged.rows);
            found.sort();
            assert_eq!(found.join("|"), expected, "{query}");
        }
    }
}

#[tokio::test]
async fn a_table_is_hashed_again_when_rows_come_to_it_and_only_then() {
    let queries = [
        ("select v, name from l join t on l.k = t.k", "1 Ann", "1 Bob"),
        ("select v, name from l left join t on l.k = t.k", "1 Ann", "1 Bob"),
        ("select v, name from t right join l on l.k = t.k", "1 Ann", "1 Bob"),
        ("select v from l where k in (select k from t)", "1", "1"),
        (
            "select v, name || '!' from l join (select k, name from t where name <> '') t on l.k = t.k",
            "1 Ann!",
            "1 Bob!",
        ),
        // What is asked anew with every batch is hashed anew with it, and there is nothing.
        (
            "select v, name from l join (select k, name from t where random() >= 0) t on l.k = t.k",
            "",
            "1 Bob",
        ),
        ("select v from l where k not in (select k from t)", "1", ""),
    ];
    for (query, kept, changed) in queries {
        let mut pipeline = joining(query, None).await.unwrap_or_else(|error| panic!("{query}: {error}"));
        let streams = [rows(&[("a", 1, 0)]), rows(&[])];
        let steps = [
            (1, vec![names(&[("a", "Ann")])], None),
            (1, vec![], Some(kept)),
            (2, vec![names(&[("a", "Bob")])], Some(changed)),
        ];
        for (batch, (version, table, expected)) in (1..).zip(steps) {
            let tables = [TableRows { rows: table, version }];
            let inputs = Inputs { streams: &streams, tables: &tables };
            let merged = pipeline.run(inputs, &Moment { batch, ..Moment::default() }).await.unwrap();
            pipeline.commit();
            if let Some(expected) = expected {
                assert_eq!(words(&merged.rows).join("|"), expected, "{query}, batch {batch}");
            }
        }
    }
}

#[tokio::test]
async fn windows_over_joined_rows_wait_for_those_that_were_held_back() {
    let mut tale = Tale::new(
        "select arrow_cast(window(l.at, '5 seconds')['start'], 'Int64') / 1000000, count(*), count(r.v) \
         from l left join r on l.k = r.k and r.at between l.at and l.at + interval '20 seconds' \
         group by window(l.at, '5 seconds')",
    )
    .await;
    assert!(tale.run(&[("a", 1, 0), ("b", 2, 4)], &[("a", 1, 12)]).await.is_empty());
    assert!(tale.run(&[("z", 3, 34)], &[("z", 1, 34)]).await.is_empty(), "at 24 b may still find a match");
    assert_eq!(tale.run(&[("z", 3, 36)], &[("z", 1, 36)]).await, ["0 2 1"]);
    assert_eq!(tale.late, 0);
}

const QUERIES: [&str; 12] = [
    "select l.k, l.v, r.v from l join r on l.k = r.k",
    "select l.k, l.v, r.v, l.at, r.at from l join r on l.k = r.k and l.v < r.v",
    VIEWS,
    "select l.k, r.k, r.v from l right join r on l.k = r.k and l.at <= r.at + interval '5 seconds' and l.v <> r.v",
    "select l.k, l.v, r.k, r.v from l full join r on l.k = r.k \
     and r.at >= l.at - interval '7 seconds' and r.at < l.at + interval '3 seconds'",
    "select l.k, l.v, r.k, r.v from l full join r on l.k = r.k and l.at = r.at",
    "select l.v, l.k from l where exists (select 1 from r where r.k = l.k and r.v > l.v)",
    "select l.v, l.k from l left semi join r on l.k = r.k and l.at = r.at",
    "select l.v, l.k, l.at from l left anti join r on l.k = r.k and l.at = r.at",
    "select l.v, r.k from l join r on l.v % 3 = r.v % 2",
    "select l.v, r.v from l join r on l.v < r.v and r.at between l.at and l.at + interval '4 seconds'",
    "select a.k, b.v from (select * from l where v > 1) a join (select k, v + 1 as v from r) b on a.k = b.k",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// What has left, once all have waited long enough, is the join of all rows that were in time; whatever is lost
    /// and restored on the way.
    #[test]
    fn joins_are_those_of_all_rows_in_time(
        query in prop::sample::select(QUERIES.to_vec()),
        left in any_batches(),
        right in any_batches(),
        lost in 0..12usize,
        snapshot in 0..12usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut tale = Tale::new(query).await;
            let mut state = None;
            for number in 0..left.len().max(right.len()) {
                let rows = |of: &Vec<Vec<Row>>| of.get(number).cloned().unwrap_or_default();
                tale.run(&rows(&left), &rows(&right)).await;
                if number == snapshot {
                    state = Some(tale.pipeline.snapshot().unwrap());
                }
                if number == lost {
                    let keys = tale.pipeline.figures().keys;
                    tale.lose(state.as_ref()).await;
                    prop_assert_eq!(tale.pipeline.figures().keys, keys);
                }
            }
            prop_assert_eq!(tale.late, tale.late_expected);
            let expected = at_once(query, &tale.in_time[0], &tale.in_time[1]).await;
            // Rows that match nothing and end nothing but what came before.
            tale.run(&[("y", -101, 10_000)], &[("z", -199, 10_001)]).await;
            tale.seen.sort();
            prop_assert_eq!(tale.seen, expected);
            Ok(())
        })?;
    }
}
