//! `f(DISTINCT x)`, whatever `f` is: each row of arguments reaches the function once. Most of the planner's functions, and
//! all that are written here, do not look at the word, and would answer as if it were not there.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use datafusion::arrow::compute::filter;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode as _};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Expr, LogicalPlan, Signature};
use datafusion::optimizer::AnalyzerRule;
use indexmap::IndexSet;

/// Functions that see to it themselves, and those to which a value says nothing new the second time.
const KNOWING: &[&str] = &[
    "count",
    "sum",
    "median",
    "percentile_cont",
    "array_agg",
    "string_agg",
    "min",
    "max",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "first_value",
    "last_value",
    "approx_distinct",
    "collect_set",
    "grouping",
];

/// Puts [`Distinct`] around the functions of a plan that need it.
#[derive(Debug)]
pub(crate) struct DistinctArguments;

impl AnalyzerRule for DistinctArguments {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let around = |expression: Expr| expression.transform_up(|expression| Ok(around(expression)));
        Ok(plan.transform_up_with_subqueries(|node| node.map_expressions(around))?.data)
    }

    fn name(&self) -> &'static str {
        "distinct_arguments"
    }
}

fn around(expression: Expr) -> Transformed<Expr> {
    let Expr::AggregateFunction(call) = expression else { return Transformed::no(expression) };
    let params = &call.params;
    let knows = KNOWING.contains(&call.func.name()) || call.func.inner().is::<Distinct>();
    if !params.distinct || !params.order_by.is_empty() || knows {
        return Transformed::no(Expr::AggregateFunction(call));
    }
    let func = Arc::new(AggregateUDF::from(Distinct { inner: call.func }));
    Transformed::yes(Expr::AggregateFunction(AggregateFunction { func, params: call.params }))
}

/// An aggregate that is given each row of arguments once, under the name that it has.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Distinct {
    inner: Arc<AggregateUDF>,
}

impl AggregateUDFImpl for Distinct {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn schema_name(&self, params: &AggregateFunctionParams) -> Result<String> {
        self.inner.schema_name(params)
    }

    fn display_name(&self, params: &AggregateFunctionParams) -> Result<String> {
        self.inner.display_name(params)
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(types)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn return_field(&self, fields: &[FieldRef]) -> Result<FieldRef> {
        self.inner.return_field(fields)
    }

    fn is_nullable(&self) -> bool {
        self.inner.is_nullable()
    }

    fn default_value(&self, kind: &DataType) -> Result<ScalarValue> {
        self.inner.default_value(kind)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let parts = args.input_fields.iter().enumerate().map(|(part, field)| {
            let items = DataType::List(Arc::new(Field::new_list_field(field.data_type().clone(), true)));
            Arc::new(Field::new(format!("{}[{part}]", args.name), items, true))
        });
        Ok(parts.collect())
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let fields = args.expr_fields.iter().map(|field| SortField::new(field.data_type().clone()));
        let rows = RowConverter::new(fields.collect())?;
        let inner = self.inner.accumulator(AccumulatorArgs { is_distinct: false, ..args })?;
        Ok(Box::new(Seen { rows, seen: IndexSet::new(), bytes: 0, inner }))
    }
}

/// The rows that the function has been given. The state is these, a list for each argument.
#[derive(Debug)]
struct Seen {
    rows: RowConverter,
    /// In the order in which they came, so that fractions add up to the same after a restart.
    seen: IndexSet<OwnedRow>,
    /// What the rows take beside their places in the set.
    bytes: usize,
    inner: Box<dyn Accumulator>,
}

impl Accumulator for Seen {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = self.rows.convert_columns(values)?;
        let mut new = Vec::with_capacity(rows.num_rows());
        for row in &rows {
            let is_new = self.seen.insert(row.owned());
            self.bytes += if is_new { row.data().len() } else { 0 };
            new.push(is_new);
        }
        let new = BooleanArray::from(new);
        if new.true_count() == 0 {
            return Ok(());
        }
        let values = values.iter().map(|values| filter(values, &new)).collect::<Result<Vec<_>, _>>()?;
        self.inner.update_batch(&values)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for group in 0..states[0].len() {
            if states[0].is_valid(group) {
                let values: Vec<ArrayRef> =
                    states.iter().map(|lists| lists.as_list::<i32>().value(group)).collect();
                self.update_batch(&values)?;
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let columns = self.rows.convert_rows(self.seen.iter().map(OwnedRow::row))?;
        Ok(columns
            .into_iter()
            .map(|column| SingleRowListArrayBuilder::new(column).build_list_scalar())
            .collect())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.inner.evaluate()
    }

    fn size(&self) -> usize {
        let places = self.seen.capacity() * size_of::<OwnedRow>();
        size_of_val(self) + places + self.bytes + self.rows.size() + self.inner.size()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::util::pretty::pretty_format_batches;
    use datafusion::prelude::SessionConfig;

    use crate::operator::scope::Scope;
    use crate::plan::incremental;

    /// What a call answers over these rows of `v` and `k`.
    async fn answer(call: &str, rows: &str) -> String {
        let session = incremental::session(SessionConfig::new());
        crate::functions::register(&session, &Arc::new(Scope::default()));
        let sql = format!("SELECT {call} AS answer FROM (VALUES {rows}) AS t (v, k)");
        let batches = session.sql(&sql).await.unwrap().collect().await.unwrap();
        pretty_format_batches(&batches).unwrap().to_string()
    }

    #[tokio::test]
    async fn a_row_that_comes_again_says_nothing_new() {
        let once = "(1.0, 1), (3.0, 2), (7.0, 3)";
        let again = format!("{once}, (3.0, 2), (NULL, NULL), (3.0, 2)");
        for plain in [
            "avg(v)",
            "stddev(v)",
            "var_pop(v)",
            "kurtosis(v)",
            "skewness(v)",
            "product(v)",
            "corr(v, k * k)",
            "covar_pop(v, k)",
            "regr_slope(v, k)",
            "percentile(v, 0.75)",
            "histogram_numeric(v, 5)",
            "collect_list(k)",
        ] {
            let distinct = plain.replacen('(', "(DISTINCT ", 1);
            let expected = answer(plain, once).await;
            assert_eq!(answer(&distinct, &again).await, expected, "{distinct}");
            assert_ne!(answer(plain, &again).await, expected, "{plain} tells the difference");
        }
    }
}
