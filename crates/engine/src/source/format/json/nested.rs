//! Objects and arrays: columns that are made of columns.

use std::sync::Arc;

use datafusion::arrow::array::builder::NullBufferBuilder;
use datafusion::arrow::array::{ArrayRef, ListArray, MapArray, StructArray};
use datafusion::arrow::buffer::{OffsetBuffer, ScalarBuffer};
use datafusion::arrow::datatypes::{DataType, FieldRef, Fields};
use datafusion::arrow::error::ArrowError;
use jiter::{Jiter, Peek};

use crate::source::format::json::column::{Column, column, take, take_usual};
use crate::source::format::json::usual::{Name, Usual};
use crate::source::format::json::{malformed, misfit};
use crate::source::format::wrong;

/// The columns of an object's fields.
pub(super) struct Object {
    fields: Vec<Field>,
    rows: usize,
}

struct Field {
    name: String,
    /// As it mostly stands in JSON.
    usual: Option<Name>,
    column: Box<dyn Column>,
    /// How many values it has: one more than there are rows if the open row has brought one.
    rows: usize,
}

impl Object {
    pub(super) fn new(fields: &Fields, rows: usize) -> Result<Self, ArrowError> {
        let field = |field: &FieldRef| {
            let column = column(field.data_type(), rows)?;
            Ok(Field { name: field.name().clone(), usual: Name::new(field.name()), column, rows: 0 })
        };
        Ok(Object { fields: fields.iter().map(field).collect::<Result<_, ArrowError>>()?, rows: 0 })
    }

    /// Takes one object; its fields that do not come are NULL.
    pub(super) fn row(&mut self, json: &mut Jiter<'_>) -> Result<(), ArrowError> {
        let mut turn = 0;
        let mut name = json.known_object().map_err(malformed)?;
        while let Some(found) = name {
            let field = self.find(found.as_bytes(), turn);
            let next = json.peek().map_err(malformed)?;
            match field {
                Some(index) => {
                    self.fields[index].take(json, next, self.rows)?;
                    turn = index + 1;
                }
                None => json.known_skip(next).map_err(malformed)?,
            }
            name = json.next_key().map_err(malformed)?;
        }
        self.close();
        Ok(())
    }

    /// Takes a whole text, which is UTF-8, if it is an object in a usual form; else nothing.
    pub(super) fn usual_row(&mut self, text: &[u8]) -> bool {
        let (rows, mut json) = (self.rows, Usual::new(text));
        let taken = self.usual(&mut json).is_some() && json.is_done();
        if !taken {
            self.truncate(rows);
        }
        taken
    }

    /// As [`row`](Self::row), of an object in a usual form.
    fn usual(&mut self, json: &mut Usual<'_>) -> Option<()> {
        let mut turn = 0;
        let mut more = json.opens(b'{', b'}')?;
        while more {
            let follows = |field: &Field| field.usual.as_ref().is_some_and(|name| json.named(name));
            let field = match self.fields.get(turn).is_some_and(follows) {
                true => Some(turn),
                false => self.find(json.name()?, turn),
            };
            match field {
                Some(index) => {
                    let field = &mut self.fields[index];
                    if field.rows > self.rows {
                        return None;
                    }
                    field.rows = self.rows + 1;
                    take_usual(field.column.as_mut(), json)?;
                    turn = index + 1;
                }
                None => json.skip()?,
            }
            more = json.goes_on(b'}')?;
        }
        self.close();
        Some(())
    }

    /// Fields that have not come are NULL.
    fn close(&mut self) {
        self.rows += 1;
        for field in &mut self.fields {
            if field.rows < self.rows {
                field.column.null();
                field.rows = self.rows;
            }
        }
    }

    /// A row without an object.
    fn null(&mut self) {
        for field in &mut self.fields {
            field.column.null();
            field.rows += 1;
        }
        self.rows += 1;
    }

    fn truncate(&mut self, rows: usize) {
        for field in &mut self.fields {
            field.column.truncate(rows);
            field.rows = rows;
        }
        self.rows = rows;
    }

