//! What a name means: a column, a field of one, a parameter of a lambda function; and parts of values.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::Column as PlanColumn;
use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::{Expr, lit};
use datafusion::prelude::cast;

use crate::error::{Class, Result, SparkError};
use crate::expression::{Named, Resolver, name};
use crate::plan::frame::{Column, Frame, of_relation};
use crate::wire::expression::{ExprType, Expression, LiteralType};

/// A field of a struct.
pub(crate) fn get(expr: Expr, name: &str) -> Expr {
    get_field(expr, name)
}

impl Resolver<'_> {
    /// A column by its name, or a field in one.
    pub(crate) fn attribute(&self, text: &str, plan: Option<i64>) -> Result<Named> {
        let parts = name::parts(text)?;
        if let Some(variable) = self.variable_at(&parts)? {
            return Ok(variable);
        }
        if let Some(named) = self.column(self.columns, &parts, plan, None)? {
            return Ok(named);
        }
        for frame in self.outer.iter().rev() {
            if let Some(named) = self.column(&frame.columns, &parts, None, Some(frame))? {
                return Ok(named);
            }
        }
        if let Some(value) = self.python.variable(&parts) {
            let name = parts.last().cloned().unwrap_or_default();
            return Ok(Named::new(Expr::Literal(value.clone(), None), name));
        }
        let shown = parts.join("`.`");
        Err(SparkError::column(
            &shown,
            &self.columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>(),
        ))
    }

    /// A column of these, or a field in one; of a query around this one, if its frame is given.
    fn column(
        &self,
        columns: &[Column],
        parts: &[String],
        plan: Option<i64>,
        around: Option<&Frame>,
    ) -> Result<Option<Named>> {
        // A longer qualifier wins over a field.
        for qualifier in (0..parts.len()).rev() {
            let found = columns_called(columns, &parts[..qualifier], &parts[qualifier], plan);
            let Some(first) = found.first() else { continue };
            if found.iter().any(|column| column.id != first.id) {
                return Err(ambiguous(parts, &found));
            }
            let known = around.map_or(self.schema, |frame| frame.plan.schema());
            let first = first.asked(parts[..qualifier].last(), plan, known);
            let column = Column { name: parts[qualifier].clone(), ..first.clone() };
            let mut named = match around {
                None => {
                    Named { source: Some(column.clone()), ..Named::new(column.expr(), column.name.clone()) }
                }
                Some(frame) => Self::around(frame, &column),
            };
            for field in &parts[qualifier + 1..] {
                named = self.field(named, field)?;
            }
            return Ok(Some(named));
        }
        Ok(None)
    }

    /// A column of a query around this one.
    pub(super) fn around(frame: &Frame, column: &Column) -> Named {
        let name = PlanColumn::new_unqualified(&column.id);
        let expr = Expr::OuterReferenceColumn(frame.field(column), name);
        let shown = format!("outer({})", column.name);
        Named { column: Some(column.name.clone()), ..Named::new(expr, shown) }
    }

    /// A field, whatever its case.
    pub(super) fn field(&self, named: Named, wanted: &str) -> Result<Named> {
        let whole = format!("{}.{wanted}", named.name);
        let data_type = self.type_of(&named.expr)?;
        let expr = match &data_type {
            DataType::Struct(fields) => {
                let found = fields.iter().find(|field| field.name().eq_ignore_ascii_case(wanted));
                let found = found.ok_or_else(|| no_field(wanted, fields.iter().map(|field| field.name())))?;
                get(named.expr, found.name())
            }
            DataType::Map(..) => self.value_of(named.expr, lit(wanted))?,
            // An array of structs: the field of each.
            DataType::List(item) if matches!(item.data_type(), DataType::Struct(_)) => {
                return Err(SparkError::unsupported(format!("{whole}, a field of every struct in an array")));
            }
            other => {
                let text = format!(
                    "Can't extract a value from \"{}\". Need a complex type [STRUCT, ARRAY, MAP] but got \"{}\".",
                    named.name,
                    crate::schema::name(other)
                );
                return Err(SparkError::new(
                    Class::Analysis,
                    "INVALID_EXTRACT_BASE_FIELD_TYPE",
                    "42000",
                    text,
                ));
            }
        };
        Ok(Named { column: Some(wanted.to_owned()), ..Named::new(expr, whole) })
    }

    /// `value[key]`.
    pub(super) fn extract(&self, child: Named, key: &Expression) -> Result<Named> {
        if let Some(ExprType::Literal(literal)) = &key.expr_type
            && let Some(LiteralType::String(field)) = &literal.literal_type
            && matches!(self.type_of(&child.expr)?, DataType::Struct(_))
        {
            let named = self.field(child, field)?;
            return Ok(Named { column: None, ..named });
        }
        let key = self.named(key)?;
        let name = format!("{}[{}]", child.name, key.name);
        let expr = match self.type_of(&child.expr)? {
            DataType::List(_) => {
                let index = cast(key.expr, DataType::Int64) + lit(1_i64);
                // Spark counts from 0 and knows no places from behind.
                let place = datafusion::prelude::when(index.clone().gt(lit(0_i64)), index).end()?;
                self.udf("array_element")?.call(vec![child.expr, place])
            }
            DataType::Map(..) => self.value_of(child.expr, key.expr)?,
            DataType::Struct(_) => return Err(SparkError::invalid("A field is named by a string.")),
            _ => {
                return Err(SparkError::invalid(format!(
                    "{name}: only arrays, maps and structs have parts."
                )));
            }
        };
        Ok(Named::new(expr, name))
    }

    /// What a map has under a key.
    pub(super) fn value_of(&self, map: Expr, key: Expr) -> Result<Expr> {
        let DataType::Map(entries, _) = self.type_of(&map)? else {
            return Err(SparkError::invalid("This is no map."));
        };
        let DataType::Struct(parts) = entries.data_type() else {
            return Err(SparkError::invalid("This is no map."));
        };
        let key = cast(key, parts[0].data_type().clone());
        let list = self.udf("map_extract")?.call(vec![map, key]);
        Ok(self.udf("array_element")?.call(vec![list, lit(1_i64)]))
    }
}

