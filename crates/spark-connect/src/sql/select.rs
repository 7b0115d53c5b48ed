//! `SELECT`: from tables through conditions and groups to columns in an order.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::functions_aggregate::count::count_all;
use datafusion::logical_expr::expr::Exists;
use datafusion::logical_expr::utils::find_aggregate_exprs;
use datafusion::logical_expr::{Expr as PlanExpr, LogicalPlanBuilder, SortExpr, Subquery, lit};
use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, ObjectName, OrderByExpr, Select, SelectItem, TableAlias,
};

use crate::error::{Result, SparkError};
use crate::expression::{Named, build};
use crate::plan::frame::Frame;
use crate::plan::{Planner, aliased, filtered, ordered, whole};
use crate::sql::Arguments;
use crate::sql::query::{ordinal, same};
use crate::sql::read::object;
use crate::wire::expression::{Expression, SortOrder};
use crate::wire::relation::Deduplicate;

impl Planner<'_> {
    pub(super) async fn select_query(
        &mut self,
        select: &Select,
        order: &[OrderByExpr],
        arguments: &Arguments,
    ) -> Result<Frame> {
        let mut frame = self.from(&select.from, arguments).await?;
        for view in &select.lateral_views {
            frame = self.lateral(frame, view, arguments)?;
        }
        if let Some(condition) = &select.selection {
            let condition = self.read_one(condition, arguments, Some(&frame)).await?;
            frame = self.filter(frame, &condition)?;
        }
        let mut reader = self.reader(arguments);
        reader.windows.clone_from(&select.named_window);
        let items = select.projection.iter().map(|item| reader.item(item)).collect::<Result<Vec<_>>>()?;
        let having = select.having.as_ref().map(|having| reader.expression(having)).transpose()?;
        let sorts = order.iter().map(|key| Ok((key, reader.order(key)?))).collect::<Result<Vec<_>>>()?;
        self.insides(reader, Some(&frame)).await?;
        let outputs = self.outputs(&frame, select, &items, arguments)?;
        let groups = self.groups(&frame, select, &outputs, arguments).await?;
        let distinct = matches!(select.distinct, Some(Distinct::Distinct));
        let mut plan = Outputs::new(outputs);
        let having = having.map(|having| plan.add(self, &frame, &having)).transpose()?;
        let sorts = sorts
            .into_iter()
            .map(|(key, sort)| {
                let place = match plan.place(key) {
                    Some(place) => Some(place),
                    None => plan.add_later(self, &frame, &sort)?,
                };
                Ok((place, sort))
            })
            .collect::<Result<Vec<_>>>()?;
        let visible = plan.visible;
        let calls = find_aggregate_exprs(plan.list.iter().map(|named| &named.expr));
        let grouped = groups.is_some() || !calls.is_empty() || having.is_some();
        let mut made = match groups {
            Some((groups, sets)) if sets.is_empty() => self.aggregate(frame, &groups, plan.list)?,
            Some((groups, sets)) => self.aggregate_sets(frame, &groups, plan.list, &sets)?,
            None if grouped => self.aggregate(frame, &[], plan.list)?,
            None => self.chosen(frame, plan.list)?,
        };
        if let Some(place) = having {
            let condition = made.columns[place].expr();
            made = filtered(made, condition)?;
        }
        if distinct {
            made = self.only(made, visible)?;
            made = self
                .deduplicate(made, &Deduplicate { all_columns_as_keys: Some(true), ..Default::default() })?;
        }
        let sorts = sorts.into_iter().map(|(place, sort)| self.sort_of(&made, place, &sort));
        let sorts = sorts.collect::<Result<Vec<_>>>()?;
        if !sorts.is_empty() {
            made = ordered(made, sorts)?;
        }
        self.only(made, visible)
    }

    /// What the list shows.
    fn outputs(
        &mut self,
        frame: &Frame,
        select: &Select,
        items: &[Expression],
        arguments: &Arguments,
    ) -> Result<Vec<Named>> {
        let mut outputs = Vec::new();
        for (item, expression) in select.projection.iter().zip(items) {
            let except = excepted(item);
            let shown = self.resolver(frame).list(std::slice::from_ref(expression));
            let shown = shown.or_else(|error| {
                // A name that an item before has given.
                let named = self.by_alias(frame, &outputs, expression);
                named.map(|named| vec![named]).ok_or(error)
            })?;
            let kept =
                |named: &Named| !except.iter().any(|name| name.eq_ignore_ascii_case(named.column_name()));
            let mut shown: Vec<Named> = shown.into_iter().filter(kept).collect();
            self.put_in_place(frame, item, &mut shown, arguments)?;
            outputs.extend(shown);
        }
        for output in &mut outputs {
            output.expr = counted(std::mem::take(&mut output.expr))?;
        }
        Ok(outputs)
    }

    /// `* REPLACE (value AS column)`.
    fn put_in_place(
        &mut self,
        frame: &Frame,
        item: &SelectItem,
        shown: &mut [Named],
        arguments: &Arguments,
    ) -> Result<()> {
        let (SelectItem::Wildcard(options) | SelectItem::QualifiedWildcard(_, options)) = item else {
            return Ok(());
        };
        for element in options.opt_replace.iter().flat_map(|replace| &replace.items) {
            let name = &element.column_name.value;
            let value = self.reader(arguments).expression(&element.expr)?;
            let value = self.resolver(frame).named(&value)?;
            let place = shown.iter_mut().find(|named| named.column_name().eq_ignore_ascii_case(name));
            let place = place.ok_or_else(|| SparkError::column(name, &frame.names()))?;
            *place = Named::new(value.expr, place.column_name());
        }
        Ok(())
    }

    /// The first columns.
    fn only(&mut self, frame: Frame, visible: usize) -> Result<Frame> {
        if visible == frame.columns.len() {
            return Ok(frame);
        }
        let kept = frame.columns[..visible].iter().map(whole).collect();
        self.projected(frame, kept)
    }

    fn sort_of(&self, frame: &Frame, place: Option<usize>, sort: &SortOrder) -> Result<SortExpr> {
        let resolver = self.resolver(frame);
        match place {
            Some(place) if place < frame.columns.len() => {
                let over =
                    resolver.order(&SortOrder { child: Some(Box::new(build::text(""))), ..sort.clone() })?;
                Ok(SortExpr { expr: frame.columns[place].expr(), ..over })
            }
            _ => resolver.order(sort),
        }
    }

    pub(super) async fn read_one(
        &mut self,
        expr: &Expr,
        arguments: &Arguments,
        around: Option<&Frame>,
    ) -> Result<Expression> {
        let mut reader = self.reader(arguments);
        let read = reader.expression(expr)?;
        self.insides(reader, around).await?;
        Ok(read)
    }
}

