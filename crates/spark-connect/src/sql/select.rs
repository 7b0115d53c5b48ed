//! `SELECT`: from tables through conditions and groups to columns in an order.

use std::sync::Arc;

use datafusion::common::JoinType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::functions_aggregate::count::count_all;
use datafusion::logical_expr::expr::Exists;
use datafusion::logical_expr::utils::find_aggregate_exprs;
use datafusion::logical_expr::{Expr as PlanExpr, LogicalPlanBuilder, SortExpr, Subquery, lit};
use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, GroupByWithModifier,
    JoinConstraint, JoinOperator, LateralView, ObjectName, OrderByExpr, Select, SelectItem, TableAlias,
    TableFactor, TableWithJoins,
};
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::error::{Result, SparkError};
use crate::expression::{Named, build, name_quoted};
use crate::plan::frame::{Column, Frame};
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
        let mut outputs = Vec::new();
        for (item, expression) in select.projection.iter().zip(&items) {
            let except = excepted(item);
            let shown = self.resolver(&frame).list(std::slice::from_ref(expression))?;
            let kept =
                |named: &Named| !except.iter().any(|name| name.eq_ignore_ascii_case(named.column_name()));
            outputs.extend(shown.into_iter().filter(kept));
        }
        for output in &mut outputs {
            output.expr = counted(std::mem::take(&mut output.expr))?;
        }
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

    async fn read_one(
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

    /// The groups, and which sets of them if there are several; or `None` without `GROUP BY`.
    async fn groups(
        &mut self,
        frame: &Frame,
        select: &Select,
        outputs: &[Named],
        arguments: &Arguments,
    ) -> Result<Option<(Vec<Named>, Vec<Vec<usize>>)>> {
        let (exprs, modifiers) = match &select.group_by {
            GroupByExpr::Expressions(exprs, modifiers) if exprs.is_empty() && modifiers.is_empty() => {
                return Ok(None);
            }
            GroupByExpr::Expressions(exprs, modifiers) => (exprs, modifiers),
            GroupByExpr::All(_) => {
                let plain = |named: &&Named| find_aggregate_exprs([&named.expr]).is_empty();
                return Ok(Some((outputs.iter().filter(plain).cloned().collect(), Vec::new())));
            }
        };
        let mut groups = Vec::new();
        let mut sets: Vec<Vec<usize>> = Vec::new();
        let within = modifiers.iter().filter_map(|modifier| match modifier {
            GroupByWithModifier::GroupingSets(sets) => Some(sets),
            _ => None,
        });
        for expr in exprs.iter().chain(within) {
            let Some((members, kind)) = members(expr) else {
                let read = self.read_one(expr, arguments, Some(frame)).await?;
                groups.push(self.group(frame, expr, &read, outputs)?);
                continue;
            };
            let mut places = Vec::new();
            for set in &members {
                let mut set_places = Vec::new();
                for member in set {
                    let read = self.read_one(member, arguments, Some(frame)).await?;
                    let group = self.group(frame, member, &read, outputs)?;
                    let known = groups.iter().position(|known: &Named| known.expr == group.expr);
                    set_places.push(known.unwrap_or_else(|| {
                        groups.push(group);
                        groups.len() - 1
                    }));
                }
                places.push(set_places);
            }
            sets = match kind {
                None => places,
                Some(rollup) => crate::plan::sets(&places.concat(), rollup),
            };
        }
        for modifier in modifiers {
            let all: Vec<usize> = (0..groups.len()).collect();
            sets = match modifier {
                GroupByWithModifier::Rollup => crate::plan::sets(&all, true),
                GroupByWithModifier::Cube => crate::plan::sets(&all, false),
                GroupByWithModifier::GroupingSets(_) => continue,
                _ => return Err(SparkError::unsupported("this kind of GROUP BY")),
            };
        }
        Ok(Some((groups, sets)))
    }

    /// A group: an ordinal, a column, or an alias of the select list.
    fn group(&self, frame: &Frame, expr: &Expr, read: &Expression, outputs: &[Named]) -> Result<Named> {
        if let Some(output) = ordinal(expr).and_then(|place| outputs.get(place)) {
            return Ok(output.clone());
        }
        let resolved = self.resolver(frame).named(read);
        if let (Err(_), Expr::Identifier(name)) = (&resolved, expr)
            && let Some(output) = outputs.iter().find(|output| same(name, output.column_name()))
        {
            return Ok(output.clone());
        }
        resolved
    }

    async fn from(&mut self, tables: &[TableWithJoins], arguments: &Arguments) -> Result<Frame> {
        let mut whole: Option<Frame> = None;
        for table in tables {
            let frame = self.joined(table, arguments).await?;
            whole = Some(match whole {
                Some(left) => self.join_on(left, frame, JoinType::Inner, None)?,
                None => frame,
            });
        }
        whole.map_or_else(|| self.nothing(), Ok)
    }

    fn joined<'r>(
        &'r mut self,
        table: &'r TableWithJoins,
        arguments: &'r Arguments,
    ) -> BoxFuture<'r, Result<Frame>> {
        async move {
            let mut left = self.factor(&table.relation, arguments).await?;
            for join in &table.joins {
                let right = self.factor(&join.relation, arguments).await?;
                let (kind, constraint) = kind(&join.join_operator)?;
                left = match constraint {
                    JoinConstraint::On(condition) => {
                        self.join_where(left, right, kind, condition, arguments).await?
                    }
                    JoinConstraint::Using(names) => {
                        let names: Vec<String> = names.iter().filter_map(|name| object(name).pop()).collect();
                        self.join_using(left, right, kind, &names)?
                    }
                    JoinConstraint::Natural => {
                        let both = |name: &String| {
                            right.names().iter().any(|other| other.eq_ignore_ascii_case(name))
                        };
                        let names: Vec<String> = left.names().into_iter().filter(both).collect();
                        self.join_using(left, right, kind, &names)?
                    }
                    JoinConstraint::None => self.join_on(left, right, kind, None)?,
                };
            }
            Ok(left)
        }
        .boxed()
    }

    /// Joined under a condition. One with queries in it is asked of rows, not of pairs: where only pairs that fit are
    /// wanted, that is the same.
    async fn join_where(
        &mut self,
        left: Frame,
        right: Frame,
        kind: JoinType,
        condition: &Expr,
        arguments: &Arguments,
    ) -> Result<Frame> {
        let mut reader = self.reader(arguments);
        let read = reader.expression(condition)?;
        if kind != JoinType::Inner || reader.subqueries.is_empty() {
            self.insides(reader, None).await?;
            return self.join_on(left, right, kind, Some(&read));
        }
        let both = self.join_on(left, right, kind, None)?;
        self.insides(reader, Some(&both)).await?;
        self.filter(both, &read)
    }

    async fn factor(&mut self, factor: &TableFactor, arguments: &Arguments) -> Result<Frame> {
        match factor {
            TableFactor::Table { name, alias, args: None, .. } => {
                let frame = self.table(&name_quoted(&object(name))).await?;
                named(frame, alias.as_ref())
            }
            TableFactor::Table { name, alias, args: Some(call), .. } => {
                let mut reader = self.reader(arguments);
                let (list, _) = reader.list(&FunctionArguments::List(
                    datafusion::sql::sqlparser::ast::FunctionArgumentList {
                        duplicate_treatment: None,
                        args: call.args.clone(),
                        clauses: Vec::new(),
                    },
                ))?;
                let frame = self.table_function(&function_name(name), &list)?;
                named(frame, alias.as_ref())
            }
            TableFactor::Derived { subquery, alias, .. } => {
                let frame = self.parsed(subquery, arguments).await?;
                named(unqualified(frame), alias.as_ref())
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                let frame = self.joined(table_with_joins, arguments).await?;
                named(frame, alias.as_ref())
            }
            other => Err(SparkError::unsupported(format!("the table {other}"))),
        }
    }

    /// `LATERAL VIEW [OUTER] explode(list) t AS item`.
    fn lateral(&mut self, frame: Frame, view: &LateralView, arguments: &Arguments) -> Result<Frame> {
        let mut reader = self.reader(arguments);
        let Expr::Function(call) = &view.lateral_view else {
            return Err(SparkError::unsupported("a LATERAL VIEW of anything but a generator"));
        };
        let outer = if view.outer { "_outer" } else { "" };
        let name = format!("{}{outer}", function_name(&call.name));
        let (list, _) = reader.list(&call.args)?;
        let named = self.resolver(&frame).named(&build::function(&name, list))?;
        let Some(generator) = &named.generator else {
            return Err(SparkError::unsupported("a LATERAL VIEW of anything but a generator"));
        };
        let (frame, made) = self.unnest(frame, generator)?;
        let mut outputs: Vec<Named> = frame.columns.iter().map(whole).collect();
        let before = outputs.len();
        for (index, (name, expr)) in made.into_iter().enumerate() {
            let name = view.lateral_col_alias.get(index).map_or(name, |alias| alias.value.clone());
            outputs.push(Named::new(expr, name));
        }
        let mut frame = self.projected(frame, outputs)?;
        let alias = object(&view.lateral_view_name).pop().unwrap_or_default();
        for column in &mut frame.columns[before..] {
            column.qualifiers = vec![alias.clone()];
        }
        Ok(frame)
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
            self.substituted(planner, frame, expression).ok_or(error)
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

    /// The expression over the input, with aliases of the list in the place of what they stand for.
    fn substituted(&self, planner: &Planner<'_>, frame: &Frame, expression: &Expression) -> Option<Named> {
        let mut columns: Vec<Column> = frame.columns.clone();
        for named in &self.list {
            columns.push(Column::new(named.column_name(), format!("@{}", named.column_name())));
        }
        let mut resolver = planner.resolver(frame);
        resolver.columns = &columns;
        let named = resolver.named(expression).ok()?;
        let expr = named.expr.transform_up(|inner| {
            let datafusion::logical_expr::Expr::Column(column) = &inner else {
                return Ok(Transformed::no(inner));
            };
            let alias = column.name.strip_prefix('@');
            let meant = alias.and_then(|alias| self.list.iter().find(|named| named.column_name() == alias));
            Ok(match meant {
                Some(named) => Transformed::yes(named.expr.clone()),
                None => Transformed::no(inner),
            })
        });
        Some(Named::new(expr.ok()?.data, named.name))
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
fn counted(expr: PlanExpr) -> Result<PlanExpr> {
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

fn function_name(name: &ObjectName) -> String {
    object(name).pop().unwrap_or_default().to_lowercase()
}

fn unqualified(mut frame: Frame) -> Frame {
    for column in &mut frame.columns {
        column.qualifiers.clear();
    }
    frame
}

fn named(frame: Frame, alias: Option<&TableAlias>) -> Result<Frame> {
    let Some(alias) = alias else { return Ok(frame) };
    let frame = if alias.columns.is_empty() {
        frame
    } else {
        let names: Vec<String> = alias.columns.iter().map(|column| column.name.value.clone()).collect();
        crate::plan::to_df(frame, &names)?
    };
    Ok(aliased(frame, &alias.name.value))
}

fn kind(operator: &JoinOperator) -> Result<(JoinType, &JoinConstraint)> {
    Ok(match operator {
        JoinOperator::Join(on) | JoinOperator::Inner(on) | JoinOperator::CrossJoin(on) => {
            (JoinType::Inner, on)
        }
        JoinOperator::Left(on) | JoinOperator::LeftOuter(on) => (JoinType::Left, on),
        JoinOperator::Right(on) | JoinOperator::RightOuter(on) => (JoinType::Right, on),
        JoinOperator::FullOuter(on) => (JoinType::Full, on),
        JoinOperator::Semi(on) | JoinOperator::LeftSemi(on) => (JoinType::LeftSemi, on),
        JoinOperator::Anti(on) | JoinOperator::LeftAnti(on) => (JoinType::LeftAnti, on),
        _ => return Err(SparkError::unsupported("this kind of join")),
    })
}

/// The members of `ROLLUP (..)`, `CUBE (..)` and `GROUPING SETS (..)`; whether it is a rollup, or neither.
fn members(expr: &Expr) -> Option<(Vec<Vec<Expr>>, Option<bool>)> {
    match expr {
        Expr::Rollup(members) => Some((members.clone(), Some(true))),
        Expr::Cube(members) => Some((members.clone(), Some(false))),
        Expr::GroupingSets(members) => Some((members.clone(), None)),
        Expr::Function(call) => {
            let rollup = match function_name(&call.name).as_str() {
                "rollup" => true,
                "cube" => false,
                _ => return None,
            };
            let FunctionArguments::List(list) = &call.args else { return None };
            let member = |argument: &FunctionArg| match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(vec![expr.clone()]),
                _ => None,
            };
            Some((list.args.iter().filter_map(member).collect(), Some(rollup)))
        }
        _ => None,
    }
}
