//! What Spark's SQL says in words of its own, said in the planner's: before a query is planned, its syntax tree
//! is walked once.

use std::ops::ControlFlow;

use datafusion::arrow::datatypes::Fields;
use datafusion::sql::sqlparser::ast::{
    AccessExpr, BinaryOperator, CastKind, CeilFloorKind, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentList, FunctionArguments, GroupByExpr, Ident, LimitClause, NamedWindowDefinition,
    NamedWindowExpr, ObjectName, ObjectNamePart, OrderByKind, Query, Select, Subscript, TableFactor,
    UnaryOperator, Value, VisitMut as _, VisitorMut, WindowFrameBound, WindowSpec, WindowType,
};

mod calls;
mod clauses;
mod generate;
mod names;
mod pivot;
mod types;

/// What a query in the planner's words shows, if it can be planned by itself: for what depends on columns that the
/// syntax does not name.
pub(crate) type Shows<'a> = &'a dyn Fn(Query) -> Option<Fields>;

/// Puts the planner's words in the place of Spark's.
pub(crate) fn query(query: &mut Query, shows: Shows<'_>) {
    // The walk never breaks off.
    let _ = query.visit(&mut Walk { generated: 0, shows });
}

struct Walk<'a> {
    /// How many columns of generators were named.
    generated: usize,
    shows: Shows<'a>,
}

impl Walk<'_> {
    /// What a query in Spark's words shows.
    fn columns(&self, mut asked: Query) -> Option<Fields> {
        query(&mut asked, self.shows);
        (self.shows)(asked)
    }
}

