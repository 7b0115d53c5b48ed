//! `df.na`: values that are missing, or stand for it; and columns turned into rows.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::{Expr, lit};
use datafusion::prelude::{cast, when};

use crate::error::{Result, SparkError};
use crate::expression::{Named, literal};
use crate::plan::frame::{Column, Frame};
use crate::plan::project::whole;
use crate::plan::{Planner, filtered};
use crate::wire::statistics::{NADrop, NAFill, NAReplace, Unpivot};

fn meant(columns: &[String], column: &Column) -> bool {
    columns.is_empty() || columns.iter().any(|name| name.eq_ignore_ascii_case(&column.name))
}

/// Whether a value of one type may stand in a column of the other.
fn fits(value: &DataType, column: &DataType) -> bool {
    value == column || value.is_numeric() && column.is_numeric()
}

impl Planner<'_> {
    pub(crate) fn fill(&mut self, frame: Frame, fill: &NAFill) -> Result<Frame> {
        let values = fill.values.iter().map(literal::value).collect::<Result<Vec<_>>>()?;
        let mut list = Vec::new();
        for column in &frame.columns {
            let value = match values.as_slice() {
                [value] => meant(&fill.cols, column).then_some(value),
                _ => {
                    let place = fill.cols.iter().position(|name| name.eq_ignore_ascii_case(&column.name));
                    place.and_then(|place| values.get(place))
                }
            };
            let data_type = frame.data_type(column);
            list.push(match value.filter(|value| fits(&value.data_type(), &data_type)) {
                Some(value) => {
                    let value = Expr::Literal(value.cast_to(&data_type)?, None);
                    Named::new(coalesce(vec![column.expr(), value]), &column.name)
                }
                None => whole(column),
            });
        }
        self.projected(frame, list)
    }

    pub(crate) fn replace(&mut self, frame: Frame, replace: &NAReplace) -> Result<Frame> {
        let mut pairs = Vec::new();
        for replacement in &replace.replacements {
            let value = |part: &Option<Box<_>>| {
                literal::value(part.as_deref().ok_or_else(|| SparkError::missing("value"))?)
            };
            pairs.push((value(&replacement.old_value)?, value(&replacement.new_value)?));
        }
        let mut list = Vec::new();
        for column in &frame.columns {
            let data_type = frame.data_type(column);
            let of_column: Vec<&(ScalarValue, ScalarValue)> =
                pairs.iter().filter(|(old, _)| fits(&old.data_type(), &data_type)).collect();
            if !meant(&replace.cols, column) || of_column.is_empty() {
                list.push(whole(column));
                continue;
            }
            let mut expr = column.expr();
            for (old, new) in of_column.into_iter().rev() {
                let new = Expr::Literal(new.cast_to(&data_type)?, None);
                let same = column.expr().eq(Expr::Literal(old.clone(), None));
                expr = when(same, new).otherwise(expr)?;
            }
            list.push(Named::new(expr, &column.name));
        }
        self.projected(frame, list)
    }

    pub(crate) fn unpivot(&mut self, frame: &Frame, unpivot: &Unpivot) -> Result<Frame> {
        let ids = self.resolver(frame).list(&unpivot.ids)?;
        let values = match &unpivot.values {
            Some(values) => self.resolver(frame).list(&values.values)?,
            None => {
                let used = |column: &&Column| !ids.iter().any(|id| id.expr == column.expr());
                frame.columns.iter().filter(used).map(whole).collect()
            }
        };
        let mut union: Option<Frame> = None;
        for value in values {
            let mut list = ids.clone();
            list.push(Named::new(lit(value.column_name()), &unpivot.variable_column_name));
            list.push(Named::new(value.expr.clone(), &unpivot.value_column_name));
            let part = self.projected(frame.clone(), list)?;
            union = Some(match union {
                Some(whole) => self.combine(whole, part, super::set::UNION, true)?,
                None => part,
            });
        }
        union.ok_or_else(|| {
            SparkError::invalid("At least one value column needs to be specified for UNPIVOT.")
        })
    }
}

/// Without rows that have too few values.
pub(crate) fn drop_rows(frame: Frame, drop: &NADrop) -> Result<Frame> {
    let columns: Vec<&Column> = frame.columns.iter().filter(|column| meant(&drop.cols, column)).collect();
    let least = drop.min_non_nulls.unwrap_or_else(|| i32::try_from(columns.len()).unwrap_or(i32::MAX));
    let present = columns.iter().map(|column| {
        // A number that is none is missing too.
        let there = if frame.data_type(column).is_floating() {
            column
                .expr()
                .is_not_null()
                .and(datafusion::functions::math::expr_fn::isnan(column.expr()).is_not_true())
        } else {
            column.expr().is_not_null()
        };
        cast(there, DataType::Int32)
    });
    let Some(count) = present.reduce(|sum, one| sum + one) else { return Ok(frame) };
    filtered(frame, count.gt_eq(lit(least)))
}
