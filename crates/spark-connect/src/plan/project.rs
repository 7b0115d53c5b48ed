//! Columns chosen, computed, renamed, dropped.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::common::UnnestOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::utils::{find_aggregate_exprs, find_window_exprs};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Projection};
use datafusion::prelude::cast;

use crate::error::{Class, Result, SparkError};
use crate::expression::{Generator, Named};
use crate::plan::frame::{Column, Frame, column};
use crate::plan::{Planner, filtered};
use crate::schema::{self, canonical};
use crate::wire::expression::{Alias, ExprType, Expression};
use crate::wire::relation::{Drop, WithColumnsRenamedRename};

impl Planner<'_> {
    pub(crate) fn select(&mut self, frame: Frame, expressions: &[Expression]) -> Result<Frame> {
        let list = self.list(&frame, expressions)?;
        self.chosen(frame, list)
    }

    /// A frame of these columns.
    pub(crate) fn chosen(&mut self, frame: Frame, list: Vec<Named>) -> Result<Frame> {
        let grouped = find_aggregate_exprs(list.iter().map(|named| &named.expr));
        if !grouped.is_empty() {
            return self.aggregate(frame, &[], list);
        }
        let (frame, list) = self.generated(frame, list)?;
        let (frame, list) = self.windowed(frame, list)?;
        let (frame, list) = self.once(frame, list)?;
        self.projected(frame, list)
    }

    /// Without aggregates, generators and windows.
    pub(crate) fn projected(&mut self, frame: Frame, list: Vec<Named>) -> Result<Frame> {
        let mut taken = HashSet::new();
        let (mut exprs, mut columns) = (Vec::new(), Vec::new());
        let mut sides = Vec::new();
        for named in list {
            let name = named.column_name().to_owned();
            if let Some(source) = named.source.filter(|source| taken.insert(source.id.clone())) {
                exprs.push(source.expr());
                sides.extend(source.sides.iter().map(|side| side.id.clone()));
                columns.push(source.renamed(name));
                continue;
            }
            let id = self.new_id();
            exprs.push(self.settled(&frame, named.expr)?.alias(&id));
            columns.push(Column::new(name, id));
        }
        // Asked for by nobody yet, as `r.id` behind a join by `id`.
        let known = frame.plan.schema();
        sides.retain(|side| known.has_column_with_unqualified_name(side) && taken.insert(side.clone()));
        exprs.extend(sides.iter().map(|side| column(side)));
        let plan = match merged(&frame.plan, &exprs)? {
            Some(plan) => plan,
            None => LogicalPlanBuilder::from(frame.plan).project(exprs)?.build()?,
        };
        Ok(Frame { plan, columns })
    }

    /// In a type that Spark has.
    pub(crate) fn settled(&self, frame: &Frame, expr: Expr) -> Result<Expr> {
        let found = self.resolver(frame).type_of(&expr)?;
        let wanted = canonical(&found);
        Ok(if wanted == found { expr } else { cast(expr, wanted) })
    }

    /// Rows made by a generator, with its columns in the list.
    fn generated(&mut self, frame: Frame, list: Vec<Named>) -> Result<(Frame, Vec<Named>)> {
        match list.iter().filter(|named| named.generator.is_some()).count() {
            0 => return Ok((frame, list)),
            1 => {}
            _ => {
                let text = "Only one generator is allowed in the select clause.";
                return Err(SparkError::new(
                    Class::Analysis,
                    "UNSUPPORTED_GENERATOR.MULTI_GENERATOR",
                    "42K0E",
                    text,
                ));
            }
        }
        let (mut frame, mut whole) = (frame, Vec::new());
        for mut named in list {
            let Some(generator) = named.generator.take() else {
                whole.push(named);
                continue;
            };
            let (unnested, made) = self.unnest(frame, &generator)?;
            frame = unnested;
            let names = &named.aliases;
            let fits = names.is_empty() || names.len() == made.len();
            if !fits {
                let text =
                    format!("The generator makes {} columns, {} aliases are given.", made.len(), names.len());
                return Err(SparkError::new(Class::Analysis, "UDTF_ALIAS_NUMBER_MISMATCH", "42802", text));
            }
            for (index, (name, expr)) in made.into_iter().enumerate() {
                whole.push(Named::new(expr, names.get(index).cloned().unwrap_or(name)));
            }
        }
        Ok((frame, whole))
    }

    /// A row for each item, and what the generator gives of it.
    pub(crate) fn unnest(
        &mut self,
        frame: Frame,
        generator: &Generator,
    ) -> Result<(Frame, Vec<(String, Expr)>)> {
        let item = self.new_id();
        let mut exprs: Vec<Expr> = frame.columns.iter().map(Column::expr).collect();
        exprs.push(generator.list.clone().alias(&item));
        let mut lists = vec![item.as_str().into()];
        let place = generator.places.as_ref().map(|places| {
            let id = self.new_id();
            exprs.push(places.clone().alias(&id));
            lists.push(id.as_str().into());
            column(&id)
        });
        let options = UnnestOptions::new().with_preserve_nulls(generator.outer);
        let plan = LogicalPlanBuilder::from(frame.plan)
            .project(exprs)?
            .unnest_columns_with_options(lists, options)?
            .build()?;
        let made = generator.columns(&column(&item), place.as_ref());
        Ok((Frame { plan, columns: frame.columns }, made))
    }

    /// Window functions computed, their columns in the list.
    fn windowed(&mut self, frame: Frame, mut list: Vec<Named>) -> Result<(Frame, Vec<Named>)> {
        let windows = find_window_exprs(list.iter().map(|named| &named.expr));
        if windows.is_empty() {
            return Ok((frame, list));
        }
        let plan = LogicalPlanBuilder::window_plan(frame.plan, windows.clone())?;
        for named in &mut list {
            let expr = std::mem::take(&mut named.expr);
            let replaced = expr.transform_down(|inner| {
                Ok(if windows.contains(&inner) {
                    Transformed::yes(column(&inner.schema_name().to_string()))
                } else {
                    Transformed::no(inner)
                })
            });
            named.expr = replaced?.data;
        }
        Ok((Frame { plan, columns: frame.columns }, list))
    }

    pub(crate) fn filter(&mut self, frame: Frame, condition: &Expression) -> Result<Frame> {
        let condition = self.resolver(&frame).named(condition)?;
        let found = self.resolver(&frame).type_of(&condition.expr)?;
        if !matches!(
            found,
            datafusion::arrow::datatypes::DataType::Boolean | datafusion::arrow::datatypes::DataType::Null
        ) {
            let text = format!(
                "Filter expression \"{}\" of type \"{}\" is not a boolean.",
                condition.name,
                schema::name(&found)
            );
            return Err(SparkError::new(
                Class::Analysis,
                "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN",
                "42K09",
                text,
            ));
        }
        filtered(frame, condition.expr)
    }

    pub(crate) fn with_columns(&mut self, frame: Frame, aliases: &[Alias]) -> Result<Frame> {
        let resolver = self.resolver(&frame);
        let mut list: Vec<Named> = frame.columns.iter().map(whole).collect();
        for alias in aliases {
            let expression =
                Expression { expr_type: Some(ExprType::Alias(Box::new(alias.clone()))), common: None };
            let named = resolver.named(&expression)?;
            let named = Named { source: None, ..named };
            let name = named.column_name().to_owned();
            let mut replaced = false;
            for known in list.iter_mut().take(frame.columns.len()) {
                if known.column_name().eq_ignore_ascii_case(&name) {
                    *known = named.clone();
                    replaced = true;
                }
            }
            if !replaced {
                list.push(named);
            }
        }
        self.chosen(frame, list)
    }

    pub(crate) fn drop_columns(&mut self, frame: Frame, drop: &Drop) -> Result<Frame> {
        let resolver = self.resolver(&frame);
        let mut gone: HashSet<String> = HashSet::new();
        for expression in &drop.columns {
            // What is not there need not be dropped, nor what only has the name of another frame's column.
            let relation = match &expression.expr_type {
                Some(ExprType::UnresolvedAttribute(attribute)) => attribute.plan_id,
                _ => None,
            };
            if let Ok(Named { source: Some(column), .. }) = resolver.named(expression)
                && relation.is_none_or(|relation| column.relations.contains_key(&relation))
            {
                gone.insert(column.id);
            }
        }
        let named =
            |column: &Column| drop.column_names.iter().any(|name| name.eq_ignore_ascii_case(&column.name));
        let kept = frame.columns.iter().filter(|column| !gone.contains(&column.id) && !named(column));
        let kept: Vec<Named> = kept.map(whole).collect();
        self.projected(frame, kept)
    }
}