impl VisitorMut for Walk<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let with = query.with.clone();
        clauses::query(query, &|mut asked| {
            asked.with = with.clone();
            self.columns(asked)
        });
        match &mut query.limit_clause {
            Some(LimitClause::LimitOffset { limit, offset, .. }) => {
                limit.iter_mut().for_each(keep_number);
                offset.iter_mut().for_each(|offset| keep_number(&mut offset.value));
            }
            Some(LimitClause::OffsetCommaLimit { offset, limit }) => {
                keep_number(offset);
                keep_number(limit);
            }
            None => {}
        }
        if let Some(order) = &mut query.order_by
            && let OrderByKind::Expressions(expressions) = &mut order.kind
        {
            expressions.iter_mut().for_each(|by| keep_number(&mut by.expr));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let columns = |asked| self.columns(asked);
        clauses::select(select, &columns);
        clauses::stars(select, &columns);
        names::select(select);
        mark_named_frames(select, true);
        if let GroupByExpr::Expressions(expressions, _) = &mut select.group_by {
            expressions.iter_mut().for_each(keep_number);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<()> {
        clauses::range(table);
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        mark_named_frames(select, false);
        generate::select(select, &mut self.generated, self.shows);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if let Some(said) = clauses::condition(expression) {
            *expression = said;
        }
        match expression {
            Expr::Interval(interval) => {
                let (sign, count) = match interval.value.as_ref() {
                    Expr::UnaryOp { op: UnaryOperator::Minus, expr } => ("-", expr.as_ref()),
                    count => ("", count),
                };
                if let Expr::Value(value) = count
                    && let Value::Number(digits, _) = &value.value
                {
                    *interval.value = text(format!("{sign}{digits}"));
                }
            }
            // How many digits are shown is said once for all rows.
            Expr::Function(function)
                if name_of(function)
                    .is_some_and(|name| matches!(name.as_str(), "ceil" | "ceiling" | "floor")) =>
            {
                arguments(function).into_iter().skip(1).for_each(keep_number);
            }
            // These take whole numbers as they stand.
            Expr::Function(function)
                if function.over.is_some() || name_of(function).is_some_and(|name| name == "forecast") =>
            {
                arguments(function).into_iter().for_each(keep_number);
                if let Some(WindowType::WindowSpec(window)) = &mut function.over {
                    mark_frame(window, true);
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if let Expr::Function(Function { over: Some(WindowType::WindowSpec(window)), .. }) = expression {
            // The planner takes the number of a frame without any mark.
            mark_frame(window, false);
        }
        if let Some(said) = said_otherwise(expression) {
            *expression = said;
        }
        ControlFlow::Continue(())
    }
}

/// Marks the numbers of a window's frame, such as `4 PRECEDING`, or takes the mark away.
fn mark_frame(window: &mut WindowSpec, marked: bool) {
    let Some(frame) = &mut window.window_frame else { return };
    for bound in [Some(&mut frame.start_bound), frame.end_bound.as_mut()].into_iter().flatten() {
        if let WindowFrameBound::Preceding(Some(count)) | WindowFrameBound::Following(Some(count)) = bound
            && let Expr::Value(value) = count.as_mut()
            && let Value::Number(_, long) = &mut value.value
        {
            *long = marked;
        }
    }
}

/// The same of windows that are said below, `WINDOW w AS (...)`.
fn mark_named_frames(select: &mut Select, marked: bool) {
    for NamedWindowDefinition(_, window) in &mut select.named_window {
        if let NamedWindowExpr::WindowSpec(window) = window {
            mark_frame(window, marked);
        }
    }
}

/// Marks a whole number that stands for a position or a count and not for a value.
fn keep_number(expression: &mut Expr) {
    match expression {
        Expr::Value(value) => {
            if let Value::Number(_, long) = &mut value.value {
                *long = true;
            }
        }
        Expr::UnaryOp { expr, .. } => keep_number(expr),
        _ => {}
    }
}

fn said_otherwise(expression: &mut Expr) -> Option<Expr> {
    match expression {
        Expr::Value(value) => match &value.value {
            // Whole numbers are INT where they fit, as in Spark; `1L` is not.
            Value::Number(digits, false) if digits.parse::<i32>().is_ok() => Some(Expr::Cast {
                kind: CastKind::Cast,
                expr: Box::new(expression.clone()),
                data_type: datafusion::sql::sqlparser::ast::DataType::Int(None),
                array: false,
                format: None,
            }),
            _ => None,
        },
        Expr::Cast { kind, expr, data_type, format: None, .. } => {
            let name = match kind {
                CastKind::Cast | CastKind::DoubleColon => "cast_to",
                CastKind::TryCast | CastKind::SafeCast => "try_cast_to",
            };
            Some(call(name, vec![take(expr), text(types::spelled(data_type)?)]))
        }
        Expr::TypedString(typed) => {
            let spelled = types::spelled(&typed.data_type).filter(|name| name.starts_with("TIMESTAMP"))?;
            Some(call("cast_to", vec![Expr::Value(typed.value.clone()), text(spelled)]))
        }
        Expr::UnaryOp { op: UnaryOperator::BitwiseNot, expr } => Some(call("bitwise_not", vec![take(expr)])),
        Expr::Substring { expr, substring_from, substring_for, .. } => {
            let mut given = vec![take(expr)];
            given.extend(substring_from.iter_mut().chain(substring_for).map(|bound| take(bound)));
            Some(call("substring", given))
        }
        Expr::Extract { field, expr, .. } => {
            Some(call("date_part", vec![text(field.to_string()), take(expr)]))
        }
        Expr::Ceil { expr, field: CeilFloorKind::Scale(digits) } => {
            Some(call("ceil_to", vec![take(expr), Expr::Value(digits.clone())]))
        }
        Expr::Floor { expr, field: CeilFloorKind::Scale(digits) } => {
            Some(call("floor_to", vec![take(expr), Expr::Value(digits.clone())]))
        }
        Expr::BinaryOp { left, op, right } => shifted(left, op, right),
        Expr::RLike { negated, expr, pattern, .. } => {
            let like = call("regexp_like", vec![take(expr), take(pattern)]);
            Some(if *negated { not(like) } else { like })
        }
        Expr::Struct { values, fields } if fields.is_empty() => {
            Some(calls::structure(std::mem::take(values)))
        }
        Expr::CompoundFieldAccess { root, access_chain } => {
            Some(accessed(take(root), std::mem::take(access_chain)))
        }
        Expr::Function(function) => calls::function(function),
        _ => None,
    }
}

/// `a << 2` and its kin.
fn shifted(left: &mut Expr, op: &BinaryOperator, right: &mut Expr) -> Option<Expr> {
    let name = match op {
        BinaryOperator::PGBitwiseShiftLeft => "shiftleft",
        BinaryOperator::PGBitwiseShiftRight => "shiftright",
        BinaryOperator::Custom(sign) if sign == ">>>" => "shiftrightunsigned",
        _ => return None,
    };
    Some(call(name, vec![take(left), take(right)]))
}

/// `a[0].b['c']`: arrays are counted from 0.
fn accessed(root: Expr, chain: Vec<AccessExpr>) -> Expr {
    let (mut found, mut path) = match root {
        Expr::Identifier(name) => (None, vec![name]),
        Expr::CompoundIdentifier(names) => (None, names),
        other => (Some(other), Vec::new()),
    };
    for step in chain {
        let key = match step {
            AccessExpr::Dot(Expr::Identifier(name)) if found.is_none() => {
                path.push(name);
                continue;
            }
            AccessExpr::Dot(Expr::Identifier(name)) => text(name.value),
            AccessExpr::Dot(other) | AccessExpr::Subscript(Subscript::Index { index: other }) => other,
            AccessExpr::Subscript(_) => continue,
        };
        let inner = found.unwrap_or_else(|| identifier(std::mem::take(&mut path)));
        found = Some(call("subscript", vec![inner, key]));
    }
    found.unwrap_or_else(|| identifier(path))
}

fn identifier(mut path: Vec<Ident>) -> Expr {
    match path.pop() {
        Some(only) if path.is_empty() => Expr::Identifier(only),
        last => Expr::CompoundIdentifier(path.into_iter().chain(last).collect()),
    }
}

fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    let args = arguments.into_iter().map(|argument| FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)));
    let list = FunctionArgumentList { duplicate_treatment: None, args: args.collect(), clauses: Vec::new() };
    Expr::Function(Function {
        name: ObjectName(vec![ObjectNamePart::Identifier(Ident::new(name))]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(list),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

fn not(expression: Expr) -> Expr {
    Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(Expr::Nested(Box::new(expression))) }
}

fn text(value: impl Into<String>) -> Expr {
    Expr::value(Value::SingleQuotedString(value.into()))
}

fn number(value: usize) -> Expr {
    Expr::value(Value::Number(value.to_string(), true))
}

fn null() -> Expr {
    Expr::value(Value::Null)
}

/// The expression, which leaves NULL behind.
fn take(expression: &mut Expr) -> Expr {
    std::mem::replace(expression, null())
}

/// The plain arguments of a call.
fn arguments(function: &mut Function) -> Vec<&mut Expr> {
    let FunctionArguments::List(list) = &mut function.args else { return Vec::new() };
    let plain = list.args.iter_mut().filter_map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) => Some(argument),
        _ => None,
    });
    plain.collect()
}

/// A function's name in lower case, if it is a single word.
fn name_of(function: &Function) -> Option<String> {
    match function.name.0.as_slice() {
        [ObjectNamePart::Identifier(name)] => Some(name.value.to_lowercase()),
        _ => None,
    }
}
