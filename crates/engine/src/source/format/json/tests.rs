//! What is read is what Arrow's own reader gives.

use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Field, Int64Type, Schema, SchemaRef};
use datafusion::arrow::json::ReaderBuilder;
use proptest::prelude::*;
use record::Record;
use serde_json::{Map, Number, Value, json};

use super::*;
use crate::source::records::{LoneRecord, SourceRecords};
use crate::sql::types::schema_text;

const COLUMNS: &str = "b BOOLEAN, i8 TINYINT, i16 SMALLINT, i32 INT, i64 BIGINT, f32 FLOAT, f64 DOUBLE, s STRING, \
    raw BINARY, d DATE, at TIMESTAMP, local TIMESTAMP_NTZ, dec DECIMAL(9, 2), list ARRAY<BIGINT>, \
    rows ARRAY<STRUCT<x: INT, s: STRING>>, map MAP<STRING, DOUBLE>, days MAP<INT, ARRAY<STRING>>, \
    one STRUCT<i: INT, two: STRUCT<s: STRING, list: ARRAY<INT>>>";

fn schema(columns_sql: &str) -> SchemaRef {
    let DataType::Struct(fields) = schema_text(columns_sql).unwrap() else { panic!("{columns_sql}") };
    Arc::new(Schema::new(fields))
}

fn records<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> SourceRecords {
    SourceRecords::gather(values.into_iter().map(|value| {
        let record = Record { value: Some(Bytes::copy_from_slice(value)), ..Record::default() };
        LoneRecord { topic: "t".into(), partition: 0, record }
    }))
}

fn ours(schema: &SchemaRef, values: &[String]) -> Result<RecordBatch, ArrowError> {
    let every: Vec<usize> = (0..values.len()).collect();
    read(schema, records(values.iter().map(String::as_bytes)).select(&every))
}

fn peer(schema: &SchemaRef, values: &[String]) -> Result<RecordBatch, ArrowError> {
    let builder = ReaderBuilder::new(Arc::clone(schema)).with_batch_size(values.len());
    let mut decoder = builder.with_coerce_primitive(true).build_decoder()?;
    for value in values {
        decoder.decode(value.as_bytes())?;
    }
    Ok(decoder.flush()?.unwrap())
}

fn reason(columns_sql: &str, value: &str) -> String {
    let error = ours(&schema(columns_sql), &[value.to_owned()]).unwrap_err();
    crate::source::format::reason(error)
}

/// Values that fit one of the columns, or another one.
fn scalar() -> impl Strategy<Value = Value> {
    let texts = [
        "",
        "x",
        "12",
        "-3.75",
        "1e3",
        "00ff",
        "f",
        "2024-02-29",
        "2024-02-29T12:30:00.5Z",
        "true",
        "é\n\"\u{1F600}",
    ];
    let instants = [
        "2023-11-14 22:13:20",
        "2023-11-14T22:13:20+02:00",
        "2023-02-30T00:00:00Z",
        "2023-11-14T22:13:20.1234567Z",
    ];
    let texts: Vec<Value> = texts.iter().chain(&instants).map(|text| json!(text)).collect();
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-200_i64..200).prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| Number::from_f64(number).map_or(Value::Null, Value::Number)),
        (-1e6..1e6).prop_map(Value::from),
        proptest::sample::select(texts),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let names = proptest::sample::select(vec!["i", "s", "x", "two", "list", "7", "other"]);
    scalar().prop_recursive(3, 12, 3, move |inner| {
        let pairs = proptest::collection::vec((names.clone(), inner.clone()), 0..4);
        let object = pairs.prop_map(|pairs| {
            Value::Object(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
        });
        prop_oneof![proptest::collection::vec(inner, 0..3).prop_map(Value::Array), object]
    })
}

