//! Functions that take functions: `transform(list, x -> x + 1)`.

use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, FieldRef};
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::expr::{HigherOrderFunction, Lambda, LambdaVariable};
use datafusion::logical_expr::{
    Expr, ExprSchemable, HigherOrderUDF, LambdaParametersProgress, ValueOrLambda, lit,
};

use crate::error::{Result, SparkError};
use crate::expression::{Named, Resolver};
use crate::wire::expression::{ExprType, Expression, LambdaFunction};

/// Spark's names for what is called otherwise here.
const FUNCTIONS: &[(&str, &str)] = &[
    ("exists", "array_any_match"),
    ("any_match", "array_any_match"),
    ("forall", "array_any_match"),
    ("array_sort", "array_sort_by"),
];

impl Resolver<'_> {
    pub(super) fn lambda_call(&self, name: &str, arguments: &[Expression]) -> Result<Option<Named>> {
        let lambda = |argument: &Expression| match &argument.expr_type {
            Some(ExprType::LambdaFunction(lambda)) => Some(LambdaFunction::clone(lambda)),
            _ => None,
        };
        let Some(at) = arguments.iter().position(|argument| lambda(argument).is_some()) else {
            return Ok(None);
        };
        let known = FUNCTIONS.iter().find(|(spark, _)| *spark == name).map_or(name, |(_, known)| known);
        let state = self.context.state_ref();
        let found = state.read().higher_order_function(known);
        let Ok(function) = found else {
            return Err(super::function::unresolved(name));
        };
        let values =
            arguments[..at].iter().map(|argument| self.named(argument)).collect::<Result<Vec<_>>>()?;
        let mut parts: Vec<String> = values.iter().map(|value| value.name.clone()).collect();
        let mut exprs: Vec<Expr> = values.into_iter().map(|value| value.expr).collect();
        let lambdas: Vec<LambdaFunction> = arguments[at..].iter().filter_map(lambda).collect();
        let parameters = self.parameters(&function, &exprs)?;
        let (names, body) = self.body(&lambdas[0], &parameters)?;
        parts.push(shown(&body.name, names.len()));
        let turned = name == "forall";
        exprs.push(Expr::Lambda(Lambda::new(names, if turned { !body.expr } else { body.expr })));
        let call = Expr::HigherOrderFunction(HigherOrderFunction::new(function, exprs));
        let mut expr = if turned { !call } else { call };
        if let Some(finish) = lambdas.get(1) {
            let item = Arc::new(Field::new("", expr.get_type(self.schema)?, true));
            let (names, body) = self.body(finish, &[item])?;
            parts.push(shown(&body.name, names.len()));
            expr = self.finished(expr, names, body.expr)?;
        } else if matches!(name, "aggregate" | "reduce") {
            parts.push(shown("namedlambdavariable()", 1));
        }
        let name = if name == "any_match" { "exists" } else { name };
        Ok(Some(Named::new(expr, format!("{name}({})", parts.join(", ")))))
    }

    /// What the parameters of the function's lambda are, beside these values.
    fn parameters(&self, function: &HigherOrderUDF, values: &[Expr]) -> Result<Vec<FieldRef>> {
        let mut fields: Vec<ValueOrLambda<FieldRef, Option<FieldRef>>> = Vec::new();
        for value in values {
            fields.push(ValueOrLambda::Value(Arc::new(Field::new("", self.type_of(value)?, true))));
        }
        fields.push(ValueOrLambda::Lambda(None));
        Ok(match function.lambda_parameters(0, &fields)? {
            LambdaParametersProgress::Complete(mut lambdas) if !lambdas.is_empty() => lambdas.remove(0),
            _ => return Err(SparkError::unsupported(format!("{} with a lambda function", function.name()))),
        })
    }

    /// The last function of `aggregate`, over what the others made.
    fn finished(&self, made: Expr, names: Vec<String>, body: Expr) -> Result<Expr> {
        let transform = self.context.state_ref().read().higher_order_function("transform")?;
        let list = self.udf("make_array")?.call(vec![made]);
        let lambda = Expr::Lambda(Lambda::new(names, body));
        let call = Expr::HigherOrderFunction(HigherOrderFunction::new(transform, vec![list, lambda]));
        Ok(self.udf("array_element")?.call(vec![call, lit(1_i64)]))
    }

    fn body(&self, lambda: &LambdaFunction, fields: &[FieldRef]) -> Result<(Vec<String>, Named)> {
        let names: Vec<String> =
            lambda.arguments.iter().map(|argument| argument.name_parts.join(".")).collect();
        if names.len() > fields.len() {
            let text =
                format!("The lambda function has {} parameters instead of {}.", names.len(), fields.len());
            return Err(SparkError::invalid(text));
        }
        let body = lambda.function.as_ref().ok_or_else(|| SparkError::missing("function"))?;
        let known = self.variables.borrow().len();
        let given = names.iter().cloned().zip(fields.iter().map(Arc::clone));
        self.variables.borrow_mut().extend(given);
        let body = self.named(body);
        self.variables.borrow_mut().truncate(known);
        Ok((names, body?))
    }

    /// A parameter by its name.
    pub(super) fn variable(&self, name: &str) -> Result<Named> {
        let known = self.variables.borrow();
        let found = known.iter().rev().find(|(known, _)| known.eq_ignore_ascii_case(name));
        let (name, field) = found.ok_or_else(|| SparkError::column(name, &[]))?;
        let variable = LambdaVariable::new(name.clone(), Some(Arc::clone(field)));
        Ok(Named::new(Expr::LambdaVariable(variable), "namedlambdavariable()"))
    }

    /// A parameter, or a field of one, if the first part of the name is one.
    pub(super) fn variable_at(&self, parts: &[String]) -> Result<Option<Named>> {
        if !self.variables.borrow().iter().any(|(known, _)| known.eq_ignore_ascii_case(&parts[0])) {
            return Ok(None);
        }
        let mut named = self.variable(&parts[0])?;
        for field in &parts[1..] {
            named = self.field(named, field)?;
        }
        Ok(Some(named))
    }
}

/// As Spark shows a lambda: its parameters have no names.
fn shown(body: &str, parameters: usize) -> String {
    format!("lambdafunction({body}{})", ", namedlambdavariable()".repeat(parameters))
}

/// The order that `array_sort` has without a function of its own, as Spark shows it.
pub(super) const USUAL_ORDER: &str = "lambdafunction((IF(((namedlambdavariable() IS NULL) AND \
     (namedlambdavariable() IS NULL)), 0, (IF((namedlambdavariable() IS NULL), 1, (IF((namedlambdavariable() IS \
     NULL), -1, (IF((namedlambdavariable() < namedlambdavariable()), -1, (IF((namedlambdavariable() > \
     namedlambdavariable()), 1, 0)))))))))), namedlambdavariable(), namedlambdavariable())";
