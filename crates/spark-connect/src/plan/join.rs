//! Two frames side by side.

use datafusion::common::JoinType;
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};

use crate::error::{Class, Result, SparkError};
use crate::expression::Resolver;
use crate::plan::Planner;
use crate::plan::frame::{Column, Frame};
use crate::python::Call;
use crate::wire::expression::Expression;
use crate::wire::relation::Join;

/// The ways to join, as clients number them.
pub(crate) fn join_type(number: i32) -> Result<JoinType> {
    Ok(match number {
        0 | 1 | 7 => JoinType::Inner,
        2 => JoinType::Full,
        3 => JoinType::Left,
        4 => JoinType::Right,
        5 => JoinType::LeftAnti,
        6 => JoinType::LeftSemi,
        _ => return Err(SparkError::unsupported("this kind of join")),
    })
}

impl Planner<'_> {
    pub(crate) fn join(&mut self, left: Frame, right: Frame, join: &Join) -> Result<Frame> {
        let kind = join_type(join.join_type)?;
        if !join.using_columns.is_empty() {
            return self.join_using(left, right, kind, &join.using_columns);
        }
        self.join_on(left, right, kind, join.join_condition.as_deref())
    }

    pub(crate) fn join_on(
        &mut self,
        left: Frame,
        right: Frame,
        kind: JoinType,
        condition: Option<&Expression>,
    ) -> Result<Frame> {
        let columns: Vec<Column> = left.columns.iter().chain(&right.columns).cloned().collect();
        let schema = left.plan.schema().join(right.plan.schema())?;
        let condition = match condition {
            None => None,
            Some(condition) => {
                let resolver = Resolver {
                    outer: &self.outer,
                    context: self.frames.context(),
                    columns: &columns,
                    schema: &schema,
                    subqueries: &self.subqueries,
                    python: &self.python,
                    variables: Default::default(),
                };
                Some(resolver.named(condition)?.expr)
            }
        };
        if let Some(condition) = &condition {
            self.python_of_pairs(condition, kind, &left, &right)?;
        }
        let visible = if matches!(kind, JoinType::LeftSemi | JoinType::LeftAnti) {
            left.columns.clone()
        } else {
            columns
        };
        let builder = LogicalPlanBuilder::from(left.plan);
        let plan = match condition {
            None if kind == JoinType::Inner => builder.cross_join(right.plan)?,
            None => builder.join_on(right.plan, kind, [datafusion::logical_expr::lit(true)])?,
            Some(condition) => builder.join_on(right.plan, kind, [condition])?,
        };
        Ok(Frame { plan: plan.build()?, columns: visible })
    }

    /// Refuses functions of Python that look at both sides, where Spark does: it asks them after the join, which is the same
    /// only if no row stays that fits none.
    fn python_of_pairs(&self, condition: &Expr, kind: JoinType, left: &Frame, right: &Frame) -> Result<()> {
        let of = |expr: &Expr, frame: &Frame| {
            expr.column_refs().into_iter().any(|column| frame.plan.schema().has_column(column))
        };
        let of_both = |expr: &Expr| of(expr, left) && of(expr, right);
        let calls_both = |expr: &Expr| Call::within(expr).into_iter().any(of_both);
        if !calls_both(condition) {
            return Ok(());
        }
        if kind != JoinType::Inner {
            let text = format!(
                "The feature is not supported: Python UDF in the ON clause of a {} JOIN. In case of an INNER JOIN consider \
                 rewriting to a CROSS JOIN with a WHERE clause.",
                words(kind)
            );
            let condition = "UNSUPPORTED_FEATURE.PYTHON_UDF_IN_ON_CLAUSE";
            let error = SparkError::new(Class::Analysis, condition, "0A000", text);
            return Err(error.with("joinType", words(kind)));
        }
        let joins = split_conjunction(condition).into_iter().any(|part| of_both(part) && !calls_both(part));
        let allowed = self.session.setting("spark.sql.crossJoin.enabled");
        if !joins && allowed.is_some_and(|allowed| allowed.eq_ignore_ascii_case("false")) {
            let text = "Detected implicit cartesian product for INNER join between logical plans. Join condition is missing \
                        or trivial. Either: use the CROSS JOIN syntax to allow cartesian products between these relations, \
                        or: enable implicit cartesian products by setting the configuration variable \
                        spark.sql.crossJoin.enabled=true";
            return Err(SparkError::new(Class::Analysis, "", "", text));
        }
        Ok(())
    }

    /// Joined where columns of the same names are equal; each of these comes once.
    pub(crate) fn join_using(
        &mut self,
        left: Frame,
        right: Frame,
        kind: JoinType,
        names: &[String],
    ) -> Result<Frame> {
        let mut pairs = Vec::new();
        for name in names {
            pairs.push((find(&left, name, "left")?, find(&right, name, "right")?));
        }
        let equal: Vec<Expr> = pairs.iter().map(|(a, b)| a.expr().eq(b.expr())).collect();
        let (left_columns, right_columns) = (left.columns, right.columns);
        let plan = LogicalPlanBuilder::from(left.plan).join_on(right.plan, kind, equal)?.build()?;
        let only_left = matches!(kind, JoinType::LeftSemi | JoinType::LeftAnti);
        let mut columns = Vec::new();
        let mut made: Vec<Expr> = Vec::new();
        for (a, b) in &pairs {
            if only_left {
                columns.push(a.clone());
                continue;
            }
            let mut column = shared(a, b);
            match kind {
                JoinType::Full => {
                    column.id = self.new_id();
                    made.push(coalesce(vec![a.expr(), b.expr()]).alias(&column.id));
                }
                JoinType::Right => column.id.clone_from(&b.id),
                _ => {}
            }
            columns.push(column);
        }
        let rest = |columns: Vec<Column>, used: &dyn Fn(&Column) -> bool| {
            columns.into_iter().filter(|column| !used(column)).collect::<Vec<_>>()
        };
        columns.extend(rest(left_columns, &|column| pairs.iter().any(|(a, _)| a.id == column.id)));
        if !only_left {
            columns.extend(rest(right_columns, &|column| pairs.iter().any(|(_, b)| b.id == column.id)));
        }
        let plan = if made.is_empty() {
            plan
        } else {
            let all = plan.schema().columns().into_iter().map(Expr::Column);
            let exprs: Vec<Expr> = all.chain(made).collect();
            LogicalPlanBuilder::from(plan).project(exprs)?.build()?
        };
        Ok(Frame { plan, columns })
    }
}

