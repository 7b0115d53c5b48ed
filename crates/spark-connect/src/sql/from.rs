//! `FROM`: tables, joined.

use datafusion::common::JoinType;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, Join, JoinConstraint, JoinOperator, TableFactor, TableWithJoins,
};
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::error::{Result, SparkError};
use crate::expression::{Named, build, name_quoted};
use crate::plan::frame::Frame;
use crate::plan::{Planner, aliased, whole};
use crate::sql::Arguments;
use crate::sql::read::object;
use crate::sql::select::{counted, function_name, named, unqualified};
use crate::wire::expression::Expression;

/// What columns are called that say whether a condition holds.
const MARK: &str = "condition #";

impl Planner<'_> {
    pub(super) async fn from(&mut self, tables: &[TableWithJoins], arguments: &Arguments) -> Result<Frame> {
        let mut whole: Option<Frame> = None;
        for table in tables {
            whole = Some(match whole {
                Some(left) if Self::is_lateral(&table.relation) => {
                    let inner = JoinConstraint::None;
                    let first =
                        self.join_lateral(left, &table.relation, JoinType::Inner, &inner, arguments).await?;
                    self.joins(first, &table.joins, arguments).await?
                }
                Some(left) => {
                    let frame = self.joined(table, arguments).await?;
                    self.join_on(left, frame, JoinType::Inner, None)?
                }
                None => self.joined(table, arguments).await?,
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
            let left = self.factor(&table.relation, arguments).await?;
            self.joins(left, &table.joins, arguments).await
        }
        .boxed()
    }

    async fn joins(&mut self, mut left: Frame, joins: &[Join], arguments: &Arguments) -> Result<Frame> {
        for join in joins {
            let (kind, constraint) = kind(&join.join_operator)?;
            if Self::is_lateral(&join.relation) {
                left = self.join_lateral(left, &join.relation, kind, constraint, arguments).await?;
                continue;
            }
            let right = self.factor(&join.relation, arguments).await?;
            left = match constraint {
                JoinConstraint::On(condition) => {
                    self.join_where(left, right, kind, condition, arguments).await?
                }
                JoinConstraint::Using(names) => {
                    let names: Vec<String> = names.iter().filter_map(|name| object(name).pop()).collect();
                    self.join_using(left, right, kind, &names)?
                }
                JoinConstraint::Natural => {
                    let both =
                        |name: &String| right.names().iter().any(|other| other.eq_ignore_ascii_case(name));
                    let names: Vec<String> = left.names().into_iter().filter(both).collect();
                    self.join_using(left, right, kind, &names)?
                }
                JoinConstraint::None => self.join_on(left, right, kind, None)?,
            };
        }
        Ok(left)
    }

    /// Joined under a condition. One with queries in it is asked of rows, not of pairs: where only pairs that fit are
    /// wanted, that is the same.
    pub(super) async fn join_where(
        &mut self,
        left: Frame,
        right: Frame,
        kind: JoinType,
        condition: &Expr,
        arguments: &Arguments,
    ) -> Result<Frame> {
        let mut reader = self.reader(arguments);
        let read = reader.expression(condition)?;
        if reader.subqueries.is_empty() {
            return self.join_on(left, right, kind, Some(&read));
        }
        if kind == JoinType::Inner {
            let both = self.join_on(left, right, kind, None)?;
            self.insides(reader, Some(&both)).await?;
            return self.filter(both, &read);
        }
        let (mut left, mut right) = (left, right);
        let mut wanted = Vec::new();
        let mut parts = Vec::new();
        conjuncts(condition, &mut parts);
        for part in parts {
            let mut reader = self.reader(arguments);
            let read = reader.expression(part)?;
            if reader.subqueries.is_empty() {
                wanted.push(read);
                continue;
            }
            // Rows of one side are asked before they are joined.
            let of_left = self.read_one(part, arguments, Some(&left)).await;
            let of_left = of_left.ok().filter(|read| self.resolver(&left).named(read).is_ok());
            if let Some(read) = of_left {
                left = match kind {
                    JoinType::LeftSemi | JoinType::Right => self.filter(left, &read)?,
                    _ => self.marked(left, &read, &mut wanted)?,
                };
                continue;
            }
            let read = self.read_one(part, arguments, Some(&right)).await?;
            right = match kind {
                JoinType::LeftSemi | JoinType::LeftAnti | JoinType::Left => self.filter(right, &read)?,
                _ => self.marked(right, &read, &mut wanted)?,
            };
        }
        let condition = wanted.into_iter().reduce(|a, b| build::function("and", vec![a, b]));
        let joined = self.join_on(left, right, kind, condition.as_ref())?;
        let kept = joined.columns.iter().filter(|column| !column.name.starts_with(MARK)).map(whole).collect();
        self.projected(joined, kept)
    }

    /// The frame with one column more, which says whether a condition holds; a wish that it does.
    fn marked(&mut self, frame: Frame, read: &Expression, wanted: &mut Vec<Expression>) -> Result<Frame> {
        let holds = counted(self.resolver(&frame).named(read)?.expr)?;
        let name = format!("{MARK}{}", self.new_number());
        wanted.push(build::attribute(&name_quoted(std::slice::from_ref(&name))));
        let mut outputs: Vec<Named> = frame.columns.iter().map(whole).collect();
        outputs.push(Named::new(holds, name));
        self.projected(frame, outputs)
    }

    pub(super) async fn factor(&mut self, factor: &TableFactor, arguments: &Arguments) -> Result<Frame> {
        match factor {
            TableFactor::Table { name, alias, args: None, .. } => {
                let frame = self.table(&name_quoted(&object(name))).await?;
                named(frame, alias.as_ref())
            }
            TableFactor::Table { name, alias, args: Some(call), .. } => {
                let function = function_name(name);
                if self.session.table_functions().contains_key(&function) {
                    let frame = self.table_of_python(&function, &call.args, arguments).await?;
                    return named(frame, alias.as_ref());
                }
                if let Some(frame) = self.sql_table(&function, &call.args, arguments).await? {
                    return named(frame, alias.as_ref());
                }
                let list = self.arguments(call.args.clone(), arguments, None).await?;
                let frame = self.table_function(&function, &list)?;
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
            TableFactor::Function { name, args, alias, .. }
                if self.session.table_functions().contains_key(&function_name(name)) =>
            {
                let frame = self.table_of_python(&function_name(name), args, arguments).await?;
                named(frame, alias.as_ref())
            }
            TableFactor::Function { name, args, alias, .. } => {
                let list = self.arguments(args.clone(), arguments, None).await?;
                let frame = self.table_function(&function_name(name), &list)?;
                named(frame, alias.as_ref())
            }
            TableFactor::Pivot { table, .. } | TableFactor::Unpivot { table, .. } => {
                let frame = self.factor_boxed(table, arguments).await?;
                self.turned(frame, factor, arguments)
            }
            other => Err(SparkError::unsupported(format!("the table {other}"))),
        }
    }

    /// What a table function of Python makes.
    async fn table_of_python(
        &mut self,
        name: &str,
        args: &[FunctionArg],
        arguments: &Arguments,
    ) -> Result<Frame> {
        let call = self.call_of_python(name, args, arguments, None).await?;
        let nothing = self.nothing()?;
        let frame = self.beside_each(nothing, &call, false).await?;
        Ok(aliased(frame, name))
    }

    fn factor_boxed<'r>(
        &'r mut self,
        factor: &'r TableFactor,
        arguments: &'r Arguments,
    ) -> BoxFuture<'r, Result<Frame>> {
        self.factor(factor, arguments).boxed()
    }
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

/// The parts of a condition that all have to hold.
fn conjuncts<'e>(condition: &'e Expr, parts: &mut Vec<&'e Expr>) {
    match condition {
        Expr::Nested(inner) => conjuncts(inner, parts),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            conjuncts(left, parts);
            conjuncts(right, parts);
        }
        one => parts.push(one),
    }
}
