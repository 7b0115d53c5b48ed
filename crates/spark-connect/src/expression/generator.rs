//! Functions that make several rows of one: `explode` and its kin.

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::{Expr, lit};
use datafusion::prelude::when;

use crate::error::{Result, SparkError};
use crate::expression::{Named, Resolver, field};

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
        if !matches!(base, "explode" | "posexplode" | "inline") {
            return Ok(None);
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