fn columns_called<'c>(
    columns: &'c [Column],
    qualifier: &[String],
    name: &str,
    plan: Option<i64>,
) -> Vec<&'c Column> {
    let called = |column: &&Column| {
        column.name.eq_ignore_ascii_case(name)
            && qualifier
                .last()
                .is_none_or(|wanted| column.qualifiers.iter().any(|known| known.eq_ignore_ascii_case(wanted)))
    };
    let all: Vec<&Column> = columns.iter().filter(called).collect();
    let own = plan.map(|plan| of_relation(all.clone(), plan)).unwrap_or_default();
    if own.is_empty() { all } else { own }
}

fn ambiguous(parts: &[String], found: &[&Column]) -> SparkError {
    let name = parts.join("`.`");
    let could = found.iter().map(|column| {
        let qualifier = column.qualifiers.first().map(|name| format!("`{name}`.")).unwrap_or_default();
        format!("{qualifier}`{}`", column.name)
    });
    let could = could.collect::<Vec<_>>().join(", ");
    let text = format!("Reference `{name}` is ambiguous, could be: [{could}].");
    SparkError::new(Class::Analysis, "AMBIGUOUS_REFERENCE", "42704", text)
        .with("name", format!("`{name}`"))
        .with("referenceNames", format!("[{could}]"))
}

pub(super) fn no_field<'a>(wanted: &str, known: impl Iterator<Item = &'a String>) -> SparkError {
    let known = known.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let text = format!("No such struct field `{wanted}` in {known}.");
    SparkError::new(Class::Analysis, "FIELD_NOT_FOUND", "42704", text)
        .with("fieldName", format!("`{wanted}`"))
        .with("fields", known)
}
