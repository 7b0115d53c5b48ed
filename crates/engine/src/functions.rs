//! Spark's SQL functions: what DataFusion's own library for Spark answers rightly is taken from there, the rest
//! is written here. `docs/sql-functions.md` lists them; what real Spark answers stands in `tests/golden`.
//!
//! A function of ours is a line in its room's table ([`own::Own`]) and a plain function over one batch.

use std::sync::Arc;

use datafusion::execution::FunctionRegistry as _;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::ScalarUDF;

use crate::operator::scope::Scope;

mod aggregate;
mod arithmetic;
pub(crate) mod avro;
pub(crate) mod cast;
mod cipher;
mod collection;
pub(crate) mod conditional;
mod csv;
mod hash;
mod json;
mod lambda;
mod math;
mod number;
mod number_format;
mod own;
mod pattern;
pub(crate) mod records;
pub(crate) mod rewrite;
mod schema;
mod sentences;
mod sketch;
mod text;
pub(crate) mod time;

pub(crate) use aggregate::DistinctArguments;

/// Everything that is written here.
const OWN: [&[own::Own]; 15] = [
    arithmetic::FUNCTIONS,
    avro::FUNCTIONS,
    cast::FUNCTIONS,
    cipher::FUNCTIONS,
    collection::FUNCTIONS,
    conditional::FUNCTIONS,
    csv::FUNCTIONS,
    hash::FUNCTIONS,
    json::FUNCTIONS,
    math::FUNCTIONS,
    number_format::FUNCTIONS,
    pattern::FUNCTIONS,
    sentences::FUNCTIONS,
    sketch::FUNCTIONS,
    text::FUNCTIONS,
];

/// Those that the session's zone is counted in by: a cast, one that answers NULL, and a step in the calendar.
pub(crate) fn of_zones() -> [ScalarUDF; 3] {
    [cast::CAST.function(), cast::TRY_CAST.function(), time::SHIFTED.function()]
}

/// Makes the functions known to the session; later ones take the place of earlier ones of the same name.
pub(crate) fn register(session: &SessionContext, scope: &Arc<Scope>) {
    for function in datafusion_spark::all_default_scalar_functions() {
        session.register_udf(function.as_ref().clone());
    }
    for function in datafusion_spark::all_default_aggregate_functions() {
        session.register_udaf(function.as_ref().clone());
    }
    let operators = Arc::new(arithmetic::Operators::new());
    let known = session.state_ref().write().register_expr_planner(operators);
    debug_assert!(known.is_ok(), "a session takes any planner");
    for function in aggregate::functions() {
        session.register_udaf(function);
    }
    for function in OWN.into_iter().flatten().chain(time::FUNCTIONS) {
        session.register_udf(function.function());
    }
    for function in lambda::functions() {
        session.register_higher_order_function(Arc::new(function));
    }
    for function in time::now::functions(scope) {
        session.register_udf(function);
    }
}
