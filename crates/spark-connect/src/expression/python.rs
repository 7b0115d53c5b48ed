//! Calls of Python functions.

use std::sync::Arc;

use datafusion::arrow::compute::SortOptions;
use datafusion::functions::core::expr_fn::named_struct;
use datafusion::functions_aggregate::expr_fn::array_agg;
use datafusion::logical_expr::expr::{WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::{Expr, SortExpr, WindowFunctionDefinition, lit};

use crate::error::{Class, Result, SparkError};
use crate::expression::{Named, Resolver};
use crate::python::{Call, Function, Groups, Makes, WindowCall};
use crate::wire::expression::{ExprType, Expression, InlineFunction, Window};

impl Resolver<'_> {
    /// A function that came with the plan.
    pub(super) fn inline(&self, message: &InlineFunction) -> Result<Named> {
        let function = Function::read(message)?;
        let arguments = self.list(&message.arguments)?;
        let shown: Vec<&str> = arguments.iter().map(|argument| argument.name.as_str()).collect();
        let shown = format!("{}({})", function.name, shown.join(", "));
        let exprs: Vec<Expr> = arguments.into_iter().map(|argument| argument.expr).collect();
        match function.makes()? {
            Makes::Values => Ok(Named::new(Call::values(function, exprs, self.python), shown)),
            Makes::Aggregate => Ok(Named::new(self.over_groups(function, exprs)?, shown)),
            _ => Err(SparkError::invalid(format!("{shown} makes rows: it cannot stand in a column."))),
        }
    }

    /// An aggregate: the function of a list of what each group holds.
    fn over_groups(&self, function: Function, exprs: Vec<Expr>) -> Result<Expr> {
        if exprs.is_empty() {
            // The rows are there, and nothing of them is an argument.
            let groups = Groups { names: vec!["_0".to_owned()], keys: Vec::new(), values: Vec::new() };
            let list = array_agg(row(vec![lit(true)]));
            return Ok(Call::groups(function, Makes::Aggregate, vec![list], vec![groups], self.python));
        }
        let names: Vec<String> = (0..exprs.len()).map(|at| format!("_{at}")).collect();
        let values = (0..exprs.len()).collect();
        let groups = Groups { names, keys: Vec::new(), values };
        let list = array_agg(row(exprs));
        Ok(Call::groups(function, Makes::Aggregate, vec![list], vec![groups], self.python))
    }

    /// The function of Python that this calls, if it calls one.
    pub(super) fn of_python(&self, call: &Expression) -> Option<Result<InlineFunction>> {
        match call.expr_type.as_ref()? {
            ExprType::CommonInlineUserDefinedFunction(function) => Some(Ok(InlineFunction::clone(function))),
            ExprType::UnresolvedFunction(call) => {
                self.registered(&call.function_name, &call.arguments).map(Ok)
            }
            ExprType::CallFunction(call) => self.registered(&call.function_name, &call.arguments).map(Ok),
            ExprType::ExpressionString(text) => match crate::sql::expression(&text.expression) {
                Ok(inner) => self.of_python(&inner),
                Err(error) => Some(Err(error)),
            },
            _ => None,
        }
    }

    /// A function of Python over a window.
    pub(super) fn python_window(
        &self,
        message: &InlineFunction,
        window: &Window,
        partition: &[Named],
        order: Vec<SortExpr>,
    ) -> Result<Named> {
        let function = Function::read(message)?;
        let arguments = self.list(&message.arguments)?;
        let shown: Vec<&str> = arguments.iter().map(|argument| argument.name.as_str()).collect();
        let shown = format!("{}({})", function.name, shown.join(", "));
        let frame = self.frame_of(&function.name, window.frame_spec.as_ref(), &order)?;
        let text = self.spec_text(partition, window, &frame)?;
        let frame = self.typed_frame(&frame, &order, &text)?;
        let options = order.iter().map(|order| SortOptions::new(!order.asc, order.nulls_first)).collect();
        let call = WindowCall::over(function, arguments.len(), &frame, options, self.python);
        let call = call.ok_or_else(|| {
            let text = format!("Expression \"{shown}\" not supported within a window function.");
            SparkError::new(Class::Analysis, "UNSUPPORTED_EXPR_FOR_WINDOW", "42P20", text)
        })?;
        let arguments = arguments.into_iter().map(|argument| argument.expr);
        let params = WindowFunctionParams {
            args: arguments.chain(order.iter().map(|order| order.expr.clone())).collect(),
            partition_by: partition.iter().map(|named| named.expr.clone()).collect(),
            order_by: order,
            window_frame: frame,
            filter: None,
            null_treatment: None,
            distinct: false,
        };
        let fun = WindowFunctionDefinition::WindowUDF(Arc::new(call));
        let expr = Expr::WindowFunction(Box::new(WindowFunction { fun, params }));
        Ok(Named::new(expr, format!("{shown} OVER ({text})")))
    }

    /// A function that the session registered by this name.
    pub(super) fn registered(&self, name: &str, arguments: &[Expression]) -> Option<InlineFunction> {
        let function = self.python.function(name)?;
        Some(InlineFunction { arguments: arguments.to_vec(), ..function.clone() })
    }
}

/// The values as one struct.
pub(crate) fn row(exprs: Vec<Expr>) -> Expr {
    let parts = exprs.into_iter().enumerate();
    named_struct(parts.flat_map(|(at, expr)| [lit(format!("c{at}")), expr]).collect())
}
