//! Names that a list gives and uses: `SELECT id + 1 AS x, x * 2 AS y`.

use std::collections::HashMap;

use datafusion::arrow::datatypes::Field;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::Expr;

use crate::error::Result;
use crate::expression::Named;
use crate::plan::Planner;
use crate::plan::frame::{Column, Frame};
use crate::wire::expression::Expression;
use crate::wire::relation::{RelType, Relation};

/// Whether expressions of a relation may name relations that ask its rows.
pub(super) fn may_be_asked(kind: Option<&RelType>) -> bool {
    matches!(
        kind,
        Some(
            RelType::Project(_)
                | RelType::Filter(_)
                | RelType::WithColumns(_)
                | RelType::Sort(_)
                | RelType::Aggregate(_)
        )
    )
}

impl Planner<'_> {
    /// The frame below an operator, and those of the relations that the operator's expressions name: they may ask its rows.
    pub(super) async fn input_frame(&mut self, below: &Relation) -> Result<Frame> {
        let pending = std::mem::take(&mut self.pending);
        let frame = self.relation(below).await?;
        for (number, relation) in pending {
            self.outer.push(frame.clone());
            let asked = self.relation(&relation).await;
            self.outer.pop();
            self.subqueries.push((number, asked?));
        }
        Ok(frame)
    }

    /// A list in which an expression may name those before it.
    pub(crate) fn list(&self, frame: &Frame, expressions: &[Expression]) -> Result<Vec<Named>> {
        let mut list = Vec::with_capacity(expressions.len());
        for expression in expressions {
            let found = self.resolver(frame).list(std::slice::from_ref(expression)).or_else(|error| {
                let named = if list.is_empty() { None } else { self.by_alias(frame, &list, expression) };
                named.map(|named| vec![named]).ok_or(error)
            });
            list.extend(found?);
        }
        Ok(list)
    }

    /// The expression over the frame, with the names that a list gives in the place of what they stand for. What is another
    /// value each time that it is asked has no name here.
    pub(crate) fn by_alias(&self, frame: &Frame, list: &[Named], expression: &Expression) -> Option<Named> {
        let mut columns: Vec<Column> = frame.columns.clone();
        let mut fields: Vec<Field> = Vec::new();
        for named in list.iter().filter(|named| named.generator.is_none() && !named.expr.is_volatile()) {
            let name = named.column_name();
            // A column of the input comes first, and so does the first of several aliases.
            if columns.iter().any(|column| column.name.eq_ignore_ascii_case(name)) {
                continue;
            }
            let kind = self.resolver(frame).type_of(&named.expr).ok()?;
            columns.push(Column::new(name, format!("@{name}")));
            fields.push(Field::new(format!("@{name}"), kind, true));
        }
        let aliases = DFSchema::from_unqualified_fields(fields.into(), HashMap::new()).ok()?;
        let schema = frame.plan.schema().join(&aliases).ok()?;
        let mut resolver = self.resolver(frame);
        resolver.columns = &columns;
        resolver.schema = &schema;
        let named = resolver.named(expression).ok()?;
        let expr = named.expr.transform_up(|inner| {
            let Expr::Column(column) = &inner else { return Ok(Transformed::no(inner)) };
            let alias = column.name.strip_prefix('@');
            let meant = alias.and_then(|alias| list.iter().find(|named| named.column_name() == alias));
            Ok(match meant {
                Some(named) => Transformed::yes(named.expr.clone()),
                None => Transformed::no(inner),
            })
        });
        Some(Named { expr: expr.ok()?.data, source: None, ..named })
    }
}
