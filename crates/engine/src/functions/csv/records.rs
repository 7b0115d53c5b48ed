//! Records of separated values in files, with the rules of Spark's reader: a quote within quotes that is not escaped
//! makes the whole cell, quotes and all, what it is; a cell without a character is null.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, PrimitiveArray, StringArray, new_null_array};
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Field, FieldRef, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, SchemaRef, TimestampMicrosecondType,
};
use datafusion::common::Result;

use super::guess::Guess;
use crate::functions::cast::{Manner, changed};
use crate::functions::own::{refused, wrong};
use crate::functions::records::{Malformed, Outcome, lines};
use crate::functions::schema::Options;
use crate::functions::time::pattern::Pattern;
use crate::functions::time::{self, Zone};

/// A cell, or null.
type Cell = Option<String>;

/// How separated values are read.
#[derive(Debug)]
pub(crate) struct Csv {
    separator: String,
    quote: Option<char>,
    escape: Option<char>,
    comment: Option<char>,
    null: String,
    empty: String,
    /// What stands for no number, and for the two infinities.
    special: [(String, f64); 3],
    trim: (bool, bool),
    header: bool,
    multi: bool,
    enforce: bool,
    infer: bool,
    pub(super) dates: Option<Pattern>,
    pub(super) times: Option<Pattern>,
    pub(super) zone: Zone,
    pub(in crate::functions) malformed: Malformed,
}

/// The columns of the records so far.
pub(crate) struct Learner<'r> {
    csv: &'r Csv,
    names: Vec<String>,
    guesses: Vec<Guess>,
}

impl Csv {
    pub(in crate::functions) fn new(options: &Options) -> Result<Self> {
        let text = |names: [&str; 2], usual: &str| {
            let found = names.iter().find_map(|name| options.get(name));
            found.unwrap_or(usual).replace("\\t", "\t")
        };
        let one = |name: &str, usual: Option<char>| match options.get(name) {
            None => Ok(usual),
            Some("" | "\0") => Ok(None),
            Some(given) if given.chars().count() == 1 => Ok(given.chars().next()),
            Some(given) => wrong(format!("the option {name} is one character, not '{given}'")),
        };
        let special = [("nanValue", "NaN", f64::NAN), ("positiveInf", "Inf", f64::INFINITY)];
        let negative = ("negativeInf", "-Inf", f64::NEG_INFINITY);
        let special = [special[0], special[1], negative]
            .map(|(name, usual, value)| (options.get(name).unwrap_or(usual).to_owned(), value));
        let separator = text(["sep", "delimiter"], ",");
        if separator.is_empty() {
            return wrong("the option sep holds a character");
        }
        Ok(Csv {
            separator,
            quote: one("quote", Some('"'))?,
            escape: one("escape", Some('\\'))?,
            comment: one("comment", None)?,
            null: text(["nullValue", "nullvalue"], ""),
            empty: text(["emptyValue", "emptyvalue"], ""),
            special,
            trim: (options.is_true("ignoreLeadingWhiteSpace"), options.is_true("ignoreTrailingWhiteSpace")),
            header: options.is_true("header"),
            multi: options.is_true("multiLine"),
            enforce: !options.is_false("enforceSchema"),
            infer: options.is_true("inferSchema"),
            dates: options.pattern("dateFormat")?,
            times: options.pattern("timestampFormat")?,
            zone: options.zone(),
            malformed: Malformed::read(options),
        })
    }

