//! Rows as Spark's `show` prints them.

use std::fmt::Write;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::common::Result;

use crate::functions::cast::pretty;
pub use crate::functions::time::Zone;

/// No column is narrower.
const WIDTH_MIN: usize = 3;

/// What is shown of some rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// The most rows.
    pub rows: usize,
    /// Characters of a cell; 0 for all of them.
    pub truncate: usize,
    /// As whose clocks show instants.
    pub zone: Zone,
}

impl Default for Shown {
    fn default() -> Self {
        Shown { rows: 20, truncate: 20, zone: Zone::UTC }
    }
}

/// A cell's text.
///
/// # Errors
/// When the value has none.
pub fn cell(column: &ArrayRef, row: usize, zone: Zone) -> Result<String> {
    pretty(column, row, zone)
}

/// The cells of the rows that are shown, the names first; and whether there are more rows.
fn cells(names: &[String], batches: &[RecordBatch], shown: Shown) -> Result<(Vec<Vec<String>>, bool)> {
    let total: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let mut lines = vec![names.iter().map(|name| cut(name, 0)).collect::<Vec<_>>()];
    for batch in batches {
        for row in 0..batch.num_rows().min(shown.rows + 1 - lines.len()) {
            let cells =
                batch.columns().iter().map(|column| Ok(cut(&cell(column, row, shown.zone)?, shown.truncate)));
            lines.push(cells.collect::<Result<_>>()?);
        }
    }
    Ok((lines, total > shown.rows))
}

/// Rows as a table, with a line below if there are more.
///
/// # Errors
/// When a value has no text.
pub fn table(names: &[String], batches: &[RecordBatch], shown: Shown) -> Result<String> {
    let (lines, more) = cells(names, batches, shown)?;
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
    mention(more, shown, &mut text);
    Ok(text)
}

/// Rows one below the other, a line for each column.
///
/// # Errors
/// When a value has no text.
pub fn vertical(names: &[String], batches: &[RecordBatch], shown: Shown) -> Result<String> {
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
    mention(more, shown, &mut text);
    Ok(text)
}

/// Rows as a table of HTML.
///
/// # Errors
/// When a value has no text.
pub fn html(names: &[String], batches: &[RecordBatch], shown: Shown) -> Result<String> {
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
    mention(more, shown, &mut text);
    Ok(text)
}

fn mention(more: bool, shown: Shown, text: &mut String) {
    if more {
        let rows = if shown.rows == 1 { "row" } else { "rows" };
        let _ = writeln!(text, "only showing top {} {rows}", shown.rows);
    }
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
    use std::sync::Arc;

    use datafusion::arrow::array::{
        BinaryArray, Float64Array, Int64Array, ListArray, StringArray, TimestampMicrosecondArray,
    };
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
            ("t", Arc::new(TimestampMicrosecondArray::from(vec![0, 1_500_000, 1]))),
            ("list", Arc::new(lists)),
            ("raw", Arc::new(BinaryArray::from_vec(vec![b"ab", b"", b"\xff"]))),
        ])
        .unwrap()
    }

    fn names() -> Vec<String> {
        ["word", "n", "x", "t", "list", "raw"].map(str::to_owned).to_vec()
    }

    #[test]
    fn as_spark_shows_it() {
        let shown = table(&names(), &[rows()], Shown::default()).unwrap();
        let expected = "\
+--------------------+---+------+--------------------+---------+-------+
|                word|  n|     x|                   t|     list|    raw|
+--------------------+---+------+--------------------+---------+-------+
|                   a|  1|   1.0| 1970-01-01 00:00:00|[1, NULL]|[61 62]|
|                NULL|  2|   2.5|1970-01-01 00:00:...|     NULL|     []|
|a word that is lo...|  3|1.0E10|1970-01-01 00:00:...|       []|   [FF]|
+--------------------+---+------+--------------------+---------+-------+
";
        assert_eq!(shown, expected);
    }

    #[test]
    fn whole_cells_stand_on_the_left_and_more_rows_are_mentioned() {
        let rows = rows().project(&[0]).unwrap();
        let shown =
            table(&names()[..1], &[rows], Shown { rows: 1, truncate: 0, ..Shown::default() }).unwrap();
        assert_eq!(shown, "+----+\n|word|\n+----+\n|a   |\n+----+\nonly showing top 1 row\n");
    }

    #[test]
    fn one_below_the_other() {
        let rows = rows().project(&[0, 1]).unwrap().slice(0, 1);
        let shown = vertical(&names()[..2], &[rows], Shown { rows: 5, ..Shown::default() }).unwrap();
        assert_eq!(shown, "-RECORD 0---\n word | a   \n n    | 1   \n");
    }
}
