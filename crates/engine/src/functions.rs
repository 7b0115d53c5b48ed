//! Spark's SQL functions: what DataFusion's own library for Spark answers rightly is taken from there, the rest
//! is written here. `docs/sql-functions.md` lists them; what real Spark answers stands in `tests/golden`.
//!
//! A function of ours is a line in its room's table ([`own::Own`]) and a plain function over one batch.

use datafusion::execution::context::SessionContext;

mod json;
mod number;
#[allow(dead_code, reason = "the rooms that use the rest come next")]
mod own;
mod schema;
mod time;

/// Makes the functions known to the session; later ones take the place of earlier ones of the same name.
pub(crate) fn register(session: &SessionContext) {
    for function in datafusion_spark::all_default_scalar_functions() {
        session.register_udf(function.as_ref().clone());
    }
    for function in datafusion_spark::all_default_aggregate_functions() {
        session.register_udaf(function.as_ref().clone());
    }
    for function in [json::FUNCTIONS, time::FUNCTIONS].into_iter().flatten() {
        session.register_udf(function.function());
    }
}