/// A value that is likely to fit.
fn fitting(data_type: &DataType) -> BoxedStrategy<Value> {
    let plain = match data_type {
        DataType::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
            (-120_i64..120).prop_map(Value::from).boxed()
        }
        DataType::Float32 | DataType::Float64 | DataType::Decimal128(..) => {
            (-1e4..1e4).prop_map(Value::from).boxed()
        }
        DataType::Utf8 => ".{0,9}".prop_map(Value::from).boxed(),
        DataType::Binary => "([0-9a-fA-F]{2}){0,5}".prop_map(Value::from).boxed(),
        DataType::Date32 => "20[0-2][0-9]-0[1-9]-[12][0-8]".prop_map(Value::from).boxed(),
        DataType::Timestamp(..) => {
            "20[0-2][0-9]-0[1-9]-[12][0-8]T1[0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?Z?"
                .prop_map(Value::from)
                .boxed()
        }
        DataType::List(item) => {
            proptest::collection::vec(fitting(item.data_type()), 0..3).prop_map(Value::Array).boxed()
        }
        DataType::Map(entries, _) => {
            let DataType::Struct(pair) = entries.data_type() else { unreachable!("maps are of pairs") };
            let pairs = proptest::collection::btree_map("[0-9]{1,3}", fitting(pair[1].data_type()), 0..3);
            pairs.prop_map(|pairs| Value::Object(pairs.into_iter().collect())).boxed()
        }
        DataType::Struct(fields) => {
            let fields: Vec<_> =
                fields.iter().map(|field| (Just(field.name().clone()), fitting(field.data_type()))).collect();
            let some =
                fields.into_iter().map(|field| proptest::option::weighted(0.8, field)).collect::<Vec<_>>();
            some.prop_map(|fields| Value::Object(fields.into_iter().flatten().collect())).boxed()
        }
        _ => scalar().boxed(),
    };
    prop_oneof![9 => plain, 1 => Just(Value::Null)].boxed()
}

/// An object with most of the columns, and perhaps a field that none of them takes.
fn row() -> impl Strategy<Value = Map<String, Value>> {
    let whole = fitting(&DataType::Struct(schema(COLUMNS).fields().clone()));
    (whole, proptest::option::of(value())).prop_map(|(row, unknown)| {
        let mut row = row.as_object().cloned().unwrap_or_default();
        row.extend(unknown.map(|value| ("unknown".to_owned(), value)));
        row
    })
}

fn column_name() -> impl Strategy<Value = String> {
    let schema = schema(COLUMNS);
    proptest::sample::select(schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn rows_are_what_arrow_reads(rows in proptest::collection::vec(row(), 1..6)) {
        let schema = schema(COLUMNS);
        let rows: Vec<String> = rows.into_iter().map(|row| Value::Object(row).to_string()).collect();
        prop_assert_eq!(ours(&schema, &rows).unwrap(), peer(&schema, &rows).unwrap());
    }

    #[test]
    fn what_does_not_fit_is_refused_as_by_arrow(mut row in row(), name in column_name(), strange in value()) {
        let schema = schema(COLUMNS);
        // Arrow takes the farthest instant for one that is farther still.
        let far = strange.as_f64().is_some_and(|number| number.abs() >= 9e18) && strange.as_i64().is_none();
        prop_assume!(!far || !matches!(name.as_str(), "at" | "local"));
        row.insert(name, strange);
        let rows = [Value::Object(row).to_string()];
        match (ours(&schema, &rows), peer(&schema, &rows)) {
            (Ok(ours), Ok(peer)) => prop_assert_eq!(ours, peer),
            (Err(_), Err(_)) => {}
            (ours, peer) => prop_assert!(false, "{:?} and in Arrow {:?}: {}", ours, peer, rows[0]),
        }
    }

    #[test]
    fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..40), cut in 0_usize..200) {
        let schema = schema(COLUMNS);
        let _ = read(&schema, records([&bytes[..]]).select(&[0]));
        let whole = json!({"b": true, "list": [1, 2], "one": {"two": {"s": "\u{e9}"}}, "at": "2023-11-14T22:13:20Z"}).to_string();
        let cut = &whole.as_bytes()[..cut.min(whole.len() - 1)];
        prop_assert!(read(&schema, records([cut]).select(&[0])).is_err());
    }
}