/// A projection of a projection as one, if nothing is computed twice for it: a script that adds columns one by one makes
/// hundreds of them, and planning costs more than in proportion to how deep they lie.
fn merged(plan: &LogicalPlan, exprs: &[Expr]) -> Result<Option<LogicalPlan>> {
    let LogicalPlan::Projection(below) = plan else { return Ok(None) };
    let known: HashMap<&str, &Expr> = below
        .schema
        .fields()
        .iter()
        .zip(&below.expr)
        .map(|(field, expr)| (field.name().as_str(), expr))
        .collect();
    let bare = |expr: &Expr| match expr {
        Expr::Alias(alias) => alias.expr.as_ref().clone(),
        other => other.clone(),
    };
    let mut made = Vec::with_capacity(exprs.len());
    for expr in exprs {
        if let Expr::Column(column) = expr {
            let Some(same) = known.get(column.name.as_str()) else { return Ok(None) };
            made.push((*same).clone());
            continue;
        }
        let mut simple = true;
        let replaced = expr.clone().transform_up(|inner| {
            simple &= !matches!(
                inner,
                Expr::ScalarSubquery(_)
                    | Expr::Exists(_)
                    | Expr::InSubquery(_)
                    | Expr::SetComparison(_)
                    | Expr::OuterReferenceColumn(..)
            );
            let Expr::Column(column) = &inner else { return Ok(Transformed::no(inner)) };
            match known.get(column.name.as_str()).map(|expr| bare(expr)) {
                Some(same @ (Expr::Column(_) | Expr::Literal(..))) => Ok(Transformed::yes(same)),
                _ => {
                    simple = false;
                    Ok(Transformed::no(inner))
                }
            }
        });
        let replaced = replaced?.data;
        if !simple {
            return Ok(None);
        }
        made.push(replaced);
    }
    let merged = Projection::try_new(made, Arc::clone(&below.input))?;
    Ok(Some(LogicalPlan::Projection(merged)))
}

/// The column as it is.
pub(crate) fn whole(column: &Column) -> Named {
    Named { source: Some(column.clone()), ..Named::new(column.expr(), &column.name) }
}

pub(crate) fn to_df(mut frame: Frame, names: &[String]) -> Result<Frame> {
    if names.len() != frame.columns.len() {
        let text = format!("The frame has {} columns, {} names are given.", frame.columns.len(), names.len());
        return Err(SparkError::new(Class::IllegalArgument, "ASSIGNMENT_ARITY_MISMATCH", "42802", text));
    }
    for (column, name) in frame.columns.iter_mut().zip(names) {
        *column = Column::new(name, &column.id);
    }
    Ok(frame)
}

pub(crate) fn renamed(mut frame: Frame, renames: &[WithColumnsRenamedRename]) -> Frame {
    for rename in renames {
        for column in &mut frame.columns {
            if column.name.eq_ignore_ascii_case(&rename.col_name) {
                column.name.clone_from(&rename.new_col_name);
            }
        }
    }
    frame
}
