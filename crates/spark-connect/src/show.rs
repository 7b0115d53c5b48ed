//! Values as Spark prints them, and the tables of `show()`.

use std::fmt::{Display, Write};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringBuilder};
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::error::{Result, SparkError};

/// No column is narrower.
const WIDTH_MIN: usize = 3;

const FORMAT: FormatOptions<'static> = FormatOptions::new()
    .with_null("NULL")
    .with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"))
    .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f"));

/// What `show` was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown {
    pub(crate) rows: usize,
    /// Characters of a cell; 0 for all of them.
    pub(crate) truncate: usize,
}

impl Shown {
    pub(crate) fn new(rows: i32, truncate: i32) -> Self {
        let size = |number: i32| usize::try_from(number).unwrap_or(0);
        Shown { rows: size(rows), truncate: size(truncate) }
    }
}

/// A cell's text.
pub(crate) fn cell(column: &ArrayRef, row: usize) -> Result<String, ArrowError> {
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
            let pairs = all(entries.column(0))?.into_iter().zip(all(entries.column(1))?);
            let pairs: Vec<String> = pairs.map(|(key, value)| format!("{key} -> {value}")).collect();
            Ok(format!("{{{}}}", pairs.join(", ")))
        }
        DataType::Binary => {
            let bytes = column.as_binary::<i32>().value(row).iter();
            Ok(format!("[{}]", bytes.map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(" ")))
        }
        DataType::Float64 => Ok(java(column.as_primitive::<Float64Type>().value(row), |x| format!("{x:e}"))),
        DataType::Float32 => Ok(java(column.as_primitive::<Float32Type>().value(row), |x| format!("{x:e}"))),
        DataType::Timestamp(..) => {
            let text = ArrayFormatter::try_new(column, &FORMAT)?.value(row).to_string();
            let whole =
                if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
            Ok(whole.to_owned())
        }
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

/// A single value's text.
pub(crate) fn scalar(value: &ScalarValue) -> Result<String> {
    let wrong = |error: ArrowError| SparkError::internal(error.to_string());
    if let ScalarValue::Utf8(text) = value {
        return Ok(text.clone().unwrap_or_else(|| "null".to_owned()));
    }
    let text = cell(&value.to_array()?, 0).map_err(wrong)?;
    Ok(if value.is_null() { "null".to_owned() } else { text })
}

