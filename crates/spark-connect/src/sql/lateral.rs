//! `LATERAL`: tables that ask the row of the tables before them.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{JoinType, Spans};
use datafusion::logical_expr::utils::find_aggregate_exprs;
use datafusion::logical_expr::{Expr as PlanExpr, LogicalPlan, Subquery};
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgumentList, FunctionArguments, GroupByExpr, JoinConstraint, LateralView,
    Query as Parsed, Select, SelectItem, SetExpr, TableAlias, TableFactor,
};

use crate::error::{Class, Result, SparkError};
use crate::expression::{GENERATORS, Named, build};
use crate::plan::frame::Frame;
use crate::plan::{Planner, aliased, filtered, to_df, whole};
use crate::sql::Arguments;
use crate::sql::read::object;
use crate::sql::select::{function_name, named, unqualified};
use crate::wire::expression::Expression;
use crate::wire::function::TableFunction;

impl Planner<'_> {
    /// `LATERAL VIEW [OUTER] explode(list) t AS item`.
    pub(super) fn lateral(
        &mut self,
        frame: Frame,
        view: &LateralView,
        arguments: &Arguments,
    ) -> Result<Frame> {
        let Expr::Function(call) = &view.lateral_view else { return Err(no_generator()) };
        let outer = if view.outer { "_outer" } else { "" };
        let name = format!("{}{outer}", function_name(&call.name));
        let (list, _) = self.reader(arguments).list(&call.args)?;
        let names: Vec<String> = view.lateral_col_alias.iter().map(|alias| alias.value.clone()).collect();
        let alias = object(&view.lateral_view_name).pop().unwrap_or_default();
        self.beside(frame, &name, list, &alias, &names)
    }

    /// The rows with what a generator makes of each.
    fn beside(
        &mut self,
        frame: Frame,
        name: &str,
        list: Vec<Expression>,
        alias: &str,
        names: &[String],
    ) -> Result<Frame> {
        let call = self.resolver(&frame).named(&build::function(name, list))?;
        let generator = call.generator.as_ref().ok_or_else(no_generator)?;
        let before = frame.columns.len();
        let frame = self.each_with(frame, generator)?;
        Ok(called(frame, before, alias, names))
    }

    /// Whether a table asks those before it.
    pub(super) fn is_lateral(factor: &TableFactor) -> bool {
        match factor {
            TableFactor::Derived { lateral, .. } | TableFactor::Function { lateral, .. } => *lateral,
            _ => false,
        }
    }

    /// The tables before, joined with one that asks them.
    pub(super) async fn join_lateral(
        &mut self,
        left: Frame,
        factor: &TableFactor,
        kind: JoinType,
        constraint: &JoinConstraint,
        arguments: &Arguments,
    ) -> Result<Frame> {
        if !matches!(kind, JoinType::Inner | JoinType::Left) {
            return Err(not_lateral(kind));
        }
        match factor {
            TableFactor::Function { name, args, alias, .. }
                if self.session.table_functions().contains_key(&function_name(name)) =>
            {
                let function = function_name(name);
                let call = self.call_of_python(&function, args, arguments, Some(&left)).await?;
                let before = left.columns.len();
                let joined = self.beside_each(left, &call, kind == JoinType::Left).await?;
                let shown = alias.as_ref().map_or(function, |alias| alias.name.value.clone());
                let joined = called(joined, before, &shown, &columns(alias.as_ref()));
                self.constrained(joined, kind, constraint, arguments).await
            }
            TableFactor::Function { name, .. } if !GENERATORS.contains(&function_name(name).as_str()) => {
                // It asks no row.
                let right = self.factor(factor, arguments).await?;
                self.beside_all(left, right, kind, constraint, arguments).await
            }
            TableFactor::Function { name, args, alias, .. } => {
                let call = (function_name(name), args.as_slice(), alias.as_ref());
                self.made_of_rows(left, call, kind, constraint, arguments).await
            }
            TableFactor::Derived { subquery, alias, .. } => {
                let one = match constraint {
                    JoinConstraint::On(condition) => kind == JoinType::Inner || always(condition),
                    _ => true,
                };
                if let Some(select) = bare(subquery)
                    .filter(|select| one && (kind == JoinType::Inner || select.selection.is_none()))
                    && let Some(joined) = self.computed(&left, select, alias.as_ref(), arguments)?
                {
                    return self.constrained(joined, kind, constraint, arguments).await;
                }
                let right = self.asking(&left, subquery, arguments).await?;
                let right = named(unqualified(right), alias.as_ref())?;
                self.beside_all(left, right, kind, constraint, arguments).await
            }
            other => Err(SparkError::unsupported(format!("the table {other}"))),
        }
    }

    /// The rows before with what a generator makes of each.
    async fn made_of_rows(
        &mut self,
        left: Frame,
        (name, args, alias): (String, &[FunctionArg], Option<&TableAlias>),
        kind: JoinType,
        constraint: &JoinConstraint,
        arguments: &Arguments,
    ) -> Result<Frame> {
        let outer = kind == JoinType::Left && !name.ends_with("_outer");
        let generator = if outer { format!("{name}_outer") } else { name.clone() };
        let list = self.arguments(args.to_vec(), arguments, Some(&left)).await?;
        let names = columns(alias);
        let alias = alias.map_or(name, |alias| alias.name.value.clone());
        if let (JoinType::Left, JoinConstraint::On(condition)) = (kind, constraint)
            && !always(condition)
        {
            let rows = self.numbered(left)?;
            let before = rows.columns.len();
            let joined = self.beside(rows, &generator, list, &alias, &names)?;
            let condition = self.read_one(condition, arguments, Some(&joined)).await?;
            return self.where_or_none(joined, before, &condition);
        }
        let joined = self.beside(left, &generator, list, &alias, &names)?;
        self.constrained(joined, kind, constraint, arguments).await
    }

    /// The tables before, joined with one that may have asked them already.
    async fn beside_all(
        &mut self,
        left: Frame,
        right: Frame,
        kind: JoinType,
        constraint: &JoinConstraint,
        arguments: &Arguments,
    ) -> Result<Frame> {
        match constraint {
            JoinConstraint::On(condition) => self.join_where(left, right, kind, condition, arguments).await,
            JoinConstraint::None => self.join_on(left, right, kind, None),
            JoinConstraint::Using(names) => {
                let names: Vec<String> = names.iter().filter_map(|name| object(name).pop()).collect();
                self.join_using(left, right, kind, &names)
            }
            JoinConstraint::Natural => Err(SparkError::unsupported("NATURAL JOIN LATERAL")),
        }
    }

    async fn constrained(
        &mut self,
        joined: Frame,
        kind: JoinType,
        constraint: &JoinConstraint,
        arguments: &Arguments,
    ) -> Result<Frame> {
        match (constraint, kind) {
            (JoinConstraint::None, _) => Ok(joined),
            (JoinConstraint::On(condition), JoinType::Inner) => {
                let condition = self.read_one(condition, arguments, Some(&joined)).await?;
                self.filter(joined, &condition)
            }
            (JoinConstraint::On(condition), _) if always(condition) => Ok(joined),
            _ => Err(SparkError::unsupported("this condition of a lateral join")),
        }
    }

    /// `LATERAL (SELECT a + 1 AS b)`: columns computed of the row; `None` if it is more than that.
    fn computed(
        &mut self,
        left: &Frame,
        select: &Select,
        alias: Option<&TableAlias>,
        arguments: &Arguments,
    ) -> Result<Option<Frame>> {
        let mut reader = self.reader(arguments);
        // There is no table of its own that a star could mean.
        let items = select.projection.iter().filter(|item| !matches!(item, SelectItem::Wildcard(_)));
        let items = items.map(|item| reader.item(item)).collect::<Result<Vec<_>>>()?;
        let condition =
            select.selection.as_ref().map(|condition| reader.expression(condition)).transpose()?;
        if !reader.subqueries.is_empty() {
            return Ok(None);
        }
        let here = self.nothing()?;
        self.outer.push(left.clone());
        let made = self.resolver(&here).list(&items);
        let condition = condition.map(|condition| self.resolver(&here).named(&condition)).transpose();
        self.outer.pop();
        let (made, condition) = (made?, condition?);
        let made = made.into_iter().map(|named| Ok(Named { expr: of_row(named.expr, left)?, ..named }));
        let made = made.collect::<Result<Vec<_>>>()?;
        let plain = find_aggregate_exprs(made.iter().map(|named| &named.expr)).is_empty()
            && made.iter().all(|named| named.generator.is_none());
        if !plain {
            return Ok(None);
        }
        let mut outputs: Vec<Named> = left.columns.iter().map(whole).collect();
        let before = outputs.len();
        outputs.extend(made.into_iter().map(|named| Named { source: None, ..named }));
        let left = match condition {
            None => left.clone(),
            Some(condition) => filtered(left.clone(), of_row(condition.expr, left)?)?,
        };
        let mut frame = self.projected(left, outputs)?;
        let names = columns(alias);
        for (index, column) in frame.columns[before..].iter_mut().enumerate() {
            column.qualifiers = alias.iter().map(|alias| alias.name.value.clone()).collect();
            if let Some(name) = names.get(index) {
                column.name.clone_from(name);
            }
        }
        Ok(Some(frame))
    }

    /// A query that may name the columns of the tables before it.
    async fn asking(&mut self, left: &Frame, subquery: &Parsed, arguments: &Arguments) -> Result<Frame> {
        self.outer.push(left.clone());
        let right = self.parsed(subquery, arguments).await;
        self.outer.pop();
        Ok(Self::asked(right?, left))
    }

    /// A frame that may have asked the one before it, as the right side of a join with that one.
    pub(crate) fn asked(right: Frame, left: &Frame) -> Frame {
        let outer_ref_columns = right.plan.all_out_ref_exprs();
        // What is asked of a frame between them is none of the left one.
        let of_left = |expr: &PlanExpr| match expr {
            PlanExpr::OuterReferenceColumn(_, column) => left.plan.schema().has_column(column),
            _ => false,
        };
        if !outer_ref_columns.iter().any(of_left) {
            return right;
        }
        let subquery = Subquery { subquery: Arc::new(right.plan), outer_ref_columns, spans: Spans::new() };
        Frame { plan: LogicalPlan::Subquery(subquery), columns: right.columns }
    }

    /// The call of a table function that the session has registered.
    pub(super) async fn call_of_python(
        &mut self,
        name: &str,
        args: &[FunctionArg],
        arguments: &Arguments,
        around: Option<&Frame>,
    ) -> Result<TableFunction> {
        let functions = self.session.table_functions();
        let function = functions.get(name).ok_or_else(no_generator)?;
        let list =
            FunctionArgumentList { duplicate_treatment: None, args: args.to_vec(), clauses: Vec::new() };
        let mut reader = self.reader(arguments);
        let (arguments, _) = reader.list(&FunctionArguments::List(list))?;
        self.insides(reader, around).await?;
        Ok(TableFunction { arguments, ..TableFunction::clone(function) })
    }

    /// The arguments of a function that stands for a table.
    pub(super) async fn arguments(
        &mut self,
        args: Vec<FunctionArg>,
        arguments: &Arguments,
        around: Option<&Frame>,
    ) -> Result<Vec<Expression>> {
        let list = FunctionArgumentList { duplicate_treatment: None, args, clauses: Vec::new() };
        let mut reader = self.reader(arguments);
        let (list, _) = reader.list(&FunctionArguments::List(list))?;
        self.insides(reader, around).await?;
        Ok(list)
    }

    /// What a function of SQL gives as a table, if it is one.
    pub(super) async fn sql_table(
        &mut self,
        name: &str,
        args: &[FunctionArg],
        arguments: &Arguments,
    ) -> Result<Option<Frame>> {
        let Some(function) = arguments.functions.get(name).filter(|function| function.is_table).cloned()
        else {
            return Ok(None);
        };
        let query = function.table(crate::sql::read::plain(args)?).map_err(crate::sql::wrong)?;
        let frame = unqualified(self.parsed(&query, arguments).await?);
        let frame = if function.columns.is_empty() { frame } else { to_df(frame, &function.columns)? };
        Ok(Some(aliased(frame, name)))
    }
}