    /// Objects mostly have their fields in one order: looks from where the last one was found.
    fn find(&self, name: &[u8], turn: usize) -> Option<usize> {
        let named = |field: &Field| field.name.as_bytes() == name;
        let (before, after) = self.fields.split_at(turn);
        after.iter().position(named).map(|index| index + turn).or_else(|| before.iter().position(named))
    }

    pub(super) fn finish(self) -> Result<Vec<ArrayRef>, ArrowError> {
        self.fields.into_iter().map(|field| field.column.finish()).collect()
    }
}

impl Field {
    fn take(&mut self, json: &mut Jiter<'_>, next: Peek, row: usize) -> Result<(), ArrowError> {
        if self.rows > row {
            self.column.truncate(row);
        }
        self.rows = row + 1;
        take(self.column.as_mut(), json, next).map_err(|error| match error {
            ArrowError::JsonError(reason) if !reason.starts_with("malformed") => {
                wrong(&format!("{}: {reason}", self.name))
            }
            other => other,
        })
    }
}

pub(super) struct Struct {
    fields: Fields,
    object: Object,
    nulls: NullBufferBuilder,
}

impl Struct {
    pub(super) fn new(fields: &Fields, rows: usize) -> Result<Self, ArrowError> {
        let object = Object::new(fields, rows)?;
        Ok(Struct { fields: fields.clone(), object, nulls: NullBufferBuilder::new(rows) })
    }
}

impl Column for Struct {
    fn value(&mut self, json: &mut Jiter<'_>, next: Peek) -> Result<(), ArrowError> {
        if next != Peek::Object {
            return Err(misfit(kind(next), "object"));
        }
        self.object.row(json)?;
        self.nulls.append_non_null();
        Ok(())
    }

    fn usual(&mut self, json: &mut Usual<'_>) -> Option<()> {
        self.object.usual(json)?;
        self.nulls.append_non_null();
        Some(())
    }

    fn text(&mut self, _: &str) -> Result<(), ArrowError> {
        Err(misfit("a string", "object"))
    }

    fn null(&mut self) {
        self.object.null();
        self.nulls.append_null();
    }

    fn truncate(&mut self, rows: usize) {
        self.object.truncate(rows);
        self.nulls.truncate(rows);
    }

    fn finish(mut self: Box<Self>) -> Result<ArrayRef, ArrowError> {
        let (rows, nulls) = (self.object.rows, self.nulls.finish());
        let columns = self.object.finish()?;
        Ok(Arc::new(StructArray::try_new_with_length(self.fields, columns, nulls, rows)?))
    }
}

/// Where the items of each row end.
struct Ends {
    offsets: Vec<i32>,
    nulls: NullBufferBuilder,
    items: usize,
}

impl Ends {
    fn new(rows: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Ends { offsets, nulls: NullBufferBuilder::new(rows), items: 0 }
    }

    fn close(&mut self, valid: bool) -> Result<(), ArrowError> {
        let end = i32::try_from(self.items).map_err(|_| ArrowError::OffsetOverflowError(self.items))?;
        self.offsets.push(end);
        self.nulls.append(valid);
        Ok(())
    }

    /// A row without items, after rows whose end was counted.
    fn null(&mut self) {
        self.offsets.extend_from_within(self.offsets.len() - 1..);
        self.nulls.append_null();
    }

    /// How many items are left.
    fn truncate(&mut self, rows: usize) -> usize {
        self.offsets.truncate(rows + 1);
        self.nulls.truncate(rows);
        self.items = self.offsets.last().map_or(0, |end| usize::try_from(*end).unwrap_or(0));
        self.items
    }

    fn offsets(&mut self) -> OffsetBuffer<i32> {
        OffsetBuffer::new(ScalarBuffer::from(std::mem::take(&mut self.offsets)))
    }
}

pub(super) struct List {
    item: FieldRef,
    items: Box<dyn Column>,
    ends: Ends,
}

impl List {
    pub(super) fn new(item: FieldRef, rows: usize) -> Result<Self, ArrowError> {
        let items = column(item.data_type(), rows)?;
        Ok(List { item, items, ends: Ends::new(rows) })
    }
}

