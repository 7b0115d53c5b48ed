//! Functions whose answer is another one for each row, and calls that answer NULL where others fail.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::Array;
use datafusion::arrow::compute::concat;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result as PlanResult, ScalarValue};
use datafusion::logical_expr::expr::{WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility, WindowFrame, WindowFunctionDefinition, lit,
};
use datafusion::prelude::cast;

use crate::error::Result;
use crate::expression::{Named, Resolver};

/// Functions that begin with `try_`, and those that they try.
const TRIED: &[(&str, &str)] = &[
    ("try_make_timestamp", "make_timestamp"),
    ("try_make_timestamp_ltz", "make_timestamp_ltz"),
    ("try_make_timestamp_ntz", "make_timestamp_ntz"),
    ("try_make_interval", "make_interval"),
];

pub(super) fn call(resolver: &Resolver<'_>, name: &str, arguments: &[Named]) -> Result<Option<Expr>> {
    if let Some(expr) = super::seeded::call(resolver, name, arguments, || resolver.python.new_seed())? {
        return Ok(Some(expr));
    }
    Ok(Some(match (name, arguments.len()) {
        ("rand" | "random", 0) => resolver.udf("random")?.call(Vec::new()),
        ("randn", 0) => normal(resolver)?,
        ("spark_partition_id", 0) => lit(0_i32),
        ("input_file_block_start" | "input_file_block_length", 0) => lit(-1_i64),
        ("monotonically_increasing_id", 0) => numbered(resolver)?,
        _ => {
            let Some((_, function)) = TRIED.iter().find(|(known, _)| *known == name) else { return Ok(None) };
            let tried = Tried { name: format!("try_{function}"), inner: resolver.udf(function)? };
            let given = arguments.iter().map(|argument| argument.expr.clone());
            ScalarUDF::from(tried).call(given.collect())
        }
    }))
}

/// From two even distributions, as Box and Muller do it.
fn normal(resolver: &Resolver<'_>) -> Result<Expr> {
    let even = || -> Result<Expr> { Ok(resolver.udf("random")?.call(Vec::new())) };
    let logarithm = resolver.udf("ln")?.call(vec![lit(1.0_f64) - even()?]);
    let length = resolver.udf("sqrt")?.call(vec![lit(-2.0_f64) * logarithm]);
    Ok(length * resolver.udf("cos")?.call(vec![lit(std::f64::consts::TAU) * even()?]))
}

/// The rows counted from 0.
fn numbered(resolver: &Resolver<'_>) -> Result<Expr> {
    let state = resolver.context.state_ref();
    let found = state.read().window_functions().get("row_number").cloned();
    let function = found.ok_or_else(|| super::function::unresolved("row_number"))?;
    let params = WindowFunctionParams {
        args: Vec::new(),
        partition_by: Vec::new(),
        order_by: Vec::new(),
        window_frame: WindowFrame::new(None),
        filter: None,
        null_treatment: None,
        distinct: false,
    };
    let fun = WindowFunctionDefinition::WindowUDF(function);
    let number = Expr::WindowFunction(Box::new(WindowFunction { fun, params }));
    Ok(cast(number, DataType::Int64) - lit(1_i64))
}

/// A function whose errors are NULL.
#[derive(Debug)]
struct Tried {
    name: String,
    inner: Arc<ScalarUDF>,
}

impl PartialEq for Tried {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Tried {}

impl Hash for Tried {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Tried {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        const SIGNATURE: &Signature = &Signature {
            type_signature: datafusion::logical_expr::TypeSignature::UserDefined,
            volatility: Volatility::Immutable,
            parameter_names: None,
        };
        SIGNATURE
    }

    fn coerce_types(&self, types: &[DataType]) -> PlanResult<Vec<DataType>> {
        let fields: Vec<FieldRef> = types
            .iter()
            .map(|given| Arc::new(datafusion::arrow::datatypes::Field::new("", given.clone(), true)))
            .collect();
        let fields = datafusion::logical_expr::type_coercion::functions::fields_with_udf(
            &fields,
            self.inner.as_ref(),
        )?;
        Ok(fields.iter().map(|field| field.data_type().clone()).collect())
    }

    fn return_type(&self, types: &[DataType]) -> PlanResult<DataType> {
        self.inner.return_type(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> PlanResult<FieldRef> {
        let field = self.inner.return_field_from_args(args)?;
        Ok(Arc::new(field.as_ref().clone().with_nullable(true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> PlanResult<ColumnarValue> {
        let nothing = ScalarValue::try_from(args.return_field.data_type())?;
        if let Ok(answer) = self.inner.invoke_with_args(args.clone()) {
            return Ok(answer);
        }
        let mut answers = Vec::with_capacity(args.number_rows);
        for row in 0..args.number_rows {
            let one = |argument: &ColumnarValue| match argument {
                ColumnarValue::Array(array) => ColumnarValue::Array(array.slice(row, 1)),
                scalar @ ColumnarValue::Scalar(_) => scalar.clone(),
            };
            let given = args.args.iter().map(one).collect();
            let of_row = ScalarFunctionArgs { args: given, number_rows: 1, ..args.clone() };
            answers.push(match self.inner.invoke_with_args(of_row) {
                Ok(answer) => answer.into_array(1)?,
                Err(_) => nothing.to_array()?,
            });
        }
        if answers.is_empty() {
            return Ok(ColumnarValue::Scalar(nothing));
        }
        let parts: Vec<&dyn Array> = answers.iter().map(AsRef::as_ref).collect();
        Ok(ColumnarValue::Array(concat(&parts)?))
    }
}