/// The columns behind these, under an alias and names of their own.
fn called(mut frame: Frame, before: usize, alias: &str, names: &[String]) -> Frame {
    for (index, column) in frame.columns[before..].iter_mut().enumerate() {
        column.qualifiers = vec![alias.to_owned()];
        if let Some(name) = names.get(index) {
            column.name.clone_from(name);
        }
    }
    frame
}

fn columns(alias: Option<&TableAlias>) -> Vec<String> {
    alias.iter().flat_map(|alias| &alias.columns).map(|column| column.name.value.clone()).collect()
}

/// A query of columns without tables, groups and order.
fn bare(query: &Parsed) -> Option<&Select> {
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    let no_groups = matches!(&select.group_by, GroupByExpr::Expressions(keys, modifiers)
        if keys.is_empty() && modifiers.is_empty());
    let bare = query.with.is_none()
        && query.limit_clause.is_none()
        && query.order_by.is_none()
        && select.from.is_empty()
        && select.lateral_views.is_empty()
        && select.distinct.is_none()
        && select.having.is_none()
        && no_groups;
    bare.then_some(select.as_ref())
}

/// A condition that is written as `true`.
fn always(condition: &Expr) -> bool {
    matches!(condition, Expr::Value(value) if value.to_string().eq_ignore_ascii_case("true"))
}

/// What was asked of the row beside, computed of it.
fn of_row(expr: PlanExpr, row: &Frame) -> Result<PlanExpr> {
    let of_row = expr.transform_up(|inner| {
        Ok(match inner {
            PlanExpr::OuterReferenceColumn(_, column) if row.plan.schema().has_column(&column) => {
                Transformed::yes(PlanExpr::Column(column))
            }
            inner => Transformed::no(inner),
        })
    })?;
    Ok(of_row.data)
}

/// Rows that stay without a partner cannot ask it.
fn not_lateral(kind: JoinType) -> SparkError {
    let text = format!(
        "The {} JOIN with LATERAL correlation is not allowed: a row that has no partner cannot ask it. Use an INNER JOIN or a \
         LEFT OUTER JOIN instead.",
        kind.to_string().to_uppercase()
    );
    SparkError::new(Class::Parse, "INVALID_LATERAL_JOIN_TYPE", "42613", text)
        .with("joinType", kind.to_string().to_uppercase())
}

fn no_generator() -> SparkError {
    SparkError::unsupported("a LATERAL VIEW of anything but a generator")
}
