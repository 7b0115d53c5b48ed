//! Functions that make several rows of one: `explode` and its kin.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, lit};
use datafusion::prelude::when;

use crate::error::{Result, SparkError};
use crate::expression::{Named, Resolver, field};

/// Those there are, by name.
pub(crate) const GENERATORS: [&str; 10] = [
    "explode",
    "explode_outer",
    "inline",
    "inline_outer",
    "json_tuple",
    "json_tuple_outer",
    "posexplode",
    "posexplode_outer",
    "stack",
    "stack_outer",
];

/// What a generator does with its argument.
#[derive(Debug, Clone)]
pub(crate) struct Generator {
    /// The list whose items become rows.
    pub(crate) list: Expr,
    /// The places of the items, counted from 0, if they are wanted.
    pub(crate) places: Option<Expr>,
    /// A row without items becomes one with nulls.
    pub(crate) outer: bool,
    /// What becomes of an item: columns by name, from its fields; or the item itself.
    pub(crate) fields: Vec<(String, Option<String>)>,
}

impl Resolver<'_> {
    pub(super) fn generator(&self, name: &str, arguments: &[Named]) -> Result<Option<Named>> {
        let (base, outer) = match name.strip_suffix("_outer") {
            Some(base) => (base, true),
            None => (name, false),
        };
        match base {
            "explode" | "posexplode" | "inline" => {}
            "stack" => return self.stacked(name, outer, arguments).map(Some),
            "json_tuple" => return self.tuple(name, outer, arguments).map(Some),
            _ => return Ok(None),
        }
        let [argument] = arguments else {
            return Err(SparkError::invalid(format!("{name} takes one argument.")));
        };
        let mut list = argument.expr.clone();
        let fields = match (self.type_of(&list)?, base) {
            (DataType::Map(..), "explode" | "posexplode") => {
                list = self.udf("map_entries")?.call(vec![list]);
                ["key", "value"].map(|part| (part.to_owned(), Some(part.to_owned()))).to_vec()
            }
            (DataType::List(item), "inline") => match item.data_type() {
                DataType::Struct(fields) => {
                    fields.iter().map(|field| (field.name().clone(), Some(field.name().clone()))).collect()
                }
                _ => return Err(SparkError::invalid("inline takes an array of structs.")),
            },
            (DataType::List(_), _) => vec![("col".to_owned(), None)],
            (other, _) => {
                let text = format!(
                    "Cannot resolve \"{name}({})\" due to data type mismatch: The first parameter requires the \
                     (\"ARRAY\" or \"MAP\") type, however \"{}\" has the type \"{}\".",
                    argument.name,
                    argument.name,
                    crate::schema::name(&other)
                );
                return Err(SparkError::new(
                    crate::error::Class::Analysis,
                    "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
                    "42K09",
                    text,
                ));
            }
        };
        if outer {
            // An empty list has no item either.
            let length = self.udf("array_length")?.call(vec![list.clone()]);
            list = when(length.gt(lit(0_u64)), list.clone()).end()?;
        }
        let places = match base {
            "posexplode" => {
                let length = self.udf("array_length")?.call(vec![list.clone()]);
                let end = datafusion::prelude::cast(length, DataType::Int64);
                Some(self.udf("range")?.call(vec![lit(0_i64), end]))
            }
            _ => None,
        };
        let generator = Generator { list, places, outer, fields };
        let shown = format!("{name}({})", argument.name);
        Ok(Some(Named { generator: Some(generator), ..Named::new(argument.expr.clone(), shown) }))
    }
}

impl Resolver<'_> {
    /// `stack(2, a, b, c, d)`: two rows of two columns.
    fn stacked(&self, name: &str, outer: bool, arguments: &[Named]) -> Result<Named> {
        let wrong = || SparkError::invalid("stack takes a number of rows above 0, and values.");
        let (rows, values) = arguments.split_first().ok_or_else(wrong)?;
        let Expr::Literal(rows_wanted, _) = &rows.expr else { return Err(wrong()) };
        let rows_wanted = rows_wanted.cast_to(&DataType::Int64).ok().and_then(|rows| match rows {
            ScalarValue::Int64(Some(rows)) => usize::try_from(rows).ok().filter(|rows| *rows > 0),
            _ => None,
        });
        let rows_wanted = rows_wanted.ok_or_else(wrong)?;
        let width = values.len().div_ceil(rows_wanted);
        let mut types = vec![DataType::Null; width];
        for (at, value) in values.iter().enumerate() {
            let (place, found) = (at % width, self.type_of(&value.expr)?);
            types[place] = match &types[place] {
                DataType::Null => found,
                known => crate::plan::common_type(known, &found).unwrap_or(found),
            };
        }
        let mut structs = Vec::with_capacity(rows_wanted);
        for row in 0..rows_wanted {
            let mut parts = Vec::with_capacity(2 * width);
            for (column, wanted) in types.iter().enumerate() {
                let value = values.get(row * width + column);
                let value = value.map_or_else(|| lit(ScalarValue::Null), |value| value.expr.clone());
                parts.extend([lit(format!("col{column}")), datafusion::prelude::cast(value, wanted.clone())]);
            }
            structs.push(self.udf("named_struct")?.call(parts));
        }
        let list = self.udf("make_array")?.call(structs);
        let fields = (0..width).map(|column| format!("col{column}")).map(|name| (name.clone(), Some(name)));
        let generator = Generator { list, places: None, outer, fields: fields.collect() };
        let names: Vec<&str> = arguments.iter().map(|argument| argument.name.as_str()).collect();
        let shown = format!("{name}({})", names.join(", "));
        Ok(Named { generator: Some(generator), ..Named::new(rows.expr.clone(), shown) })
    }

    /// `json_tuple(json, 'a', 'b')`: one row, with a column for each name.
    fn tuple(&self, name: &str, outer: bool, arguments: &[Named]) -> Result<Named> {
        let parts = self.udf("json_tuple")?.call(arguments.iter().map(|one| one.expr.clone()).collect());
        let DataType::Struct(known) = self.type_of(&parts)? else {
            return Err(SparkError::internal("json_tuple makes a struct"));
        };
        let named = |(at, field): (usize, &datafusion::arrow::datatypes::FieldRef)| {
            (format!("c{at}"), Some(field.name().clone()))
        };
        let fields = known.iter().enumerate().map(named).collect();
        let list = self.udf("make_array")?.call(vec![parts.clone()]);
        let generator = Generator { list, places: None, outer, fields };
        let names: Vec<&str> = arguments.iter().map(|argument| argument.name.as_str()).collect();
        let shown = format!("{name}({})", names.join(", "));
        Ok(Named { generator: Some(generator), ..Named::new(parts, shown) })
    }
}

impl Generator {
    /// The columns that the generator gives, from an item and its place.
    pub(crate) fn columns(&self, item: &Expr, place: Option<&Expr>) -> Vec<(String, Expr)> {
        let place =
            place.map(|place| ("pos".to_owned(), datafusion::prelude::cast(place.clone(), DataType::Int32)));
        let of_item = self.fields.iter().map(|(name, field)| {
            let expr = field.as_ref().map_or_else(|| item.clone(), |field| field::get(item.clone(), field));
            (name.clone(), expr)
        });
        place.into_iter().chain(of_item).collect()
    }
}
