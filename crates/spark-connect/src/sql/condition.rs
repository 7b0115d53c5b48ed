//! Conditions, `CASE`, and `OVER`.

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, NamedWindowDefinition, NamedWindowExpr, OrderByExpr, ValueWithSpan, WindowFrameBound,
    WindowFrameUnits, WindowSpec, WindowType,
};

use crate::error::{Class, Result, SparkError};
use crate::expression::build;
use crate::sql::read::{ORDERED, Reader, negate};
use crate::wire::expression::{
    Boundary, ExprType, Expression, FrameBoundary, LiteralType, SortOrder, Window, WindowFrame,
};

impl Reader<'_> {
    /// What answers with true or false, and `CASE`.
    pub(super) fn condition(&mut self, expr: &Expr) -> Result<Option<Expression>> {
        let truth = |value: bool| build::literal(LiteralType::Boolean(value));
        let found = match expr {
            Expr::IsNull(inner) | Expr::IsUnknown(inner) => {
                build::function("isnull", vec![self.expression(inner)?])
            }
            Expr::IsNotNull(inner) | Expr::IsNotUnknown(inner) => {
                build::function("isnotnull", vec![self.expression(inner)?])
            }
            Expr::IsTrue(inner) => build::function("<=>", vec![self.expression(inner)?, truth(true)]),
            Expr::IsFalse(inner) => build::function("<=>", vec![self.expression(inner)?, truth(false)]),
            Expr::IsNotTrue(inner) => {
                negate(build::function("<=>", vec![self.expression(inner)?, truth(true)]), true)
            }
            Expr::IsNotFalse(inner) => {
                negate(build::function("<=>", vec![self.expression(inner)?, truth(false)]), true)
            }
            Expr::IsNotDistinctFrom(a, b) => {
                build::function("<=>", vec![self.expression(a)?, self.expression(b)?])
            }
            Expr::IsDistinctFrom(a, b) => {
                negate(build::function("<=>", vec![self.expression(a)?, self.expression(b)?]), true)
            }
            Expr::InList { expr, list, negated } if several(expr, list) => {
                negate(self.one_of_rows(expr, list)?, *negated)
            }
            Expr::InList { expr, list, negated } => {
                let mut arguments = vec![self.expression(expr)?];
                for item in list {
                    arguments.push(self.expression(item)?);
                }
                negate(build::function("in", arguments), *negated)
            }
            Expr::Between { expr, negated, low, high } => {
                let arguments = vec![self.expression(expr)?, self.expression(low)?, self.expression(high)?];
                negate(build::function("between", arguments), *negated)
            }
            Expr::Like { negated, expr, pattern, escape_char, .. } => {
                self.like("like", expr, pattern, escape_char.as_ref(), *negated)?
            }
            Expr::ILike { negated, expr, pattern, escape_char, .. } => {
                self.like("ilike", expr, pattern, escape_char.as_ref(), *negated)?
            }
            Expr::RLike { negated, expr, pattern, .. } => negate(
                build::function("rlike", vec![self.expression(expr)?, self.expression(pattern)?]),
                *negated,
            ),
            Expr::Case { operand, conditions, else_result, .. } => {
                let operand = operand.as_ref().map(|operand| self.expression(operand)).transpose()?;
                let mut arguments = Vec::new();
                for branch in conditions {
                    let condition = self.expression(&branch.condition)?;
                    arguments.push(match &operand {
                        Some(operand) => build::function("=", vec![operand.clone(), condition]),
                        None => condition,
                    });
                    arguments.push(self.expression(&branch.result)?);
                }
                if let Some(otherwise) = else_result {
                    arguments.push(self.expression(otherwise)?);
                }
                build::function("when", arguments)
            }
            _ => return Ok(None),
        };
        Ok(Some(found))
    }

    /// `(a, b) IN ((1, 2), (3, 4))`.
    fn one_of_rows(&mut self, columns: &Expr, rows: &[Expr]) -> Result<Expression> {
        let Expr::Tuple(columns) = columns else { return Err(SparkError::missing("columns")) };
        let mut found = Vec::new();
        for row in rows {
            let Expr::Tuple(values) = row else { return Err(SparkError::missing("values")) };
            let mut same = Vec::new();
            for (column, value) in columns.iter().zip(values) {
                let pair = vec![self.expression(column)?, self.expression(value)?];
                same.push(build::function("=", pair));
            }
            found.extend(same.into_iter().reduce(|a, b| build::function("and", vec![a, b])));
        }
        let found = found.into_iter().reduce(|a, b| build::function("or", vec![a, b]));
        Ok(found.unwrap_or_else(|| build::literal(LiteralType::Boolean(false))))
    }

    /// `LIKE pattern`, `LIKE ANY (patterns)`, `LIKE ALL (patterns)`.
    fn like(
        &mut self,
        name: &str,
        expr: &Expr,
        pattern: &Expr,
        escape: Option<&ValueWithSpan>,
        negated: bool,
    ) -> Result<Expression> {
        let value = self.expression(expr)?;
        let (patterns, all) = match pattern {
            Expr::Function(call) => {
                match (call.name.to_string().to_lowercase().as_str(), self.list(&call.args)?) {
                    ("all", (patterns, _)) => (patterns, true),
                    ("any" | "some", (patterns, _)) => (patterns, false),
                    _ => (vec![self.expression(pattern)?], true),
                }
            }
            Expr::Tuple(items) => {
                (items.iter().map(|item| self.expression(item)).collect::<Result<Vec<_>>>()?, false)
            }
            pattern => (vec![self.expression(pattern)?], true),
        };
        let escape = escape.map(|escape| self.value(&escape.value)).transpose()?;
        let one = |pattern: Expression| {
            let arguments = [value.clone(), pattern].into_iter().chain(escape.clone()).collect();
            negate(build::function(name, arguments), negated)
        };
        let word = if all { "and" } else { "or" };
        let joined = patterns.into_iter().map(one).reduce(|a, b| build::function(word, vec![a, b]));
        joined.ok_or_else(|| SparkError::parse("Expected something between '(' and ')'".to_owned()))
    }

    pub(super) fn order(&mut self, order: &OrderByExpr) -> Result<SortOrder> {
        let ascending = order.options.asc.unwrap_or(true);
        let null_ordering = match order.options.nulls_first {
            Some(true) => 1,
            Some(false) => 2,
            None => 0,
        };
        let child = Some(Box::new(self.expression(&order.expr)?));
        Ok(SortOrder { child, direction: if ascending { 1 } else { 2 }, null_ordering })
    }

    pub(super) fn over(&mut self, function: Expression, over: &WindowType) -> Result<Expression> {
        let spec = match over {
            WindowType::WindowSpec(spec) => spec.clone(),
            WindowType::NamedWindow(name) => self.window(name)?,
        };
        let ordered = !spec.order_by.is_empty() || spec.window_frame.is_some();
        if ordered && orders_itself(&function) {
            let text = "Cannot specify ORDER BY or a window frame for an aggregate that has WITHIN GROUP.";
            let condition = "INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC";
            return Err(SparkError::new(Class::Analysis, condition, "42601", text));
        }
        let mut window = Window { window_function: Some(Box::new(function)), ..Default::default() };
        for key in &spec.partition_by {
            window.partition_spec.push(self.expression(key)?);
        }
        for key in &spec.order_by {
            window.order_spec.push(self.order(key)?);
        }
        if let Some(frame) = &spec.window_frame {
            let frame_type = match frame.units {
                WindowFrameUnits::Rows => 1,
                WindowFrameUnits::Range => 2,
                WindowFrameUnits::Groups => return Err(SparkError::unsupported("windows of groups")),
            };
            let lower = self.boundary(&frame.start_bound)?;
            let upper = frame.end_bound.as_ref().unwrap_or(&WindowFrameBound::CurrentRow);
            let upper = self.boundary(upper)?;
            window.frame_spec = Some(WindowFrame { frame_type, lower: Some(lower), upper: Some(upper) });
        }
        Ok(build::kind(ExprType::Window(Box::new(window))))
    }

    /// The window of a name; names may stand for names.
    fn window(&self, name: &Ident) -> Result<WindowSpec> {
        let mut name = name;
        for _ in 0..=self.windows.len() {
            let found = self
                .windows
                .iter()
                .find(|NamedWindowDefinition(known, _)| known.value.eq_ignore_ascii_case(&name.value));
            match found {
                Some(NamedWindowDefinition(_, NamedWindowExpr::WindowSpec(spec))) => return Ok(spec.clone()),
                Some(NamedWindowDefinition(_, NamedWindowExpr::NamedWindow(other))) => name = other,
                None => break,
            }
        }
        let text = format!("Window specification {} is not defined in the WINDOW clause.", name.value);
        Err(SparkError::new(Class::Analysis, "MISSING_WINDOW_SPECIFICATION", "42P20", text))
    }

    fn boundary(&mut self, bound: &WindowFrameBound) -> Result<FrameBoundary> {
        let boundary = match bound {
            WindowFrameBound::CurrentRow => Boundary::CurrentRow(true),
            WindowFrameBound::Preceding(None) | WindowFrameBound::Following(None) => {
                Boundary::Unbounded(true)
            }
            WindowFrameBound::Following(Some(steps)) => Boundary::Value(Box::new(self.expression(steps)?)),
            WindowFrameBound::Preceding(Some(steps)) => {
                let back = build::function("-", vec![self.expression(steps)?]);
                Boundary::Value(Box::new(back))
            }
        };
        Ok(FrameBoundary { boundary: Some(boundary) })
    }
}

/// Whether rows of columns are looked for among rows of as many values.
fn several(columns: &Expr, rows: &[Expr]) -> bool {
    let Expr::Tuple(columns) = columns else { return false };
    rows.iter().all(|row| matches!(row, Expr::Tuple(values) if values.len() == columns.len()))
}

/// Whether the function has `WITHIN GROUP`, or is of the kind that has.
fn orders_itself(function: &Expression) -> bool {
    matches!(&function.expr_type, Some(ExprType::UnresolvedFunction(call))
        if call.function_name == ORDERED || call.function_name.eq_ignore_ascii_case("median"))
}
