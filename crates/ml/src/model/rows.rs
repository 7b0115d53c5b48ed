//! From a micro-batch to the rows that the learner takes: names become codes, steps prepare, bad rows are refused.

use super::{CLASSES_MAX, Model};
use crate::batch::{Batch, ColumnValues, Columns, Labels, RowStore};
use crate::features::Features;
use crate::learner::{LearnReport, RejectedRow, RowBuffer};
use crate::row::{Missing, Rejection, Row, VALUE_MAX};
use crate::schema::{Kind, Label};
use crate::vocabulary::WORDS_MAX;

impl Model {
    /// The rows as the learner takes them, and those that cannot be prepared; in their places are empty ones.
    pub(super) fn prepare(&self, batch: &Batch<'_>) -> (RowStore, Vec<usize>) {
        let (mut store, mut refused) = (RowStore::new(), Vec::new());
        let (mut row, mut spare) = (RowBuffer::default(), RowBuffer::default());
        for index in 0..batch.len() {
            let done = self.encode(batch.columns, index, &mut row);
            let done = done.and_then(|()| {
                for step in &self.steps {
                    step.transform_one(row.row(), &mut spare)?;
                    std::mem::swap(&mut row, &mut spare);
                }
                Ok(())
            });
            if done.is_ok() {
                store.push(row.row());
            } else {
                store.push(Row::F64(&[]));
                refused.push(index);
            }
        }
        (store, refused)
    }

    /// The rows that can be learned, prepared, with their labels. Steps learn on the way.
    pub(super) fn gather(&mut self, batch: &Batch<'_>, report: &mut LearnReport) -> Gathered {
        let mut gathered = Gathered::default();
        let as_they_are =
            matches!(batch.columns, Columns::Vectors(_)) && self.steps.is_empty() && self.words.is_none();
        let mut store = RowStore::new();
        let (mut row, mut spare) = (RowBuffer::default(), RowBuffer::default());
        for index in 0..batch.len() {
            let admitted = self.admit(batch, index).and_then(|target| {
                if !as_they_are {
                    self.learn_steps(batch.columns, index, &mut row, &mut spare)?;
                }
                self.note(target, &mut gathered);
                gathered.weights.extend(batch.weights.map(|weights| weights[index]));
                Ok(())
            });
            match admitted {
                Ok(()) if as_they_are => gathered.places.push(index),
                Ok(()) => {
                    gathered.places.push(index);
                    store.push(row.row());
                }
                Err(reason) => report.rejected.push(RejectedRow { row: index, reason }),
            }
        }
        if !as_they_are {
            gathered.store = Some(store);
        } else if gathered.places.len() < batch.len() {
            if let Columns::Vectors(rows) = batch.columns {
                gathered.places.iter().for_each(|&place| store.push(rows.row(place)));
            }
            gathered.store = Some(store);
        }
        gathered
    }