    pub(in crate::functions) fn cut<'t>(
        &self,
        text: &'t str,
        separator: Option<&str>,
        begins: bool,
        names: Option<&[&str]>,
    ) -> Result<Vec<&'t str>> {
        let mut records = self.records(text, separator);
        if begins && self.header && !records.is_empty() {
            let header = records.remove(0);
            if let Some(names) = names.filter(|_| !self.enforce) {
                self.check(header, names)?;
            }
        }
        Ok(records)
    }

    /// All records, the header among them.
    fn records<'t>(&self, text: &'t str, separator: Option<&str>) -> Vec<&'t str> {
        let counts = |record: &&str| {
            let first = record.chars().next();
            !record.trim().is_empty() && (self.comment.is_none() || first != self.comment)
        };
        if !self.multi {
            return lines(text, separator).into_iter().filter(counts).collect();
        }
        let mut records = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (_, length) = self.cells(rest);
            records.push(rest[..length].trim_end_matches(['\n', '\r']));
            rest = &rest[length..];
        }
        records.retain(counts);
        records
    }

    fn check(&self, header: &str, names: &[&str]) -> Result<()> {
        let (cells, _) = self.cells(header);
        let cells: Vec<String> = cells.into_iter().map(Option::unwrap_or_default).collect();
        let same = |(cell, name): (&String, &&str)| cell.to_lowercase() == name.to_lowercase();
        if cells.len() == names.len() && cells.iter().zip(names).all(same) {
            return Ok(());
        }
        wrong(format!(
            "CSV header does not conform to the schema. Header: {}; schema: {}",
            cells.join(", "),
            names.join(", ")
        ))
    }

    /// The cells of the first record of a text, and the bytes that it takes with its end.
    fn cells(&self, text: &str) -> (Vec<Cell>, usize) {
        let (mut cells, mut at) = (Vec::new(), 0);
        loop {
            let (cell, length) = self.cell(&text[at..]);
            cells.push(cell.filter(|cell| *cell != self.null));
            at += length;
            let rest = &text[at..];
            if rest.starts_with(&self.separator) {
                at += self.separator.len();
                continue;
            }
            let ends = if rest.starts_with("\r\n") { 2 } else { usize::from(!rest.is_empty()) };
            return (cells, at + ends);
        }
    }

    /// A cell, and the bytes before what ends it.
    fn cell(&self, text: &str) -> (Cell, usize) {
        let blank = |c: char| matches!(c, ' ' | '\t') && !self.separator.starts_with(c);
        let skipped = if self.trim.0 { text.len() - text.trim_start_matches(blank).len() } else { 0 };
        let inner = &text[skipped..];
        if let Some(quote) = self.quote.filter(|quote| inner.starts_with(*quote))
            && let Some((content, length)) = self.quoted(inner, quote)
        {
            let content = if content.is_empty() { self.empty.clone() } else { content };
            return (Some(content), skipped + length);
        }
        // What was quoted wrongly goes on to the next separator behind its second quote.
        let from = self.quote.and_then(|quote| self.broken(inner, quote)).unwrap_or(0);
        let length = from + self.end_of(&inner[from..]);
        let content = &inner[..length];
        let content = if self.trim.1 { content.trim_end_matches(blank) } else { content };
        (Some(content.to_owned()).filter(|content| !content.is_empty()), skipped + length)
    }

    /// Where a cell without quotes ends.
    fn end_of(&self, text: &str) -> usize {
        let separator = text.find(&self.separator).unwrap_or(text.len());
        let line = if self.multi { text.find(['\n', '\r']).unwrap_or(text.len()) } else { text.len() };
        separator.min(line)
    }

    fn ends(&self, rest: &str) -> bool {
        rest.is_empty() || rest.starts_with(&self.separator) || rest.starts_with(['\n', '\r'])
    }

    /// What stands in quotes, and the bytes that it takes; `None` if a quote within is not escaped.
    fn quoted(&self, text: &str, quote: char) -> Option<(String, usize)> {
        let mut content = String::new();
        let mut characters = text.char_indices().skip(1).peekable();
        while let Some((at, character)) = characters.next() {
            let next = characters.peek().map(|(_, next)| *next);
            if Some(character) == self.escape && next.is_some_and(|next| next == quote || next == character) {
                content.extend(characters.next().map(|(_, escaped)| escaped));
                continue;
            }
            if character == quote {
                let behind = at + quote.len_utf8();
                return self.ends(&text[behind..]).then_some((content, behind));
            }
            content.push(character);
        }
        Some((content, text.len()))
    }

    /// Behind the quote within quotes that is not escaped.
    fn broken(&self, text: &str, quote: char) -> Option<usize> {
        let mut characters = text.char_indices();
        characters.next().filter(|(_, first)| *first == quote)?;
        let mut escaped = false;
        for (at, character) in characters {
            let escapes = Some(character) == self.escape && character != quote;
            if character == quote && !escaped {
                return Some(at + quote.len_utf8());
            }
            escaped = escapes && !escaped;
        }
        None
    }

    pub(in crate::functions) fn learner(&self) -> Learner<'_> {
        Learner { csv: self, names: Vec::new(), guesses: Vec::new() }
    }

    pub(in crate::functions) fn read<'t>(
        &self,
        all: &[FieldRef],
        wanted: &SchemaRef,
        records: &[&'t str],
    ) -> Result<Outcome<'t>> {
        let held: Vec<&FieldRef> = all.iter().filter(|field| !self.malformed.holds(field)).collect();
        let rows: Vec<Vec<Cell>> = records.iter().map(|record| self.cells(record).0).collect();
        let mut bad: Vec<bool> = rows.iter().map(|row| row.len() != held.len()).collect();
        let mut columns = Vec::with_capacity(wanted.fields().len());
        for field in wanted.fields() {
            let Some(place) = held.iter().position(|known| known.name() == field.name()) else {
                columns.push(None);
                continue;
            };
            let texts: StringArray =
                rows.iter().map(|row| row.get(place).and_then(Option::as_deref)).collect();
            let column = self.column(texts.clone(), field.data_type())?;
            for (row, bad) in bad.iter_mut().enumerate() {
                *bad |= texts.is_valid(row) && column.is_null(row);
            }
            columns.push(Some(column));
        }
        Ok(Outcome { bad, texts: records.to_vec(), columns })
    }

    fn column(&self, texts: StringArray, gives: &DataType) -> Result<ArrayRef> {
        Ok(match gives {
            DataType::Utf8 => Arc::new(texts),
            DataType::Boolean => Arc::new(texts.iter().map(|text| truth(text?)).collect::<BooleanArray>()),
            DataType::Int8 => parsed::<Int8Type>(&texts, gives, |text| text.parse().ok()),
            DataType::Int16 => parsed::<Int16Type>(&texts, gives, |text| text.parse().ok()),
            DataType::Int32 => parsed::<Int32Type>(&texts, gives, |text| text.parse().ok()),
            DataType::Int64 => parsed::<Int64Type>(&texts, gives, |text| text.parse().ok()),
            DataType::Float32 => {
                parsed::<Float32Type>(&texts, gives, |text| self.fraction(text).map(|value| value as f32))
            }
            DataType::Float64 => parsed::<Float64Type>(&texts, gives, |text| self.fraction(text)),
            DataType::Decimal128(..) | DataType::Binary => {
                changed(&(Arc::new(texts) as ArrayRef), gives, Manner { forgiving: true, zone: self.zone })?
            }
            DataType::Date32 => {
                parsed::<Date32Type>(&texts, gives, |text| time::read_date(text, self.dates.as_ref()))
            }
            DataType::Timestamp(_, local) => parsed::<TimestampMicrosecondType>(&texts, gives, |text| {
                let zone = if local.is_some() { self.zone } else { Zone::UTC };
                time::read_instant(text, self.times.as_ref(), zone)
            }),
            other if other.is_nested() => {
                let reason = "The CSV datasource doesn't support columns of arrays, maps and structs.";
                return refused("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", reason);
            }
            other => new_null_array(other, texts.len()),
        })
    }

    fn fraction(&self, text: &str) -> Option<f64> {
        let special = self.special.iter().find(|(name, _)| name == text);
        special.map(|(_, value)| *value).or_else(|| text.trim().parse().ok())
    }
}