/// What a `SELECT` computes: what it shows, and behind that what its conditions and order need.
struct Outputs {
    list: Vec<Named>,
    visible: usize,
    hidden: usize,
}

impl Outputs {
    fn new(list: Vec<Named>) -> Self {
        let made = |named: &Named| {
            named.generator.as_ref().map_or(1, |one| one.fields.len() + usize::from(one.places.is_some()))
        };
        let visible = list.iter().map(made).sum();
        Outputs { list, visible, hidden: 0 }
    }

    /// The place of a column that is shown and meant by an ordinal or its name.
    fn place(&self, key: &OrderByExpr) -> Option<usize> {
        if let Some(place) = ordinal(&key.expr) {
            return Some(place);
        }
        let Expr::Identifier(name) = &key.expr else { return None };
        self.list.iter().position(|named| same(name, named.column_name()))
    }

    fn add(&mut self, planner: &Planner<'_>, frame: &Frame, expression: &Expression) -> Result<usize> {
        let named = planner.resolver(frame).named(expression).or_else(|error| {
            // An alias of the select list, in a condition.
            planner.by_alias(frame, &self.list, expression).ok_or(error)
        })?;
        Ok(self.push(named))
    }

    fn push(&mut self, named: Named) -> usize {
        self.list.push(Named { column: None, name: "hidden".to_owned(), source: None, ..named });
        self.hidden += 1;
        self.visible + self.hidden - 1
    }

    /// What an order needs: computed here if the input has it, otherwise from what is shown.
    fn add_later(&mut self, planner: &Planner<'_>, frame: &Frame, sort: &SortOrder) -> Result<Option<usize>> {
        let child = sort.child.as_ref().ok_or_else(|| SparkError::missing("child"))?;
        Ok(match planner.resolver(frame).named(child) {
            Ok(named) => Some(self.push(named)),
            Err(_) => None,
        })
    }
}

/// The names of `* EXCEPT (a, b)`.
fn excepted(item: &SelectItem) -> Vec<String> {
    let (SelectItem::Wildcard(options) | SelectItem::QualifiedWildcard(_, options)) = item else {
        return Vec::new();
    };
    let except = options.opt_except.iter();
    except
        .flat_map(|except| std::iter::once(&except.first_element).chain(&except.additional_elements))
        .map(|name| name.value.clone())
        .collect()
}

/// `EXISTS` where rows are not chosen but shown: the planner counts instead.
pub(super) fn counted(expr: PlanExpr) -> Result<PlanExpr> {
    let counted = expr.transform_up(|inner| {
        let PlanExpr::Exists(Exists { subquery, negated }) = inner else { return Ok(Transformed::no(inner)) };
        let plan = subquery.subquery.as_ref().clone();
        let plan =
            LogicalPlanBuilder::from(plan).aggregate(Vec::<PlanExpr>::new(), vec![count_all()])?.build()?;
        let outer_ref_columns = plan.all_out_ref_exprs();
        let whole = Subquery { subquery: Arc::new(plan), outer_ref_columns, spans: subquery.spans };
        let count = PlanExpr::ScalarSubquery(whole);
        Ok(Transformed::yes(if negated { count.eq(lit(0_i64)) } else { count.gt(lit(0_i64)) }))
    });
    Ok(counted?.data)
}

pub(super) fn function_name(name: &ObjectName) -> String {
    object(name).pop().unwrap_or_default().to_lowercase()
}

pub(super) fn unqualified(mut frame: Frame) -> Frame {
    for column in &mut frame.columns {
        column.qualifiers.clear();
    }
    frame
}

pub(super) fn named(frame: Frame, alias: Option<&TableAlias>) -> Result<Frame> {
    let Some(alias) = alias else { return Ok(frame) };
    let frame = if alias.columns.is_empty() {
        frame
    } else {
        let names: Vec<String> = alias.columns.iter().map(|column| column.name.value.clone()).collect();
        crate::plan::to_df(frame, &names)?
    };
    Ok(aliased(frame, &alias.name.value))
}