/// What may be changed in a text: how many bytes from where, and what comes in their place.
fn change() -> impl Strategy<Value = (usize, usize, String)> {
    let usual = "[\\[\\]{}:,\"\\\\ \n\t0-9.eE+\\-ntf]{0,3}".prop_map(String::from);
    let strange = proptest::sample::select(vec![
        "\u{1}",
        "\u{7f}",
        "\u{e9}",
        "null",
        "true",
        "1e400",
        "-0",
        "00",
        "1.",
        "-",
        "\\u0041",
        "\"i64\":1,",
        "123456789012345678",
        "1234567890123456789",
        "9007199254740993",
        "0.30000000000000004",
    ]);
    (any::<usize>(), 0_usize..4, prop_oneof![usual, strange.prop_map(str::to_owned)])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    /// The reader of what is usual takes nothing that the reader of all JSON does not take, and takes it for the same.
    #[test]
    fn both_ways_give_the_same(row in row(), pretty in any::<bool>(), changes in proptest::collection::vec(change(), 0..3)) {
        let schema = schema(COLUMNS);
        let row = Value::Object(row);
        let mut text = if pretty { serde_json::to_string_pretty(&row).unwrap() } else { row.to_string() };
        for (at, bytes, other) in changes {
            let begin = text.floor_char_boundary(at % (text.len() + 1));
            let end = text.ceil_char_boundary((begin + bytes).min(text.len()));
            text.replace_range(begin..end, &other);
        }
        let records = records([&b"{}"[..], text.as_bytes(), br#"{"i64": -7, "s": "last"}"#]);
        let records = records.select(&[0, 1, 2]);
        match (read_by(&schema, records, true), read_by(&schema, records, false)) {
            (Ok(by_bytes), Ok(by_jiter)) => prop_assert_eq!(by_bytes, by_jiter, "{}", text),
            (Err(by_bytes), Err(by_jiter)) => prop_assert_eq!(by_bytes.to_string(), by_jiter.to_string()),
            (by_bytes, by_jiter) => prop_assert!(false, "{:?} and {:?}: {}", by_bytes, by_jiter, text),
        }
    }
}

#[test]
fn what_is_usual_is_read_by_its_bytes() {
    let schema = schema(COLUMNS);
    let usual = [
        r#"{"k": 1, "i64": -123456789012345678, "f64": 0.1, "f32": 1e-3, "s": "a text longer than a word"}"#,
        r#"{"b":true,"i8":0,"raw":"00ff","d":19000,"at":"2026-01-01T00:00:00.001+00:00","dec":-1.25,"s":null}"#,
        r#"{"list":[1,2],"rows":[{"x":1},{}],"map":{"a":1.5},"one":{"two":{"list":[]}},"other":[{"x":[null,"y"]}]}"#,
        "{ }",
        "\n{\"s\"\t:\t\"\u{e9}\" }\r\n",
    ];
    let other = [
        r#"{"s":"\n"}"#,
        r#"{"s":"x","s":"y"}"#,
        r#"{"i64":"7"}"#,
        r#"{"i64":1.5}"#,
        r#"{"i64":01}"#,
        r#"{"i64":1}}"#,
        r#"{"b":truely}"#,
        r#"{"f64":1.}"#,
        r#"{"f64":.5}"#,
        r#"{"f64":-}"#,
        "{\"s\":\"\u{1}\"}",
        r#"{"other":[1,]}"#,
    ];
    for (texts, taken) in [(usual.as_slice(), true), (other.as_slice(), false)] {
        for text in texts {
            let mut rows = Object::new(schema.fields(), 1).unwrap();
            assert_eq!(rows.usual_row(text.as_bytes()), taken, "{text}");
        }
    }
}

#[test]
fn names_that_are_escaped_are_found() {
    let field = |name: &str| Field::new(name, DataType::Int64, true);
    let schema = Arc::new(Schema::new(vec![field("a\"b"), field("c\\d"), field("e\tf"), field("g")]));
    let rows = [r#"{"a\"b":1,"c\\d":2,"e\tf":3,"g":4}"#.to_owned()];
    let read = ours(&schema, &rows).unwrap();
    assert_eq!(read, peer(&schema, &rows).unwrap());
    for raw in ["{\"a\"b\":1}", "{\"c\\d\":2}", "{\"e\tf\":3}"] {
        assert!(ours(&schema, &[raw.to_owned()]).is_err(), "{raw}");
    }
}

#[test]
fn the_last_of_several_values_counts() {
    let schema = schema("i BIGINT, s STRING, list ARRAY<INT>, map MAP<STRING, INT>, one STRUCT<s: STRING>");
    let row = r#"{"i":1,"s":"long","list":[1,2],"map":{"a":1},"one":{"s":"x","s":"y"},"i":"2","s":null,"list":[3],"map":{"b":2},"one":{}}"#;
    let rows = [r#"{"s":"first"}"#.to_owned(), row.to_owned(), r#"{"i":3,"s":"last"}"#.to_owned()];
    let read = ours(&schema, &rows).unwrap();
    assert_eq!(read, peer(&schema, &rows).unwrap());
    assert_eq!(read.column(0).as_primitive::<Int64Type>().value(1), 2);
    assert!(read.column(1).is_null(1));
}

#[test]
fn only_what_is_asked_for_is_looked_at() {
    let wide = r#"{"x":{"deep":[1,{"y":"\ud83d\ude00"}]},"i":7,"z":1e999}"#.to_owned();
    let read = ours(&schema("i BIGINT"), std::slice::from_ref(&wide)).unwrap();
    assert_eq!(read.column(0).as_primitive::<Int64Type>().value(0), 7);
    assert_eq!(ours(&Arc::new(Schema::empty()), &[wide]).unwrap().num_rows(), 1);
}

#[test]
fn reasons_say_what_is_wrong() {
    let cases = [
        ("i INT", "", "the value is not a JSON object"),
        ("i INT", "[1]", "the value is not a JSON object"),
        ("i INT", r#"{"i":1"#, "malformed JSON: the value ends too early"),
        ("i INT", r#"{"i":1} {}"#, "malformed JSON: something follows the object"),
        ("i INT", r#"{"i":01}"#, "malformed JSON: invalid number at byte 6"),
        ("i INT", r#"{"i":nope}"#, "malformed JSON: expected ident at byte 6"),
        ("i INT", r#"{"j":"a}"#, "malformed JSON: the value ends too early"),
        ("i INT", r#"{"i":"x"}"#, "wrong type: i: 'x' is no Int32"),
        ("i INT", r#"{"i":3000000000}"#, "wrong type: i: 3000000000 is no Int32"),
        ("i INT", r#"{"i":[1]}"#, "wrong type: i: an array is no number"),
        (
            "at TIMESTAMP",
            r#"{"at":9223372036854775808}"#,
            "wrong type: at: 9223372036854775808 is no timestamp",
        ),
        ("b BOOLEAN", r#"{"b":1}"#, "wrong type: b: 1 is no boolean"),
        ("list ARRAY<INT>", r#"{"list":{"a":1}}"#, "wrong type: list: an object is no array"),
        (
            "one STRUCT<two: STRUCT<i: INT>>",
            r#"{"one":{"two":{"i":true}}}"#,
            "wrong type: one: two: i: a boolean is no number",
        ),
        ("raw BINARY", r#"{"raw":"0g"}"#, "wrong type: raw: '0g' is no string of hexadecimal digits"),
    ];
    for (columns, value, expected) in cases {
        assert_eq!(reason(columns, value), expected, "{value}");
    }
    let letters = b"{\"j\":\"\xff\",\"i\":1}";
    let error = read(&schema("i INT"), records([&letters[..]]).select(&[0])).unwrap_err();
    assert!(crate::source::format::reason(error).starts_with("malformed JSON: not UTF-8"));
}

#[test]
fn decimals_with_exponents_are_exact_and_never_too_long() {
    let schema = schema("dec DECIMAL(9, 2)");
    let cases = [
        ("1e3", Some(100_000)),
        ("-1.25E+1", Some(-1_250)),
        ("125e-2", Some(125)),
        ("129e-3", Some(12)),
        ("-7.5e-1", Some(-75)),
        ("1e-4000000000", Some(0)),
        ("0e4000000000", Some(0)),
        ("0.0001e7", Some(100_000)),
        ("1e7", None),
        ("1e400", None),
        ("1e99999999999999999999", None),
    ];
    for (text, expected) in cases {
        let read = ours(&schema, &[format!("{{\"dec\":{text}}}")]).ok();
        let read = read.map(|rows| rows.column(0).as_primitive::<Decimal128Type>().value(0));
        assert_eq!(read, expected, "{text}");
    }
    for digits in [10, 255, 256, 300, 70_000] {
        assert!(ours(&schema, &[format!("{{\"dec\":{}}}", "1".repeat(digits))]).is_err(), "{digits} digits");
    }
}

#[test]
fn what_is_stepped_over_may_not_be_nested_without_end() {
    let deep = format!("{{\"x\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(reason("i INT", &deep), "malformed JSON: recursion limit exceeded at byte 206");
}