/// A function that turns any value into the text that `show` prints.
pub(crate) fn text() -> ScalarUDF {
    ScalarUDF::new_from_impl(Text { signature: Signature::any(1, Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Text {
    signature: Signature,
}

impl ScalarUDFImpl for Text {
    fn name(&self) -> &str {
        "spark_text"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> datafusion::error::Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> datafusion::error::Result<ColumnarValue> {
        let column = arguments.args[0].to_array(arguments.number_rows)?;
        let column =
            datafusion::arrow::compute::cast(&column, &crate::schema::canonical(column.data_type()))?;
        let mut texts = StringBuilder::new();
        for row in 0..column.len() {
            match column.is_null(row) {
                true => texts.append_null(),
                false => texts.append_value(cell(&column, row)?),
            }
        }
        Ok(ColumnarValue::Array(Arc::new(texts.finish())))
    }
}

/// The cells of the rows that are shown, the names first; and whether there are more rows.
pub(crate) fn cells(
    names: &[String],
    batches: &[RecordBatch],
    shown: Shown,
) -> Result<(Vec<Vec<String>>, bool)> {
    let wrong = |error: ArrowError| SparkError::internal(error.to_string());
    let total: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let mut lines = vec![names.iter().map(|name| cut(name, 0)).collect::<Vec<_>>()];
    for batch in batches {
        for row in 0..batch.num_rows().min(shown.rows + 1 - lines.len()) {
            let cells = batch.columns().iter().map(|column| Ok(cut(&cell(column, row)?, shown.truncate)));
            lines.push(cells.collect::<Result<_, ArrowError>>().map_err(wrong)?);
        }
    }
    Ok((lines, total > shown.rows))
}

/// Rows as a table, with a line below if there are more.
pub(crate) fn table(names: &[String], batches: &[RecordBatch], shown: Shown) -> Result<String> {
    let (mut lines, more) = cells(names, batches, shown)?;
    for name in &mut lines[0] {
        *name = cut(name, shown.truncate);
    }
    let width = |column: usize| {
        let widths = lines.iter().map(|line| line[column].chars().count());
        widths.max().unwrap_or(0).max(WIDTH_MIN)
    };
    let widths: Vec<usize> = (0..names.len()).map(width).collect();
    let mut rule = "+".to_owned();
    for width in &widths {
        rule.push_str(&"-".repeat(*width));
        rule.push('+');
    }
    if widths.is_empty() {
        rule.push('+');
    }
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
        text.push_str(if widths.is_empty() { "|\n" } else { "\n" });
        if number == 0 {
            let _ = writeln!(text, "{rule}");
        }
    }
    let _ = writeln!(text, "{rule}");
    if more {
        let rows = if shown.rows == 1 { "row" } else { "rows" };
        let _ = writeln!(text, "only showing top {} {rows}", shown.rows);
    }
    Ok(text)
}

/// Rows one below the other, a line for each column.
pub(crate) fn vertical(names: &[String], batches: &[RecordBatch], shown: Shown) -> Result<String> {
    let (lines, more) = cells(names, batches, shown)?;
    let widest = |cells: &mut dyn Iterator<Item = &String>| {
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0).max(WIDTH_MIN)
    };
    let name_width = widest(&mut lines[0].iter());
    let value_width = widest(&mut lines[1..].iter().flatten());
    let mut text = String::new();
    if lines.len() == 1 {
        return Ok("(0 rows)\n".to_owned());
    }
    for (number, line) in lines[1..].iter().enumerate() {
        let head = format!("-RECORD {number}");
        let _ = writeln!(text, "{head:-<width$}", width = name_width + value_width + 5);
        for (name, cell) in lines[0].iter().zip(line) {
            let _ = writeln!(text, " {name:<name_width$} | {cell:<value_width$} ");
        }
    }
    if more {
        let rows = if shown.rows == 1 { "row" } else { "rows" };
        let _ = writeln!(text, "only showing top {} {rows}", shown.rows);
    }
    Ok(text)
}

/// Rows as a table of HTML.
pub(crate) fn html(names: &[String], batches: &[RecordBatch], shown: Shown) -> Result<String> {
    let (lines, more) = cells(names, batches, shown)?;
    let escaped = |text: &String| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut text = "<table border='1'>\n".to_owned();
    for (number, line) in lines.iter().enumerate() {
        let tag = if number == 0 { "th" } else { "td" };
        let cells: Vec<String> =
            line.iter().map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell))).collect();
        let _ = writeln!(text, "<tr>{}</tr>", cells.concat());
    }
    text.push_str("</table>\n");
    if more {
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

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::array::{Float64Array, Int64Array, StringArray, TimestampMicrosecondArray};

    fn rows() -> RecordBatch {
        let words: ArrayRef = Arc::new(StringArray::from(vec![
            Some("a"),
            None,
            Some("a word that is longer than twenty characters"),
        ]));
        RecordBatch::try_from_iter([
            ("word", words),
            ("n", Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef),
            ("x", Arc::new(Float64Array::from(vec![1.0, 2.5, 1e10]))),
            ("t", Arc::new(TimestampMicrosecondArray::from(vec![0, 1_500_000, 1]))),
        ])
        .unwrap()
    }

    fn names() -> Vec<String> {
        ["word", "n", "x", "t"].map(str::to_owned).to_vec()
    }

    #[test]
    fn as_spark_shows_it() {
        let shown = table(&names(), &[rows()], Shown { rows: 20, truncate: 20 }).unwrap();
        let expected = "\
+--------------------+---+------+--------------------+
|                word|  n|     x|                   t|
+--------------------+---+------+--------------------+
|                   a|  1|   1.0| 1970-01-01 00:00:00|
|                NULL|  2|   2.5|1970-01-01 00:00:...|
|a word that is lo...|  3|1.0E10|1970-01-01 00:00:...|
+--------------------+---+------+--------------------+
";
        assert_eq!(shown, expected);
    }

    #[test]
    fn whole_cells_stand_on_the_left_and_more_rows_are_mentioned() {
        let rows = rows().project(&[0]).unwrap();
        let shown = table(&names()[..1], &[rows], Shown { rows: 1, truncate: 0 }).unwrap();
        assert_eq!(shown, "+----+\n|word|\n+----+\n|a   |\n+----+\nonly showing top 1 row\n");
    }

    #[test]
    fn one_below_the_other() {
        let rows = rows().project(&[0, 1]).unwrap().slice(0, 1);
        let shown = vertical(&names()[..2], &[rows], Shown { rows: 5, truncate: 20 }).unwrap();
        assert_eq!(shown, "-RECORD 0---\n word | a   \n n    | 1   \n");
    }
}
