//! Calls of Python functions.

use datafusion::functions::core::expr_fn::named_struct;
use datafusion::functions_aggregate::expr_fn::array_agg;
use datafusion::logical_expr::{Expr, lit};

use crate::error::{Result, SparkError};
use crate::expression::{Named, Resolver};
use crate::python::{Call, Function, Groups, Makes};
use crate::wire::expression::{Expression, InlineFunction};

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
            return Err(SparkError::unsupported(format!(
                "the aggregate {} without arguments",
                function.name
            )));
        }
        let names: Vec<String> = (0..exprs.len()).map(|at| format!("_{at}")).collect();
        let values = (0..exprs.len()).collect();
        let groups = Groups { names, keys: Vec::new(), values };
        let list = array_agg(row(exprs));
        Ok(Call::groups(function, Makes::Aggregate, vec![list], vec![groups], self.python))
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
