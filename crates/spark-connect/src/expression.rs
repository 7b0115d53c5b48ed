//! Columns: a client's expressions become the planner's, under the names that Spark would give them.

use std::cell::RefCell;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::DFSchema;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, lit};
use datafusion::prelude::{cast, try_cast};
use engine::show::Zone;

use crate::error::{Result, SparkError};
use crate::plan::frame::{Column, Frame, of_relation};
use crate::python::Run;
use crate::schema;
use crate::show;
use crate::wire::deep::grown;
use crate::wire::expression::{Cast, CastTo, ExprType, Expression, SortOrder, UnresolvedStar};

pub(crate) mod build;
mod field;
mod frame;
mod function;
mod generator;
mod lambda;
pub(crate) mod literal;
mod name;
pub(crate) mod noted;
mod operator;
mod python;
mod random;
pub(crate) mod seeded;
mod shown;
mod special;
mod window;

pub(crate) use field::get;
pub(crate) use generator::{GENERATORS, Generator};
pub(crate) use name::{parts as name_parts, quoted as name_quoted};
pub(crate) use python::row;

/// An expression and how it is shown.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) expr: Expr,
    /// As a part of a longer one: `CAST(a AS STRING)`.
    pub(crate) name: String,
    /// As a column, if that differs: `a`.
    pub(crate) column: Option<String>,
    /// More names, of a generator that makes several columns.
    pub(crate) aliases: Vec<String>,
    /// It makes several rows from one.
    pub(crate) generator: Option<Generator>,
    /// The column that it is, unchanged.
    pub(crate) source: Option<Column>,
}

impl Named {
    pub(crate) fn new(expr: Expr, name: impl Into<String>) -> Self {
        Named { expr, name: name.into(), column: None, aliases: Vec::new(), generator: None, source: None }
    }

    /// What a column of this is called.
    pub(crate) fn column_name(&self) -> &str {
        self.column.as_deref().unwrap_or(&self.name)
    }
}