/// As Spark writes it.
fn words(kind: JoinType) -> &'static str {
    match kind {
        JoinType::Full => "FULL OUTER",
        JoinType::Left => "LEFT OUTER",
        JoinType::Right => "RIGHT OUTER",
        JoinType::LeftAnti => "LEFT ANTI",
        JoinType::LeftSemi => "LEFT SEMI",
        _ => "INNER",
    }
}

/// What a join shows of two columns that are equal: under the names of both, with those columns behind it.
fn shared(a: &Column, b: &Column) -> Column {
    let mut column = a.clone();
    for (relation, between) in &b.relations {
        let nearest = column.relations.entry(*relation).or_insert(*between);
        *nearest = (*nearest).min(*between);
    }
    column.qualifiers.extend(b.qualifiers.iter().cloned());
    let bare = |column: &Column| Column { sides: Vec::new(), ..column.clone() };
    let of = |side: &Column| match side.sides.is_empty() {
        true => vec![bare(side)],
        false => side.sides.clone(),
    };
    column.sides = of(a);
    column.sides.extend(of(b));
    column
}

fn find(frame: &Frame, name: &str, side: &str) -> Result<Column> {
    let found = frame.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
    found.cloned().ok_or_else(|| {
        let known = frame.names().iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let text = format!(
            "USING column `{name}` cannot be resolved on the {side} side of the join. The {side}-side columns: \
             [{known}]."
        );
        SparkError::new(Class::Analysis, "UNRESOLVED_USING_COLUMN_FOR_JOIN", "42703", text)
    })
}
