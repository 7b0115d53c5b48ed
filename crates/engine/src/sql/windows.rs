//! `window` as Spark's SQL knows it: a query that groups by `window(at, '10 minutes')` has a column of that name,
//! with `window.start` and `window.end`. DataFusion knows only the call, so the call is put where the name stands.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    AccessExpr, Expr, GroupByExpr, Ident, OrderByKind, Query, Select, SelectItem, SetExpr, Subscript, Value,
    VisitMut, VisitorMut, visit_expressions_mut,
};

/// The functions whose result is a column of their name.
const WINDOWS: [&str; 2] = ["window", "session_window"];

/// Stands for the call while names are replaced: the call's own arguments may name an inner query's window.
const PLACE: &str = "__window_call";

/// Puts the calls into the query and everything inside of it.
pub(super) fn name_windows(query: &mut Query) {
    let _ = query.visit(&mut Namer);
}

struct Namer;

impl VisitorMut for Namer {
    type Break = ();

    /// `INTERVAL 1 MINUTE` as `INTERVAL '1' MINUTE`: the only form that a window frame may have in DataFusion.
    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if let Expr::Interval(interval) = expression
            && let Expr::Value(value) = interval.value.as_mut()
            && let Value::Number(number, _) = &value.value
        {
            value.value = Value::SingleQuotedString(number.to_string());
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let Some((call, name)) = select_of(&mut query.body).and_then(grouping) else {
            return ControlFlow::Continue(());
        };
        if let Some(select) = select_of(&mut query.body) {
            for item in &mut select.projection {
                name_item(item, &call, name);
            }
            if let Some(having) = &mut select.having {
                name_expression(having, &call, name);
            }
        }
        if let Some(order) = &mut query.order_by
            && let OrderByKind::Expressions(expressions) = &mut order.kind
        {
            for expression in expressions {
                name_expression(&mut expression.expr, &call, name);
            }
        }
        ControlFlow::Continue(())
    }
}

fn select_of(body: &mut SetExpr) -> Option<&mut Select> {
    match body {
        SetExpr::Select(select) => Some(select),
        _ => None,
    }
}

/// The window that the query groups by, or the one that it selects, and its name.
fn grouping(select: &mut Select) -> Option<(Expr, &'static str)> {
    let GroupByExpr::Expressions(groups, _) = &select.group_by else { return None };
    let plain = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(expression) => Some(expression.clone()),
        _ => None,
    };
    let mut candidates = groups.iter().cloned().chain(select.projection.iter().filter_map(plain));
    candidates.find_map(|expression| call_name(&expression).map(|name| (expression, name)))
}

fn call_name(expression: &Expr) -> Option<&'static str> {
    let Expr::Function(function) = expression else { return None };
    WINDOWS.into_iter().find(|name| function.name.to_string().eq_ignore_ascii_case(name))
}

/// A column keeps the name that Spark gives it.
fn name_item(item: &mut SelectItem, call: &Expr, name: &'static str) {
    let alias = match item {
        SelectItem::UnnamedExpr(expression) if expression == call || is_name(expression, name) => {
            Some(name.to_owned())
        }
        SelectItem::UnnamedExpr(expression) => part(expression, name).map(|part| part.value.clone()),
        _ => None,
    };
    let (SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. }) = item
    else {
        return;
    };
    name_expression(expression, call, name);
    if let Some(alias) = alias {
        let (expr, alias) = (expression.clone(), Ident::new(alias));
        *item = SelectItem::ExprWithAlias { expr, alias };
    }
}

fn name_expression(expression: &mut Expr, call: &Expr, name: &'static str) {
    let place = || Expr::Identifier(Ident::new(PLACE));
    if expression == call {
        return;
    }
    let _ = visit_expressions_mut(expression, |inner| {
        if inner == call || is_name(inner, name) {
            *inner = place();
        } else if let Some(part) = part(inner, name) {
            let key = Expr::Value(Value::SingleQuotedString(part.value.clone()).into());
            let access_chain = vec![AccessExpr::Subscript(Subscript::Index { index: key })];
            *inner = Expr::CompoundFieldAccess { root: Box::new(place()), access_chain };
        }
        ControlFlow::<()>::Continue(())
    });
    let _ = visit_expressions_mut(expression, |inner| {
        if is_name(inner, PLACE) {
            *inner = call.clone();
        }
        ControlFlow::<()>::Continue(())
    });
}

fn is_name(expression: &Expr, name: &str) -> bool {
    matches!(expression, Expr::Identifier(identifier) if identifier.value.eq_ignore_ascii_case(name))
}

/// `start` of `window.start`.
fn part<'a>(expression: &'a Expr, name: &str) -> Option<&'a Ident> {
    match expression {
        Expr::CompoundIdentifier(parts) => match parts.as_slice() {
            [window, part] if window.value.eq_ignore_ascii_case(name) => Some(part),
            _ => None,
        },
        _ => None,
    }
}
