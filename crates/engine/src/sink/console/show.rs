//! The table that Spark's `show` prints.

use std::fmt::{Display, Write};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

use super::Shown;

/// No column is narrower.
const WIDTH_MIN: usize = 3;

/// Spark's notation of instants and of what is not there.
const FORMAT: FormatOptions<'static> = FormatOptions::new()
    .with_null("NULL")
    .with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"))
    .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f"));

/// Rows as a table, with a line below if there are more.
pub(super) fn table(names: &[String], batches: &[RecordBatch], shown: Shown) -> Result<String, ArrowError> {
    let total: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let mut lines = vec![names.iter().map(|name| cut(name, shown.truncate)).collect::<Vec<_>>()];
    for batch in batches {
        for row in 0..batch.num_rows().min(shown.rows + 1 - lines.len()) {
            let cells = batch.columns().iter().map(|column| Ok(cut(&cell(column, row)?, shown.truncate)));
            lines.push(cells.collect::<Result<_, ArrowError>>()?);
        }
    }
    let width = |column: usize| {
        let widths = lines.iter().map(|line| line[column].chars().count());
        widths.max().unwrap_or(0).max(WIDTH_MIN)
    };
    let widths: Vec<usize> = (0..names.len()).map(width).collect();
    let rule = widths.iter().fold("+".to_owned(), |rule, width| rule + &"-".repeat(*width) + "+");
    let mut text = format!("{rule}\n");
    for (number, line) in lines.iter().enumerate() {
        text.push('|');
        for (cell, width) in line.iter().zip(&widths) {
            // Whole cells stand on the left, cut ones on the right.
            let _ = if shown.truncate > 0 {
                write!(text, "{cell:>width$}|")
            } else {
                write!(text, "{cell:<width$}|")
            };
        }
        text.push('\n');
        if number == 0 {
            let _ = writeln!(text, "{rule}");
        }
    }
    let _ = writeln!(text, "{rule}");
    if total > shown.rows {
        let rows = if shown.rows == 1 { "row" } else { "rows" };
        let _ = writeln!(text, "only showing top {} {rows}", shown.rows);
    }
    Ok(text)
}

fn cut(text: &str, truncate: usize) -> String {
    let text = text.replace('\n', "\\n").replace('\t', "\\t").replace('\r', "\\r");
    if truncate == 0 || text.chars().count() <= truncate {
        return text;
    }
    // Three points have no room in less than four characters.
    let (kept, points) = if truncate < 4 { (truncate, "") } else { (truncate - 3, "...") };
    text.chars().take(kept).chain(points.chars()).collect()
}

fn cell(column: &ArrayRef, row: usize) -> Result<String, ArrowError> {
    if column.is_null(row) {
        return Ok("NULL".to_owned());
    }
    let all =
        |items: &ArrayRef| (0..items.len()).map(|item| cell(items, item)).collect::<Result<Vec<_>, _>>();
    match column.data_type() {
        DataType::List(_) => Ok(format!("[{}]", all(&column.as_list::<i32>().value(row))?.join(", "))),
        DataType::Struct(_) => {
            let fields = column.as_struct().columns().iter().map(|field| cell(field, row));
            Ok(format!("{{{}}}", fields.collect::<Result<Vec<_>, _>>()?.join(", ")))
        }
        DataType::Map(..) => {
            let entries = column.as_map().value(row);
            let keys = all(entries.column(0))?.into_iter().zip(all(entries.column(1))?);
            let entries: Vec<String> = keys.map(|(key, value)| format!("{key} -> {value}")).collect();
            Ok(format!("{{{}}}", entries.join(", ")))
        }
        DataType::Binary => {
            let bytes = column.as_binary::<i32>().value(row).iter();
            Ok(format!("[{}]", bytes.map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(" ")))
        }
        DataType::Float64 => Ok(java(column.as_primitive::<Float64Type>().value(row), |x| format!("{x:e}"))),
        DataType::Float32 => Ok(java(column.as_primitive::<Float32Type>().value(row), |x| format!("{x:e}"))),
        _ => Ok(ArrayFormatter::try_new(column, &FORMAT)?.value(row).to_string()),
    }
}

/// A number as Java writes it: between a thousandth and ten million without an exponent.
fn java<T: Copy + Into<f64> + Display>(value: T, scientific: impl Fn(T) -> String) -> String {
    let size = value.into().abs();
    if size.is_nan() {
        return "NaN".to_owned();
    }
    if size.is_infinite() {
        return if value.into() > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let with_point = |digits: &str| {
        let point = if digits.contains('.') { "" } else { ".0" };
        format!("{digits}{point}")
    };
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        return with_point(&value.to_string());
    }
    let text = scientific(value);
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    format!("{}E{exponent}", with_point(digits))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{BinaryArray, Float64Array, Int64Array, ListArray, StringArray};
    use datafusion::arrow::datatypes::Int32Type;

    use super::*;

    fn rows() -> RecordBatch {
        let words: ArrayRef = Arc::new(StringArray::from(vec![
            Some("a"),
            None,
            Some("a word that is longer than twenty characters"),
        ]));
        let lists = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![
            Some(vec![Some(1), None]),
            None,
            Some(vec![]),
        ]);
        RecordBatch::try_from_iter([
            ("word", words),
            ("n", Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef),
            ("x", Arc::new(Float64Array::from(vec![1.0, 2.5, 1e10]))),
            ("list", Arc::new(lists)),
            ("raw", Arc::new(BinaryArray::from_vec(vec![b"ab", b"", b"\xff"]))),
        ])
        .unwrap()
    }

    fn names() -> Vec<String> {
        ["word", "n", "x", "list", "raw"].map(str::to_owned).to_vec()
    }

    #[test]
    fn as_spark_shows_it() {
        let shown = table(&names(), &[rows()], Shown::default()).unwrap();
        let expected = "\
+--------------------+---+------+---------+-------+
|                word|  n|     x|     list|    raw|
+--------------------+---+------+---------+-------+
|                   a|  1|   1.0|[1, NULL]|[61 62]|
|                NULL|  2|   2.5|     NULL|     []|
|a word that is lo...|  3|1.0E10|       []|   [FF]|
+--------------------+---+------+---------+-------+
";
        assert_eq!(shown, expected);
    }

    #[test]
    fn numbers_as_java_writes_them() {
        let text = |x: f64| java(x, |x| format!("{x:e}"));
        let numbers = [0.0, -1.0, 0.001, 0.0001, 9_999_999.0, 1e7, -1.25e-9, f64::NAN, f64::NEG_INFINITY];
        let expected =
            ["0.0", "-1.0", "0.001", "1.0E-4", "9999999.0", "1.0E7", "-1.25E-9", "NaN", "-Infinity"];
        assert_eq!(numbers.map(text), expected);
        assert_eq!(java(0.1_f32, |x| format!("{x:e}")), "0.1");
    }

    #[test]
    fn whole_cells_stand_on_the_left_and_more_rows_are_mentioned() {
        let shown = table(&names()[..1], &[rows().project(&[0]).unwrap()], Shown { rows: 1, truncate: 0 });
        let expected = "+----+\n|word|\n+----+\n|a   |\n+----+\nonly showing top 1 row\n";
        assert_eq!(shown.unwrap(), expected);
    }
}