impl Column for List {
    fn value(&mut self, json: &mut Jiter<'_>, next: Peek) -> Result<(), ArrowError> {
        if next != Peek::Array {
            return Err(misfit(kind(next), "array"));
        }
        let mut next = json.known_array().map_err(malformed)?;
        while let Some(item) = next {
            take(self.items.as_mut(), json, item)?;
            self.ends.items += 1;
            next = json.array_step().map_err(malformed)?;
        }
        self.ends.close(true)
    }

    fn usual(&mut self, json: &mut Usual<'_>) -> Option<()> {
        let mut more = json.opens(b'[', b']')?;
        while more {
            take_usual(self.items.as_mut(), json)?;
            self.ends.items += 1;
            more = json.goes_on(b']')?;
        }
        self.ends.close(true).ok()
    }

    fn text(&mut self, _: &str) -> Result<(), ArrowError> {
        Err(misfit("a string", "array"))
    }

    fn null(&mut self) {
        self.ends.null();
    }

    fn truncate(&mut self, rows: usize) {
        self.items.truncate(self.ends.truncate(rows));
    }

    fn finish(mut self: Box<Self>) -> Result<ArrayRef, ArrowError> {
        let (offsets, nulls) = (self.ends.offsets(), self.ends.nulls.finish());
        Ok(Arc::new(ListArray::try_new(self.item, offsets, self.items.finish()?, nulls)?))
    }
}

/// An object whose names are values too.
pub(super) struct Map {
    entries: FieldRef,
    pair: Fields,
    keys: Box<dyn Column>,
    values: Box<dyn Column>,
    ends: Ends,
}

impl Map {
    pub(super) fn new(entries: FieldRef, rows: usize) -> Result<Self, ArrowError> {
        let DataType::Struct(pair) = entries.data_type() else {
            return Err(ArrowError::InvalidArgumentError(format!("a map of {}", entries.data_type())));
        };
        let [key, value] = &**pair else {
            return Err(ArrowError::InvalidArgumentError(format!("a map of {} columns", pair.len())));
        };
        let (keys, values) = (column(key.data_type(), rows)?, column(value.data_type(), rows)?);
        Ok(Map { pair: pair.clone(), entries, keys, values, ends: Ends::new(rows) })
    }
}

impl Column for Map {
    fn value(&mut self, json: &mut Jiter<'_>, next: Peek) -> Result<(), ArrowError> {
        if next != Peek::Object {
            return Err(misfit(kind(next), "object"));
        }
        let mut name = json.known_object().map_err(malformed)?;
        while let Some(key) = name {
            self.keys.text(key)?;
            let next = json.peek().map_err(malformed)?;
            take(self.values.as_mut(), json, next)?;
            self.ends.items += 1;
            name = json.next_key().map_err(malformed)?;
        }
        self.ends.close(true)
    }

    fn usual(&mut self, json: &mut Usual<'_>) -> Option<()> {
        let mut more = json.opens(b'{', b'}')?;
        while more {
            self.keys.text(std::str::from_utf8(json.name()?).ok()?).ok()?;
            take_usual(self.values.as_mut(), json)?;
            self.ends.items += 1;
            more = json.goes_on(b'}')?;
        }
        self.ends.close(true).ok()
    }

    fn text(&mut self, _: &str) -> Result<(), ArrowError> {
        Err(misfit("a string", "object"))
    }

    fn null(&mut self) {
        self.ends.null();
    }

    fn truncate(&mut self, rows: usize) {
        let items = self.ends.truncate(rows);
        self.keys.truncate(items);
        self.values.truncate(items);
    }

    fn finish(mut self: Box<Self>) -> Result<ArrayRef, ArrowError> {
        let items = self.ends.items;
        let (offsets, nulls) = (self.ends.offsets(), self.ends.nulls.finish());
        let pair = vec![self.keys.finish()?, self.values.finish()?];
        let entries = StructArray::try_new_with_length(self.pair, pair, None, items)?;
        Ok(Arc::new(MapArray::try_new(self.entries, offsets, entries, nulls, false)?))
    }
}

/// What a value is, by its first byte.
pub(super) fn kind(next: Peek) -> &'static str {
    match next {
        Peek::Object => "an object",
        Peek::Array => "an array",
        Peek::String => "a string",
        Peek::True | Peek::False => "a boolean",
        _ => "a number",
    }
}
