//! `PIVOT` and `UNPIVOT` behind a table.

use datafusion::sql::sqlparser::ast::{Expr, ExprWithAlias, NullInclusion, PivotValueSource, TableFactor};

use crate::error::{Result, SparkError};
use crate::expression::{Named, build};
use crate::plan::frame::{Column, Frame};
use crate::plan::{Planner, filtered, whole};
use crate::sql::Arguments;
use crate::sql::select::{named, unqualified};
use crate::wire::expression::Expression;
use crate::wire::statistics::{Unpivot, UnpivotValues};

impl Planner<'_> {
    pub(super) fn turned(
        &mut self,
        frame: Frame,
        factor: &TableFactor,
        arguments: &Arguments,
    ) -> Result<Frame> {
        match factor {
            TableFactor::Pivot { aggregate_functions, value_column, value_source, alias, .. } => {
                let PivotValueSource::List(values) = value_source else {
                    return Err(SparkError::unsupported("PIVOT over values that are asked for"));
                };
                let frame = self.pivot(frame, aggregate_functions, value_column, values, arguments)?;
                named(unqualified(frame), alias.as_ref())
            }
            TableFactor::Unpivot { value, name, columns, null_inclusion, alias, .. } => {
                let Expr::Identifier(value) = value else {
                    return Err(SparkError::unsupported("UNPIVOT of several columns at once"));
                };
                let names = (name.value.as_str(), value.value.as_str());
                let keeps = matches!(null_inclusion, Some(NullInclusion::IncludeNulls));
                let frame = self.unpivoted(&frame, names, columns, keeps, arguments)?;
                named(unqualified(frame), alias.as_ref())
            }
            other => Err(SparkError::unsupported(format!("the table {other}"))),
        }
    }

    fn pivot(
        &mut self,
        frame: Frame,
        functions: &[ExprWithAlias],
        by: &[Expr],
        values: &[ExprWithAlias],
        arguments: &Arguments,
    ) -> Result<Frame> {
        let functions = self.aliased_list(&frame, functions, arguments)?;
        let by: Vec<Expr> = match by {
            [Expr::Tuple(several)] => several.clone(),
            one => one.to_vec(),
        };
        let mut reader = self.reader(arguments);
        let by = by.iter().map(|column| reader.expression(column)).collect::<Result<Vec<_>>>()?;
        let by = self.resolver(&frame).list(&by)?;
        let mut wanted = Vec::new();
        for value in values {
            let shown = self.aliased_list(&frame, std::slice::from_ref(value), arguments)?;
            let parts: Vec<Expr> = match &value.expr {
                Expr::Tuple(several) if several.len() == by.len() => several.clone(),
                one => vec![one.clone()],
            };
            let mut reader = self.reader(arguments);
            let parts = parts.iter().map(|part| reader.expression(part)).collect::<Result<Vec<_>>>()?;
            let parts = self.resolver(&frame).list(&parts)?;
            if parts.len() != by.len() {
                return Err(SparkError::invalid("The values of PIVOT are as many as its columns."));
            }
            let fits = by.iter().zip(&parts).map(|(column, part)| {
                datafusion::logical_expr::binary_expr(
                    column.expr.clone(),
                    datafusion::logical_expr::Operator::IsNotDistinctFrom,
                    part.expr.clone(),
                )
            });
            let fits = fits.reduce(datafusion::logical_expr::Expr::and);
            let fits = fits.ok_or_else(|| SparkError::invalid("PIVOT has no columns."))?;
            let name = shown.first().map(|named| named.column_name().to_owned()).unwrap_or_default();
            wanted.push((fits, name));
        }
        let used = |column: &&Column| {
            let mut exprs = functions.iter().chain(&by).map(|named| &named.expr);
            exprs.any(|expr| expr.column_refs().iter().any(|known| known.name == column.id))
        };
        let groups: Vec<Named> = frame.columns.iter().filter(|column| !used(column)).map(whole).collect();
        let mut outputs = groups.clone();
        for (fits, name) in &wanted {
            outputs.extend(crate::plan::pivot_columns(fits, name, &functions)?);
        }
        self.aggregate(frame, &groups, outputs)
    }

    fn aliased_list(
        &mut self,
        frame: &Frame,
        items: &[ExprWithAlias],
        arguments: &Arguments,
    ) -> Result<Vec<Named>> {
        let mut reader = self.reader(arguments);
        let read = |item: &ExprWithAlias| -> Result<Expression> {
            let read = reader.expression(&item.expr)?;
            Ok(match &item.alias {
                Some(alias) => build::alias(read, vec![alias.value.clone()]),
                None => read,
            })
        };
        let items = items.iter().map(read).collect::<Result<Vec<_>>>()?;
        self.resolver(frame).list(&items)
    }

    fn unpivoted(
        &mut self,
        frame: &Frame,
        (name, value): (&str, &str),
        columns: &[ExprWithAlias],
        keeps_nulls: bool,
        arguments: &Arguments,
    ) -> Result<Frame> {
        let values = self.aliased_list(frame, columns, arguments)?;
        let used = |column: &&Column| values.iter().any(|value| value.expr == column.expr());
        let attribute = |column: &Column| {
            build::attribute(&crate::expression::name_quoted(std::slice::from_ref(&column.name)))
        };
        let ids = frame.columns.iter().filter(|column| !used(column)).map(attribute).collect();
        let mut reader = self.reader(arguments);
        let mut read = Vec::new();
        for item in columns {
            let column = reader.expression(&item.expr)?;
            read.push(match &item.alias {
                Some(alias) => build::alias(column, vec![alias.value.clone()]),
                None => column,
            });
        }
        let unpivot = Unpivot {
            ids,
            values: Some(UnpivotValues { values: read }),
            variable_column_name: name.to_owned(),
            value_column_name: value.to_owned(),
            ..Default::default()
        };
        let made = self.unpivot(frame, &unpivot)?;
        if keeps_nulls {
            return Ok(made);
        }
        let known = made.columns.last().map(|column| column.expr().is_not_null());
        match known {
            Some(known) => filtered(made, known),
            None => Ok(made),
        }
    }
}
