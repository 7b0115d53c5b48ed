//! Labelled rows in memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufWriter, Write};

use ml::generator::{self, Generator};
use ml::{Column, Kind, Label, Schema};

use crate::Outcome;

/// Rows of a generator unless `rows` says how many.
const ROWS_MAX: usize = 100_000;

/// Rows as numbers; categories and classes as codes in the order in which they first came.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    columns: Vec<Column>,
    label: Option<Label>,
    values: Vec<f64>,
    /// Codes of the labels, unless they are numbers.
    pub(crate) classes: Vec<u32>,
    /// The labels' names, by code.
    names: Vec<String>,
    /// The labels if they are numbers.
    pub(crate) targets: Vec<f64>,
}

/// Names and their codes.
#[derive(Debug, Default)]
struct Codes {
    by_name: BTreeMap<String, u32>,
}

impl Codes {
    fn code(&mut self, name: &str) -> u32 {
        if let Some(&code) = self.by_name.get(name) {
            return code;
        }
        let code = u32::try_from(self.by_name.len()).expect("fewer names than that");
        self.by_name.insert(name.to_owned(), code);
        code
    }

    fn names(self) -> Vec<String> {
        let mut names: Vec<(String, u32)> = self.by_name.into_iter().collect();
        names.sort_by_key(|(_, code)| *code);
        names.into_iter().map(|(name, _)| name).collect()
    }
}

impl Rows {
    /// Takes the options that say where rows come from, and reads them.
    pub(crate) fn from_options(
        options: &mut BTreeMap<String, String>,
        label: Option<Label>,
    ) -> Outcome<Self> {
        let limit = options.remove("rows").map_or(Ok(usize::MAX), |text| text.parse())?;
        let categories = options.remove("categories").unwrap_or_default();
        let categories: Vec<&str> = categories.split(',').filter(|name| !name.is_empty()).collect();
        if let Some(path) = options.remove("data") {
            return read(&std::fs::read(path)?, &categories, label, limit);
        }
        let mut stream = stream(options)?;
        let schema = stream.schema();
        let mut rows = Rows { columns: schema.columns, label, ..Rows::default() };
        let (mut row, mut names) = (Vec::new(), Codes::default());
        for _ in 0..limit.min(ROWS_MAX) {
            let answer = stream.next_row(&mut row);
            rows.values.extend_from_slice(&row);
            if label == Some(Label::Number) {
                rows.targets.push(answer);
            } else {
                rows.classes.push(names.code(&answer.to_string()));
            }
        }
        rows.names = names.names();
        Ok(rows)
    }

    pub(crate) fn len(&self) -> usize {
        self.classes.len().max(self.targets.len())
    }

    pub(crate) fn dim(&self) -> usize {
        self.columns.len()
    }

    pub(crate) fn schema(&self) -> Schema {
        Schema { columns: self.columns.clone(), label: self.label }
    }

    /// The label of a row.
    pub(crate) fn name(&self, index: usize) -> &str {
        &self.names[self.classes[index] as usize]
    }

    /// Whether a row is one of those that should look strange: those labelled 1, or true.
    pub(crate) fn strange(&self, index: usize) -> bool {
        matches!(self.name(index), "1" | "true" | "True")
    }

    /// The numbers of the rows from `start` to `end`.
    pub(crate) fn slice(&self, start: usize, end: usize) -> &[f64] {
        &self.values[start * self.dim()..end * self.dim()]
    }
}

/// The generator that the options describe.
fn stream(options: &mut BTreeMap<String, String>) -> Outcome<Box<dyn Generator>> {
    let text = options.remove("generator").ok_or("which data= or generator=?")?;
    let mut drift = BTreeMap::new();
    for name in ["drift_every", "drift_width"] {
        drift.extend(options.remove_entry(name));
    }
    Ok(generator::create(&text, &drift)?)
}

/// Writes the rows of a generator to a file that [`Rows::from_options`] reads.
pub(crate) fn write(mut options: BTreeMap<String, String>, path: &str) -> Outcome<()> {
    let count = options.remove("rows").ok_or("how many rows=?")?.parse::<usize>()?;
    let mut stream = stream(&mut options)?;
    if let Some(name) = options.keys().next() {
        return Err(format!("no option '{name}' of a stream").into());
    }
    let mut file = BufWriter::new(File::create(path)?);
    for column in stream.schema().columns {
        write!(file, "{},", column.name)?;
    }
    writeln!(file, "label")?;
    let mut row = Vec::new();
    for _ in 0..count {
        let label = stream.next_row(&mut row);
        for value in &row {
            write!(file, "{value},")?;
        }
        writeln!(file, "{label}")?;
    }
    Ok(file.flush()?)
}

fn read(text: &[u8], categories: &[&str], label: Option<Label>, limit: usize) -> Outcome<Rows> {
    let mut lines = text.lines();
    let head = lines.next().ok_or("no line of names")??;
    let mut names: Vec<&str> = head.split(',').collect();
    names.pop();
    let kind = |name: &&str| {
        let kind = if categories.contains(name) { Kind::Category } else { Kind::Number };
        Column { name: (*name).to_owned(), kind }
    };
    let mut rows = Rows { columns: names.iter().map(kind).collect(), label, ..Rows::default() };
    let mut columns: Vec<Codes> = names.iter().map(|_| Codes::default()).collect();
    let mut classes = Codes::default();
    for line in lines.take(limit) {
        let line = line?;
        let mut fields = line.split(',');
        for (column, codes) in rows.columns.iter_mut().zip(&mut columns) {
            let field = fields.next().ok_or_else(|| format!("a short line: {line}"))?;
            rows.values.push(value(field, column, codes, rows.classes.is_empty())?);
        }
        let field = fields.next().ok_or_else(|| format!("a line without a label: {line}"))?;
        if label == Some(Label::Number) {
            rows.targets.push(field.parse()?);
        } else {
            rows.classes.push(classes.code(field));
        }
    }
    rows.names = classes.names();
    Ok(rows)
}

/// One field as a number. What the first row has decides whether a column is of categories.
fn value(field: &str, column: &mut Column, codes: &mut Codes, first: bool) -> Outcome<f64> {
    if field.is_empty() {
        return Ok(f64::NAN);
    }
    if first && field.parse::<f64>().is_err() {
        column.kind = Kind::Category;
    }
    match column.kind {
        Kind::Number => Ok(field.parse()?),
        _ => Ok(f64::from(codes.code(field))),
    }
}
