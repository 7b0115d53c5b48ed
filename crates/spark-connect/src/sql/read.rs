//! Expressions of SQL, as the messages a client would send.

use std::cell::Cell;

use datafusion::sql::sqlparser::ast::{
    AccessExpr, BinaryOperator, CastKind, CeilFloorKind, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, Ident, NamedWindowDefinition, ObjectName, Query, Subscript, TrimWhereField,
    UnaryOperator,
};

use engine::language::TABLE_ARGUMENT;

use crate::error::{Class, Result, SparkError};
use crate::expression::{build, name_quoted};
use crate::plan::TABLE_ARG;
use crate::sql::value::spelled;
use crate::sql::{Arguments, wrong};
use crate::wire::expression::{
    ExprType, Expression, LambdaFunction, SubqueryExpression, SubqueryExpressionTableArgOptions,
    UnresolvedExtractValue, UnresolvedNamedLambdaVariable,
};

/// Reads the expressions of one query.
pub(super) struct Reader<'a> {
    pub(super) arguments: &'a Arguments,
    pub(super) place: Cell<usize>,
    /// The number of the first query inside; the others lie below it.
    first: i64,
    /// The queries inside, by the number that the expressions have for them.
    pub(super) subqueries: Vec<(i64, Box<Query>)>,
    /// What `OVER name` means.
    pub(super) windows: Vec<NamedWindowDefinition>,
    /// How deep functions of SQL have called each other.
    calls: usize,
}

/// Functions whose first argument of three is a unit of time.
const UNIT_FIRST: [&str; 6] =
    ["timestampadd", "timestampdiff", "dateadd", "datediff", "date_add", "date_diff"];

/// What `FILTER (WHERE ...)` is as a call.
pub(crate) const FILTERED: &str = "filter where";

/// What a typed literal, `DATE'2020-01-01'`, is as a call: no script can write this name.
pub(crate) const TYPED: &str = "typed literal";

/// What a call is as another one: the value, and what it is shown as, in pieces.
pub(crate) const CALLED: &str = "called";

/// What `WITHIN GROUP (ORDER BY ...)` is as a call: the aggregate, the order, and what it is shown as, in pieces.
pub(crate) const ORDERED: &str = "within group";

/// Kinds of subqueries that no client sends: `(a, b) IN (SELECT ...)`, and `NOT IN`.
pub(crate) const ONE_OF: i32 = 101;
pub(crate) const NONE_OF: i32 = 102;

/// How deep functions of SQL may call each other.
const CALLS_MAX: usize = 20;

/// The parts of a name.
pub(super) fn object(name: &ObjectName) -> Vec<String> {
    name.0
        .iter()
        .map(|part| part.as_ident().map_or_else(|| part.to_string(), |ident| ident.value.clone()))
        .collect()
}

impl<'a> Reader<'a> {
    pub(super) fn new(arguments: &'a Arguments, first: i64) -> Self {
        Reader {
            arguments,
            place: Cell::new(0),
            first,
            subqueries: Vec::new(),
            windows: Vec::new(),
            calls: 0,
        }
    }

    fn both(&mut self, name: &str, left: &Expr, right: &Expr) -> Result<Expression> {
        Ok(build::function(name, vec![self.expression(left)?, self.expression(right)?]))
    }

    fn one(&mut self, name: &str, expr: &Expr) -> Result<Expression> {
        Ok(build::function(name, vec![self.expression(expr)?]))
    }