    /// Says what a row is to be learned as, if nothing is wrong with it.
    fn admit<'a>(&self, batch: &Batch<'a>, index: usize) -> Result<Option<Target<'a>>, Rejection> {
        let target = target(batch.labels, index, self.schema.label)?;
        if let Columns::Vectors(rows) = batch.columns {
            self.check(rows.row(index))?;
        }
        if let Some(Target::Class(word)) = target {
            self.check_class(word)?;
        }
        if batch.weights.is_some_and(|weights| !(0.0..=VALUE_MAX).contains(&weights[index])) {
            return Err(Rejection::BadWeight);
        }
        if batch.answers.is_some_and(|answers| !answers[index].is_sound()) {
            return Err(Rejection::BadAnswer);
        }
        Ok(target)
    }

    /// Prepares a row in `row`; steps learn on the way.
    fn learn_steps(
        &mut self,
        columns: Columns<'_>,
        index: usize,
        row: &mut RowBuffer,
        spare: &mut RowBuffer,
    ) -> Result<(), Rejection> {
        self.learn_words(columns, index)?;
        self.encode(columns, index, row)?;
        for step in &mut self.steps {
            step.learn_and_transform_one(row.row(), spare)?;
            std::mem::swap(row, spare);
        }
        Ok(())
    }

    /// Names get their codes only when nothing can be wrong any more with their rows.
    fn note(&mut self, target: Option<Target<'_>>, gathered: &mut Gathered) {
        match target {
            Some(Target::Class(word)) => gathered.classes.extend(self.classes.learn(word)),
            Some(Target::Number(number)) => gathered.targets.push(number),
            None => {}
        }
    }

    pub(super) fn check_class(&self, word: &str) -> Result<(), Rejection> {
        if self.classes.code(word).is_some() || self.classes.words().len() < CLASSES_MAX {
            return Ok(());
        }
        Err(Rejection::TooManyCategories { limit: CLASSES_MAX })
    }

    /// Gives the names of a row their codes.
    fn learn_words(&mut self, columns: Columns<'_>, index: usize) -> Result<(), Rejection> {
        let Columns::Table(columns) = columns else { return Ok(()) };
        if self.words.is_some() {
            return Ok(());
        }
        for (values, words) in columns.iter().zip(&mut self.categories) {
            if let ColumnValues::Words(column) = values
                && let Some(word) = column[index]
                && words.learn(word).is_none()
            {
                return Err(Rejection::TooManyCategories { limit: WORDS_MAX });
            }
        }
        Ok(())
    }

    /// Writes one row as numbers. A name that never was learned from is a missing value.
    pub(super) fn encode(
        &self,
        columns: Columns<'_>,
        index: usize,
        row: &mut RowBuffer,
    ) -> Result<(), Rejection> {
        match (columns, &self.words) {
            (Columns::Vectors(_), Some(_)) => Err(Rejection::WrongKind { column: 0 }),
            (Columns::Vectors(rows), None) => {
                rows.row(index).append_to(row.dense());
                Ok(())
            }
            (Columns::Table(columns), Some(words)) => words.write(columns, index, row),
            (Columns::Table(columns), None) => self.encode_columns(columns, index, row.dense()),
        }
    }

    fn encode_columns(
        &self,
        columns: &[ColumnValues<'_>],
        index: usize,
        row: &mut Vec<f64>,
    ) -> Result<(), Rejection> {
        let expected = self.schema.columns.len();
        if columns.len() != expected {
            return Err(Rejection::Dimension { expected, found: columns.len() });
        }
        for (column, values) in columns.iter().enumerate() {
            row.push(match (values, self.schema.kind(column)) {
                (ColumnValues::Numbers(values), Kind::Number) => values[index],
                (ColumnValues::Words(words), Kind::Category) => {
                    let code = words[index].and_then(|word| self.categories[column].code(word));
                    code.map_or(f64::NAN, f64::from)
                }
                _ => return Err(Rejection::WrongKind { column }),
            });
        }
        if expected == 0 {
            return Ok(());
        }
        let (numbers, names) = (self.takes_missing(Kind::Number), self.takes_missing(Kind::Category));
        let refused =
            |column: &usize| !if self.schema.kind(*column) == Kind::Number { numbers } else { names };
        if !(numbers && names)
            && let Some(column) = (0..expected).find(|column| row[*column].is_nan() && refused(column))
        {
            return Err(Rejection::NotFinite { column });
        }
        Row::F64(row).check(Some(expected), Missing::Skipped)
    }
}

/// What one row is to be learned as.
#[derive(Clone, Copy)]
pub(super) enum Target<'a> {
    Class(&'a str),
    Number(f64),
}

pub(super) fn target(
    labels: Option<Labels<'_>>,
    index: usize,
    wanted: Option<Label>,
) -> Result<Option<Target<'_>>, Rejection> {
    let Some(wanted) = wanted else { return Ok(None) };
    match (labels, wanted) {
        (Some(Labels::Classes(words)), Label::Class) => {
            words[index].map(|word| Some(Target::Class(word))).ok_or(Rejection::NoLabel)
        }
        (Some(Labels::Numbers(numbers)), Label::Number) => match numbers[index] {
            number if number.is_nan() => Err(Rejection::NoLabel),
            number if number.abs() > VALUE_MAX => Err(Rejection::BadLabel),
            number => Ok(Some(Target::Number(number))),
        },
        _ => Err(Rejection::NoLabel),
    }
}

/// The rows of a batch that can be learned.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// Where each was in the batch.
    places: Vec<usize>,
    /// Not set if the learner takes the batch as it is.
    store: Option<RowStore>,
    pub(super) classes: Vec<u32>,
    pub(super) targets: Vec<f64>,
    /// Empty if all rows count the same.
    pub(super) weights: Vec<f64>,
}

impl Gathered {
    pub(super) fn rows<'a>(&'a self, batch: &Batch<'a>) -> Features<'a> {
        match (&self.store, batch.columns) {
            (Some(store), _) => store.rows(),
            (None, Columns::Vectors(rows)) => rows,
            (None, Columns::Table(_)) => {
                Features::ragged(&[][..] as &[f64], &[0]).expect("no rows are in order")
            }
        }
    }

    pub(super) fn place(&self, row: usize) -> usize {
        self.places[row]
    }
}
