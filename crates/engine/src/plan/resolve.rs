//! What a query means: the planner's session, and the models it asks.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::execution::context::SessionContext;
use datafusion::functions_aggregate::average::avg_udaf;
use datafusion::logical_expr::{Expr, LogicalPlan, WindowFunctionDefinition};
use datafusion::prelude::SessionConfig;
use datafusion::sql::parser::Statement as PlannerStatement;
use datafusion::sql::sqlparser::ast::Statement;
use futures::FutureExt as _;

use crate::embed::Network;
use crate::error::SqlError;
use crate::functions;
use crate::models::Registry;
use crate::operator::ask::{self, Question};
use crate::operator::scope::Scope;
use crate::operator::{evaluate, network};
use crate::plan::zone::SessionZone;
use crate::plan::{event_time, incremental};
use crate::sql::Select;
use crate::sql::types::UTC;

/// What the functions of a query stand on.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) networks: &'a [Arc<Network>],
    pub(crate) models: &'a Arc<Registry>,
    /// The name of the zone whose days and hours are meant.
    pub(crate) zone: &'a str,
}

/// A session that knows the functions, over one scope.
pub(crate) fn session(known: Known<'_>, scope: &Arc<Scope>) -> SessionContext {
    let mut config = SessionConfig::new();
    // Names keep their spelling, as in Spark; `Select::statement` has made them equal.
    config.options_mut().sql_parser.enable_ident_normalization = false;
    config.options_mut().execution.time_zone = Some(known.zone.to_owned());
    let session = incremental::session(config);
    functions::register(&session, scope);
    if known.zone != UTC {
        session.add_analyzer_rule(Arc::new(SessionZone::new()));
    }
    for function in ask::functions(scope, known.models) {
        session.register_udf(function);
    }
    session.register_udaf(evaluate::function());
    for function in event_time::window::functions() {
        session.register_udf(function);
    }
    for network in known.networks {
        session.register_udf(network::function(network, scope));
    }
    session
}

/// The planner's reading of the query. `names` are the tables and columns it may mean.
pub(crate) async fn logical(
    session: &SessionContext,
    select: &Select,
    names: &[String],
) -> Result<LogicalPlan, SqlError> {
    let shows = |query| {
        let statement = PlannerStatement::Statement(Box::new(Statement::Query(Box::new(query))));
        // The tables are in memory: there is nothing to wait for.
        let plan = session.state().statement_to_plan(statement).now_or_never()?.ok()?;
        Some(plan.schema().fields().clone())
    };
    let statement = select.statement_knowing(names, &shows)?;
    let plan = session.state().statement_to_plan(statement).await;
    plan.and_then(slide).map_err(|error| SqlError::plan(&error))
}

/// The plan with an average that can also forget values where it slides over rows: Spark's cannot.
pub(crate) fn slide(plan: LogicalPlan) -> Result<LogicalPlan> {
    let slid = plan.transform_up_with_subqueries(|node| {
        node.map_expressions(|expression| {
            expression.transform_up(|expression| {
                let Expr::WindowFunction(mut call) = expression else {
                    return Ok(Transformed::no(expression));
                };
                match &call.fun {
                    WindowFunctionDefinition::AggregateUDF(function) if function.name() == "avg" => {
                        call.fun = WindowFunctionDefinition::AggregateUDF(avg_udaf());
                        Ok(Transformed::yes(Expr::WindowFunction(call)))
                    }
                    _ => Ok(Transformed::no(Expr::WindowFunction(call))),
                }
            })
        })
    })?;
    Ok(slid.data)
}

/// The models that the plan asks, in lower case.
pub(crate) fn models(plan: &LogicalPlan) -> Result<BTreeSet<String>, SqlError> {
    let mut models = BTreeSet::new();
    let mut wrong = None;
    let walked = plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            expression.apply(|expression| {
                let Expr::ScalarFunction(call) = expression else { return Ok(TreeNodeRecursion::Continue) };
                if Question::is_one(call.name()) {
                    match call.args.first() {
                        Some(Expr::Literal(name, _)) if name.try_as_str().flatten().is_some() => {
                            models.extend(name.try_as_str().flatten().map(str::to_lowercase));
                        }
                        _ => wrong = Some(call.name().to_owned()),
                    }
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    });
    walked.map_err(|error| SqlError::plan(&error))?;
    match wrong {
        Some(function) => {
            let reason = format!("its first argument is a model's name in quotes: {function}('m', ...)");
            Err(SqlError::invalid(function, reason))
        }
        None => Ok(models),
    }
}
