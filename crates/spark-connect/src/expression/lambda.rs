//! Functions that take functions: `transform(list, x -> x + 1)`.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::{HigherOrderFunction, Lambda, LambdaVariable};

use crate::error::{Result, SparkError};
use crate::expression::{Named, Resolver};
use crate::wire::expression::{ExprType, Expression, LambdaFunction};

/// Spark's name, the planner's, whether condition and answer are turned round.
const FUNCTIONS: &[(&str, &str, bool)] = &[
    ("transform", "array_transform", false),
    ("filter", "array_filter", false),
    ("exists", "array_any_match", false),
    ("forall", "array_any_match", true),
];

impl Resolver<'_> {
    pub(super) fn lambda_call(&self, name: &str, arguments: &[Expression]) -> Result<Option<Named>> {
        let lambda = arguments.iter().find_map(|argument| match &argument.expr_type {
            Some(ExprType::LambdaFunction(lambda)) => Some(lambda),
            _ => None,
        });
        let Some(lambda) = lambda else { return Ok(None) };
        let Some((_, function, turned)) = FUNCTIONS.iter().find(|(known, ..)| *known == name) else {
            return Err(SparkError::unsupported(format!("{name} with a lambda function")));
        };
        let list = self.named(&arguments[0])?;
        let DataType::List(item) = self.type_of(&list.expr)? else {
            return Err(SparkError::invalid(format!("{name} takes an array.")));
        };
        let (parameter, body) = self.body(lambda, &item)?;
        let shown = format!("{name}({}, lambdafunction({}, {parameter}))", list.name, body.name);
        let body = if *turned { !body.expr } else { body.expr };
        let state = self.context.state_ref();
        let function = state.read().higher_order_function(function)?;
        let lambda = Expr::Lambda(Lambda::new(vec![parameter], body));
        let call = Expr::HigherOrderFunction(HigherOrderFunction::new(function, vec![list.expr, lambda]));
        Ok(Some(Named::new(if *turned { !call } else { call }, shown)))
    }

    fn body(&self, lambda: &LambdaFunction, item: &FieldRef) -> Result<(String, Named)> {
        let [parameter] = lambda.arguments.as_slice() else {
            return Err(SparkError::unsupported("lambda functions of several parameters"));
        };
        let parameter = parameter.name_parts.join(".");
        let body = lambda.function.as_ref().ok_or_else(|| SparkError::missing("function"))?;
        self.variables.borrow_mut().push((parameter.clone(), Arc::clone(item)));
        let body = self.named(body);
        self.variables.borrow_mut().pop();
        Ok((parameter, body?))
    }

    /// A parameter by its name.
    pub(super) fn variable(&self, name: &str) -> Result<Named> {
        let known = self.variables.borrow();
        let found = known.iter().rev().find(|(known, _)| known == name);
        let (name, field) = found.ok_or_else(|| SparkError::column(name, &[]))?;
        let variable = LambdaVariable::new(name.clone(), Some(Arc::clone(field)));
        Ok(Named::new(Expr::LambdaVariable(variable), format!("namedlambdavariable({name})")))
    }

    /// A parameter, or a field of one, if the first part of the name is one.
    pub(super) fn variable_at(&self, parts: &[String]) -> Result<Option<Named>> {
        if !self.variables.borrow().iter().any(|(known, _)| *known == parts[0]) {
            return Ok(None);
        }
        let mut named = self.variable(&parts[0])?;
        for field in &parts[1..] {
            named = self.field(named, field)?;
        }
        Ok(Some(named))
    }
}