fn truth(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn parsed<T: ArrowPrimitiveType>(
    texts: &StringArray,
    gives: &DataType,
    read: impl Fn(&str) -> Option<T::Native>,
) -> ArrayRef {
    let array: PrimitiveArray<T> = texts.iter().map(|text| read(text?)).collect();
    Arc::new(array.with_data_type(gives.clone()))
}

impl Learner<'_> {
    /// The first record of all says how many columns there are, and their names if it is a header.
    pub(in crate::functions) fn begin(&mut self, text: &str, separator: Option<&str>) {
        let records = self.csv.records(text, separator);
        let Some(first) = records.first().filter(|_| self.names.is_empty()) else { return };
        let (cells, _) = self.csv.cells(first);
        let lower = |cell: &Cell| cell.as_ref().map(|cell| cell.to_lowercase());
        let name = |(index, cell): (usize, &Cell)| match cell {
            Some(name) if self.csv.header => {
                let twice = cells.iter().filter(|other| lower(other) == lower(cell)).count() > 1;
                if twice { format!("{name}{index}") } else { name.clone() }
            }
            _ => format!("_c{index}"),
        };
        self.names = cells.iter().enumerate().map(name).collect();
        self.guesses = vec![Guess::Nothing; cells.len()];
    }

    pub(in crate::functions) fn learn(&mut self, records: &[&str]) {
        if !self.csv.infer {
            return;
        }
        for record in records {
            let (cells, _) = self.csv.cells(record);
            for (guess, cell) in self.guesses.iter_mut().zip(cells) {
                if let Some(cell) = cell {
                    *guess = guess.with(&cell, self.csv);
                }
            }
        }
    }

    pub(in crate::functions) fn columns(self) -> Vec<FieldRef> {
        let columns = self.names.iter().zip(&self.guesses);
        columns.map(|(name, guess)| Arc::new(Field::new(name, guess.data_type(), true))).collect()
    }
}

impl Csv {
    pub(super) fn is_fraction(&self, text: &str) -> bool {
        self.fraction(text).is_some()
    }
}