    pub(super) fn expression(&mut self, expr: &Expr) -> Result<Expression> {
        match expr {
            Expr::Identifier(name) => self.identifier(name),
            Expr::CompoundIdentifier(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| part.value.clone()).collect();
                Ok(build::attribute(&name_quoted(&parts)))
            }
            Expr::CompoundFieldAccess { root, access_chain } => self.access(root, access_chain),
            Expr::Nested(inner) => self.expression(inner),
            Expr::Value(value) => self.value(&value.value),
            Expr::TypedString(typed) => {
                let text = self.value(&typed.value.value)?;
                let kind = build::text(typed.data_type.to_string().to_uppercase());
                Ok(build::function(TYPED, vec![kind, text]))
            }
            Expr::Interval(interval) => self.interval(interval),
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right),
            Expr::UnaryOp { op, expr } => self.unary(*op, expr),
            Expr::Cast { kind, expr, data_type, .. } => {
                let lenient = matches!(kind, CastKind::TryCast | CastKind::SafeCast);
                Ok(build::cast(self.expression(expr)?, spelled(data_type), lenient))
            }
            Expr::Function(call) => self.call(call),
            Expr::Lambda(lambda) => {
                let names = lambda.params.iter().map(|parameter| parameter.name.value.clone());
                let variable = |name| UnresolvedNamedLambdaVariable { name_parts: vec![name] };
                let arguments = names.map(variable).collect();
                let function = Some(Box::new(self.expression(&lambda.body)?));
                Ok(build::kind(ExprType::LambdaFunction(Box::new(LambdaFunction { function, arguments }))))
            }
            Expr::Subquery(query) => self.inner(query, 1, Vec::new()),
            Expr::Exists { subquery, negated } => {
                let found = self.inner(subquery, 2, Vec::new())?;
                Ok(negate(found, *negated))
            }
            Expr::InSubquery { expr, subquery, negated } if matches!(expr.as_ref(), Expr::Tuple(_)) => {
                let Expr::Tuple(columns) = expr.as_ref() else { return Err(SparkError::missing("columns")) };
                let values = columns.iter().map(|column| self.expression(column)).collect::<Result<_>>()?;
                self.inner(subquery, if *negated { NONE_OF } else { ONE_OF }, values)
            }
            Expr::InSubquery { expr, subquery, negated } => {
                let values = parts(self.expression(expr)?);
                if values.len() > 1 {
                    return self.inner(subquery, if *negated { NONE_OF } else { ONE_OF }, values);
                }
                let found = self.inner(subquery, 4, values)?;
                Ok(negate(found, *negated))
            }
            Expr::Struct { values, fields } if fields.is_empty() => {
                let items = values.iter().map(|item| self.expression(item)).collect::<Result<Vec<_>>>()?;
                Ok(build::function("struct", items))
            }
            Expr::Named { expr, name } => Ok(build::alias(self.expression(expr)?, vec![name.value.clone()])),
            Expr::Tuple(items) => {
                let items = items.iter().map(|item| self.expression(item)).collect::<Result<Vec<_>>>()?;
                Ok(build::function("struct", items))
            }
            Expr::Array(array) => {
                let items =
                    array.elem.iter().map(|item| self.expression(item)).collect::<Result<Vec<_>>>()?;
                Ok(build::function("array", items))
            }
            Expr::Wildcard(_) => Ok(build::star(None)),
            Expr::QualifiedWildcard(of, _) => Ok(build::star(Some(of.to_string()))),
            other => match self.condition(other)? {
                Some(expression) => Ok(expression),
                None => self.spelled(other),
            },
        }
    }

    fn identifier(&mut self, name: &Ident) -> Result<Expression> {
        if name.quote_style == Some('"') {
            return Ok(build::text(&name.value));
        }
        let bare = name.quote_style.is_none();
        let word = name.value.to_ascii_lowercase();
        let known =
            ["current_date", "current_timestamp", "current_user", "session_user", "user", "localtimestamp"];
        if bare && known.contains(&word.as_str()) {
            return Ok(build::function(&word, Vec::new()));
        }
        Ok(build::attribute(&name_quoted(std::slice::from_ref(&name.value))))
    }

    fn access(&mut self, root: &Expr, chain: &[AccessExpr]) -> Result<Expression> {
        let mut whole = self.expression(root)?;
        for access in chain {
            let extraction = match access {
                AccessExpr::Dot(Expr::Identifier(name)) => build::text(&name.value),
                AccessExpr::Subscript(Subscript::Index { index }) => self.expression(index)?,
                _ => return Err(SparkError::unsupported(format!("the part {access} of a value"))),
            };
            let (child, extraction) = (Some(Box::new(whole)), Some(Box::new(extraction)));
            let extract = UnresolvedExtractValue { child, extraction };
            whole = build::kind(ExprType::UnresolvedExtractValue(Box::new(extract)));
        }
        Ok(whole)
    }

    fn binary(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Result<Expression> {
        let name = match op {
            BinaryOperator::StringConcat => "concat",
            BinaryOperator::And => "and",
            BinaryOperator::Or => "or",
            BinaryOperator::MyIntegerDivide | BinaryOperator::DuckIntegerDivide => "div",
            BinaryOperator::Spaceship => "<=>",
            BinaryOperator::NotEq => "!=",
            BinaryOperator::Eq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq
            | BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Modulo
            | BinaryOperator::BitwiseAnd
            | BinaryOperator::BitwiseOr => return self.both(&op.to_string(), left, right),
            BinaryOperator::BitwiseXor => "^",
            BinaryOperator::PGBitwiseShiftLeft => "<<",
            BinaryOperator::PGBitwiseShiftRight => ">>",
            BinaryOperator::Custom(sign) if sign == ">>>" => ">>>",
            _ => return Err(SparkError::unsupported(format!("the operator {op}"))),
        };
        self.both(name, left, right)
    }

    fn unary(&mut self, op: UnaryOperator, expr: &Expr) -> Result<Expression> {
        match op {
            UnaryOperator::Not | UnaryOperator::BangNot => self.one("not", expr),
            UnaryOperator::Plus => self.expression(expr),
            UnaryOperator::Minus => match expr {
                Expr::Value(value) => self.negative(&value.value),
                _ => self.one("-", expr),
            },
            UnaryOperator::BitwiseNot => self.one("~", expr),
            _ => Err(SparkError::unsupported(format!("the operator {op}"))),
        }
    }

    fn inner(&mut self, query: &Query, kind: i32, values: Vec<Expression>) -> Result<Expression> {
        // Numbers below zero are not the client's.
        let id = self.first - i64::try_from(self.subqueries.len()).unwrap_or(0);
        self.subqueries.push((id, Box::new(query.clone())));
        Ok(build::kind(ExprType::SubqueryExpression(Box::new(SubqueryExpression {
            plan_id: id,
            subquery_type: kind,
            in_subquery_values: values,
            ..Default::default()
        }))))
    }

    pub(super) fn list(&mut self, call: &FunctionArguments) -> Result<(Vec<Expression>, bool)> {
        let FunctionArguments::List(list) = call else { return Ok((Vec::new(), false)) };
        let distinct = matches!(
            list.duplicate_treatment,
            Some(datafusion::sql::sqlparser::ast::DuplicateTreatment::Distinct)
        );
        let mut arguments = Vec::new();
        for argument in &list.args {
            let (name, argument) = match argument {
                FunctionArg::Unnamed(argument) => (None, argument),
                FunctionArg::Named { name, arg, .. } => (Some(name.value.clone()), arg),
                FunctionArg::ExprNamed { name, arg, .. } => (Some(name.to_string()), arg),
            };
            let value = match argument {
                FunctionArgExpr::Expr(expr) => self.expression(expr)?,
                FunctionArgExpr::Wildcard => build::star(None),
                other => return Err(SparkError::unsupported(format!("the argument {other}"))),
            };
            arguments.push(match name {
                Some(name) => build::named(name, value),
                None => value,
            });
        }
        Ok((arguments, distinct))
    }

    fn call(&mut self, call: &Function) -> Result<Expression> {
        let mut name = object(&call.name).pop().unwrap_or_default();
        if name == TABLE_ARGUMENT {
            return self.table_argument(call);
        }
        if let Some(value) = self.sql_call(&name, call)? {
            return Ok(value);
        }
        let (mut arguments, distinct) = self.list(&call.args)?;
        if !call.within_group.is_empty() {
            return self.within_group(&name, arguments, distinct, call);
        }
        // `timestampadd(HOUR, 1, ts)`: a unit is a word.
        if UNIT_FIRST.iter().any(|known| name.eq_ignore_ascii_case(known))
            && arguments.len() == 3
            && let Some(ExprType::UnresolvedAttribute(unit)) = &arguments[0].expr_type
        {
            arguments[0] = build::text(unit.unparsed_identifier.trim_matches('`').to_uppercase());
            name = if name.to_lowercase().ends_with("add") { "timestampadd" } else { "timestampdiff" }
                .to_owned();
        }
        let function =
            if distinct { build::distinct(&name, arguments) } else { build::function(&name, arguments) };
        let function = match &call.filter {
            Some(filter) => build::function(FILTERED, vec![function, self.expression(filter)?]),
            None => function,
        };
        match &call.over {
            None => Ok(function),
            Some(over) => self.over(function, over),
        }
    }

    /// `TABLE(t) PARTITION BY a`, as the tokens have it.
    fn table_argument(&mut self, call: &Function) -> Result<Expression> {
        let FunctionArguments::List(list) = &call.args else { return Err(SparkError::missing("query")) };
        let [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Subquery(query)))] = list.args.as_slice()
        else {
            return Err(SparkError::missing("query"));
        };
        let mut table = self.inner(query, TABLE_ARG, Vec::new())?;
        if let (Some(over), Some(ExprType::SubqueryExpression(table))) = (&call.over, &mut table.expr_type) {
            let spec = self.over(build::star(None), over)?;
            let Some(ExprType::Window(window)) = spec.expr_type else { return Ok(build::star(None)) };
            table.table_arg_options = Some(SubqueryExpressionTableArgOptions {
                with_single_partition: Some(window.partition_spec.is_empty()),
                partition_spec: window.partition_spec,
                order_spec: window.order_spec,
            });
        }
        Ok(table)
    }

    /// What a function of SQL gives, if it is one.
    fn sql_call(&mut self, name: &str, call: &Function) -> Result<Option<Expression>> {
        let found = self.arguments.functions.get(&name.to_lowercase()).filter(|function| !function.is_table);
        let Some(function) = found.cloned() else { return Ok(None) };
        if self.calls == CALLS_MAX {
            return Err(SparkError::unsupported(format!("functions that call each other {CALLS_MAX} deep")));
        }
        let given = match &call.args {
            FunctionArguments::List(list) => list.args.as_slice(),
            _ => &[],
        };
        let given = function.ordered(given).map_err(wrong)?;
        let mut shown = vec![build::text(format!("{}(", function.shown_name()))];
        for (index, argument) in given.iter().enumerate() {
            shown.extend((index > 0).then(|| build::text(", ")));
            shown.push(self.expression(argument)?);
        }
        shown.push(build::text(")"));
        let value = function.value(given).map_err(wrong)?;
        self.calls += 1;
        let value = self.expression(&value);
        self.calls -= 1;
        Ok(Some(build::function(CALLED, std::iter::once(value?).chain(shown).collect())))
    }

    /// `percentile_cont(0.5) WITHIN GROUP (ORDER BY a DESC)`.
    fn within_group(
        &mut self,
        name: &str,
        mut arguments: Vec<Expression>,
        distinct: bool,
        call: &Function,
    ) -> Result<Expression> {
        let [order] = call.within_group.as_slice() else {
            return Err(SparkError::unsupported("WITHIN GROUP of several keys"));
        };
        let lists = matches!(name.to_lowercase().as_str(), "listagg" | "string_agg");
        if distinct && !lists {
            let text = format!("Invalid function {name} with WITHIN GROUP: DISTINCT is not supported.");
            let condition = "INVALID_WITHIN_GROUP_EXPRESSION.DISTINCT_UNSUPPORTED";
            return Err(SparkError::new(Class::Analysis, condition, "42K0K", text));
        }
        let sort = self.order(order)?;
        let key = self.expression(&order.expr)?;
        let falls = order.options.asc == Some(false);
        let mut shown = vec![build::text(format!("{name}({}", if distinct { "DISTINCT " } else { "" }))];
        for (index, argument) in arguments.iter().enumerate() {
            shown.extend((index > 0).then(|| build::text(", ")));
            shown.push(argument.clone());
        }
        shown.extend([build::text(") WITHIN GROUP (ORDER BY "), key.clone()]);
        let (way, nulls) = match (falls, lists) {
            (true, true) => (" DESC NULLS LAST", ""),
            (false, true) => (" ASC NULLS FIRST", ""),
            (true, false) => (" DESC", ""),
            (false, false) => ("", ""),
        };
        shown.push(build::text(format!("{way}{nulls})")));
        if !lists {
            arguments.insert(0, key);
        }
        let called = if name.eq_ignore_ascii_case("percentile_cont") { "percentile" } else { name };
        let function =
            if distinct { build::distinct(called, arguments) } else { build::function(called, arguments) };
        let sort = build::kind(ExprType::SortOrder(Box::new(sort)));
        let mut parts = vec![function, sort];
        parts.extend(shown);
        let whole = build::function(ORDERED, parts);
        let whole = match &call.filter {
            Some(filter) => build::function(FILTERED, vec![whole, self.expression(filter)?]),
            None => whole,
        };
        match &call.over {
            None => Ok(whole),
            Some(over) => self.over(whole, over),
        }
    }

    /// The number of digits that `ceil` and `floor` may be told.
    fn digits(&mut self, kind: &CeilFloorKind) -> Result<Option<Expression>> {
        match kind {
            CeilFloorKind::Scale(value) => self.value(&value.value).map(Some),
            CeilFloorKind::DateTimeField(_) => Ok(None),
        }
    }

    /// Functions that SQL spells in its own way.
    fn spelled(&mut self, expr: &Expr) -> Result<Expression> {
        let mut arguments = Vec::new();
        let name = match expr {
            Expr::Extract { field, expr, .. } => {
                arguments.push(build::text(field.to_string()));
                arguments.push(self.expression(expr)?);
                "extract"
            }
            Expr::Ceil { expr, field } => {
                arguments.push(self.expression(expr)?);
                arguments.extend(self.digits(field)?);
                "ceil"
            }
            Expr::Floor { expr, field } => {
                arguments.push(self.expression(expr)?);
                arguments.extend(self.digits(field)?);
                "floor"
            }
            Expr::Position { expr, r#in } => {
                arguments.extend([self.expression(r#in)?, self.expression(expr)?]);
                "instr"
            }
            Expr::Substring { expr, substring_from, substring_for, shorthand, .. } => {
                arguments.push(self.expression(expr)?);
                for part in [substring_from, substring_for].into_iter().flatten() {
                    arguments.push(self.expression(part)?);
                }
                if *shorthand { "substr" } else { "substring" }
            }
            Expr::Trim { trim_where, trim_what, expr, .. } => {
                if let Some(what) = trim_what {
                    arguments.push(self.expression(what)?);
                }
                arguments.push(self.expression(expr)?);
                match trim_where {
                    Some(TrimWhereField::Leading) => "ltrim",
                    Some(TrimWhereField::Trailing) => "rtrim",
                    _ => "trim",
                }
            }
            other => return Err(SparkError::unsupported(format!("the expression {other}"))),
        };
        Ok(build::function(name, arguments))
    }
}

/// The plain arguments of a call.
pub(super) fn plain(arguments: &[FunctionArg]) -> Result<Vec<Expr>> {
    let one = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Ok(expr.clone()),
        other => Err(SparkError::unsupported(format!("the argument {other}"))),
    };
    arguments.iter().map(one).collect()
}

pub(super) fn negate(expression: Expression, negated: bool) -> Expression {
    if negated { build::function("not", vec![expression]) } else { expression }
}

/// What is looked for: of one struct that is written as such, its parts.
fn parts(value: Expression) -> Vec<Expression> {
    match value.expr_type {
        Some(ExprType::UnresolvedFunction(call)) if call.function_name.eq_ignore_ascii_case("struct") => {
            call.arguments
        }
        expr_type => vec![Expression { expr_type, ..value }],
    }
}