/// What the names in an expression may mean.
pub(crate) struct Resolver<'a> {
    pub(crate) context: &'a SessionContext,
    pub(crate) columns: &'a [Column],
    pub(crate) schema: &'a DFSchema,
    /// Frames of subqueries, by the number that expressions name them by.
    pub(crate) subqueries: &'a [(i64, Frame)],
    /// Frames around this query, whose columns it may name too; the nearest last.
    pub(crate) outer: &'a [Frame],
    /// Where Python functions run.
    pub(crate) python: &'a Arc<Run>,
    /// Parameters of the lambda functions around the expression.
    pub(crate) variables: RefCell<Vec<(String, FieldRef)>>,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(
        context: &'a SessionContext,
        frame: &'a Frame,
        subqueries: &'a [(i64, Frame)],
        python: &'a Arc<Run>,
    ) -> Self {
        let (columns, schema, variables) = (&frame.columns, frame.plan.schema(), RefCell::default());
        Resolver { context, columns, schema, subqueries, outer: &[], python, variables }
    }

    /// The zone that the expression counts in.
    pub(crate) fn zone(&self) -> Zone {
        engine::dataframe::zone_of(self.context)
    }

    /// The type that the expression has over these columns.
    pub(crate) fn type_of(&self, expr: &Expr) -> Result<DataType> {
        Ok(expr.get_type(self.schema)?)
    }

    /// Expressions of a list in which a star stands for several.
    pub(crate) fn list(&self, expressions: &[Expression]) -> Result<Vec<Named>> {
        let mut list = Vec::with_capacity(expressions.len());
        for expression in expressions {
            match &expression.expr_type {
                Some(ExprType::UnresolvedStar(star)) => list.extend(self.star(star)?),
                Some(ExprType::UnresolvedRegex(regex)) => list.extend(self.regex(&regex.col_name)?),
                _ => list.push(self.named(expression)?),
            }
        }
        Ok(list)
    }

    fn star(&self, star: &UnresolvedStar) -> Result<Vec<Named>> {
        let named = |column: &Column| Named {
            source: Some(column.clone()),
            ..Named::new(column.expr(), column.name.clone())
        };
        if let Some(plan) = star.plan_id {
            let own = of_relation(self.columns.iter().collect(), plan).into_iter();
            return Ok(own.map(|column| named(column.asked(None, Some(plan), self.schema))).collect());
        }
        let Some(target) = star.unparsed_target.as_deref() else {
            return Ok(self.columns.iter().map(named).collect());
        };
        let target = target.trim_end_matches(".*").trim_matches('`');
        let of = |column: &&Column| column.qualifiers.iter().any(|name| name.eq_ignore_ascii_case(target));
        let (own, wanted) = (self.columns.iter().filter(of), target.to_owned());
        let found: Vec<Named> =
            own.map(|column| named(column.asked(Some(&wanted), None, self.schema))).collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let around = self.star_around(target);
        if !around.is_empty() {
            return Ok(around);
        }
        let whole = self.attribute(target, None)?;
        let DataType::Struct(fields) = self.type_of(&whole.expr)? else {
            return Err(SparkError::invalid(format!(
                "{target}.* needs a struct or an alias, and is neither."
            )));
        };
        let get =
            |field: &FieldRef| Named::new(field::get(whole.expr.clone(), field.name()), field.name().clone());
        Ok(fields.iter().map(get).collect())
    }

    /// All columns of an alias in the query around this one; Spark looks no further.
    fn star_around(&self, alias: &str) -> Vec<Named> {
        let of = |column: &&Column| column.qualifiers.iter().any(|name| name.eq_ignore_ascii_case(alias));
        let Some(frame) = self.outer.last() else { return Vec::new() };
        frame.columns.iter().filter(of).map(|column| Resolver::around(frame, column)).collect()
    }

    fn regex(&self, pattern: &str) -> Result<Vec<Named>> {
        let wanted = pattern.trim_matches('`');
        let found: Vec<Named> = self
            .columns
            .iter()
            .filter(|column| name::matches(wanted, &column.name))
            .map(|column| Named {
                source: Some(column.clone()),
                ..Named::new(column.expr(), column.name.clone())
            })
            .collect();
        if found.is_empty() { Ok(vec![self.attribute(pattern, None)?]) } else { Ok(found) }
    }

    /// One expression.
    pub(crate) fn named(&self, expression: &Expression) -> Result<Named> {
        grown(|| self.of(expression)).map_err(|error| error.at(expression))
    }

    fn of(&self, expression: &Expression) -> Result<Named> {
        let kind = expression.expr_type.as_ref().ok_or_else(|| SparkError::missing("expression"))?;
        match kind {
            ExprType::Literal(value) => literal::named(value, self.zone()),
            ExprType::UnresolvedAttribute(attribute) => {
                self.attribute(&attribute.unparsed_identifier, attribute.plan_id)
            }
            ExprType::UnresolvedFunction(call) => self.sent(call),
            ExprType::CallFunction(call) => {
                self.function(&build::call(&call.function_name, call.arguments.clone()))
            }
            ExprType::ExpressionString(text) => self.named(&crate::sql::expression(&text.expression)?),
            ExprType::Alias(alias) => {
                let inner = alias.expr.as_ref().ok_or_else(|| SparkError::missing("expr"))?;
                let inner = self.named(inner)?;
                let column = alias.name.first().cloned();
                let source = inner.source.clone().filter(|source| alias.name.first() == Some(&source.name));
                let aliases = alias.name.clone();
                let name = format!("{} AS {}", inner.name, alias.name.join(", "));
                let named = Named { column, aliases, name, source, ..inner };
                Ok(match alias.metadata.as_deref().filter(|notes| !notes.is_empty()) {
                    Some(notes) => {
                        let expr = noted::with_notes(named.expr.clone(), notes);
                        let source = named.source.clone().filter(|_| expr == named.expr);
                        Named { expr, source, ..named }
                    }
                    None => named,
                })
            }
            ExprType::Cast(cast) => self.cast(cast),
            ExprType::SortOrder(order) => {
                let child = order.child.as_ref().ok_or_else(|| SparkError::missing("child"))?;
                Ok(Named::new(self.named(child)?.expr, self.order_text(order)?))
            }
            ExprType::UpdateFields(update) => self.updated(update),
            ExprType::Window(window) => self.window(window),
            ExprType::UnresolvedExtractValue(extract) => {
                let child = extract.child.as_ref().ok_or_else(|| SparkError::missing("child"))?;
                let key = extract.extraction.as_ref().ok_or_else(|| SparkError::missing("extraction"))?;
                self.extract(self.named(child)?, key)
            }
            ExprType::UnresolvedNamedLambdaVariable(variable) => {
                self.variable(&variable.name_parts.join("."))
            }
            ExprType::SubqueryExpression(subquery) => self.subquery(subquery),
            ExprType::CommonInlineUserDefinedFunction(function) => self.inline(function),
            ExprType::NamedArgumentExpression(named) => {
                self.named(named.value.as_ref().ok_or_else(|| SparkError::missing("value"))?)
            }
            ExprType::UnresolvedStar(_) => Err(SparkError::invalid("A star cannot stand here.")),
            _ => Err(SparkError::unsupported("this kind of expression")),
        }
    }

    fn cast(&self, message: &Cast) -> Result<Named> {
        const TRY: i32 = 3;
        let inner = self.named(message.expr.as_ref().ok_or_else(|| SparkError::missing("expr"))?)?;
        let data_type = match &message.cast_to_type {
            Some(CastTo::Type(data_type)) => {
                self.as_user_type(&inner, data_type)?;
                schema::message::read(data_type)?
            }
            Some(CastTo::TypeStr(text)) => schema::parse_type(text)?,
            None => return Err(SparkError::missing("cast_to_type")),
        };
        let word = if message.eval_mode == TRY { "TRY_CAST" } else { "CAST" };
        // As in Spark, of a cast to nested values nothing is shown.
        let name = match data_type.is_nested() {
            true => inner.name.clone(),
            false => format!("{word}({} AS {})", inner.name, schema::name(&data_type)),
        };
        // A column keeps its name through a cast, and so does what has been given one.
        let column = inner.source.as_ref().map(|_| inner.column_name().to_owned()).or(inner.column.clone());
        let from = self.type_of(&inner.expr).unwrap_or(DataType::Null);
        let expr = self.converted(inner.expr, &from, &data_type, message.eval_mode == TRY)?;
        let column = column.filter(|_| inner.aliases.len() <= 1);
        Ok(Named { column, ..Named::new(expr, name) })
    }

    /// A value in another type, by Spark's rules where they differ from the planner's.
    pub(crate) fn converted(
        &self,
        expr: Expr,
        from: &DataType,
        to: &DataType,
        lenient: bool,
    ) -> Result<Expr> {
        let plain = from.is_integer()
            || matches!(from, DataType::Utf8 | DataType::Binary | DataType::Boolean | DataType::Date32)
            || matches!(from, DataType::Decimal128(..) | DataType::Null);
        if *to == DataType::Utf8 && !plain && !from.is_nested() {
            return Ok(show::text().call(vec![expr]));
        }
        if may_fail(from, to) {
            let function = if lenient { "try_cast_to" } else { "cast_to" };
            let wanted = lit(engine::dataframe::type_name(to));
            return Ok(self.udf(function)?.call(vec![expr, wanted]));
        }
        Ok(if lenient { try_cast(expr, to.clone()) } else { cast(expr, to.clone()) })
    }

    /// The value of an alias or a column that an `ORDER BY` names.
    pub(crate) fn order(&self, order: &SortOrder) -> Result<datafusion::logical_expr::SortExpr> {
        let child = order.child.as_ref().ok_or_else(|| SparkError::missing("child"))?;
        Ok(Self::directed(self.named(child)?.expr, order))
    }

    /// A value, with the direction and the place of nulls that an order says.
    pub(crate) fn directed(expr: Expr, order: &SortOrder) -> datafusion::logical_expr::SortExpr {
        const DESCENDING: i32 = 2;
        const NULLS_FIRST: i32 = 1;
        const NULLS_LAST: i32 = 2;
        let ascending = order.direction != DESCENDING;
        let nulls_first = match order.null_ordering {
            NULLS_FIRST => true,
            NULLS_LAST => false,
            _ => ascending,
        };
        expr.sort(ascending, nulls_first)
    }

    /// The frame that an expression names by number.
    pub(crate) fn frame(&self, id: i64) -> Result<&Frame> {
        let found = self.subqueries.iter().find(|(known, _)| *known == id);
        found.map(|(_, frame)| frame).ok_or_else(|| SparkError::invalid("There is no such subquery."))
    }

    /// A plan as the planner's expressions hold it.
    pub(crate) fn subplan(frame: &Frame) -> Arc<LogicalPlan> {
        Arc::new(frame.plan.clone())
    }
}

/// Whether some values have no place in the other type, or another one than the planner gives them: then the engine's
/// cast knows Spark's words and numbers.
fn may_fail(from: &DataType, to: &DataType) -> bool {
    if from == to {
        return false;
    }
    if from.is_nested() {
        // Fields find their places by order in Spark, by name in the planner.
        return *to == DataType::Utf8 || to.is_nested();
    }
    match from {
        DataType::Utf8 => !matches!(to, DataType::Utf8 | DataType::Binary),
        // Spark counts seconds.
        DataType::Timestamp(..) if to.is_numeric() => true,
        from if from.is_numeric() && matches!(to, DataType::Timestamp(..)) => true,
        from if from.is_integer() => {
            let narrower = from.primitive_width() > to.primitive_width();
            (to.is_integer() && (narrower || from.is_unsigned_integer()))
                || matches!(to, DataType::Decimal128(..))
        }
        from if from.is_numeric() => to.is_integer() || matches!(to, DataType::Decimal128(..)),
        _ => false,
    }
}
