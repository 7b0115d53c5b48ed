//! Values as Spark prints them.

use std::sync::Arc;

use datafusion::arrow::array::{Array, StringBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use engine::show::{Shown, Zone, cell};

use crate::error::Result;
use crate::session::Session;

/// What `show` was asked for.
pub(crate) fn shown(rows: i32, truncate: i32, session: &Session) -> Shown {
    let size = |number: i32| usize::try_from(number).unwrap_or(0);
    let zone = Zone::parse(&session.zone()).unwrap_or(Zone::UTC);
    Shown { rows: size(rows), truncate: size(truncate), zone }
}

/// A single value's text.
pub(crate) fn scalar(value: &ScalarValue, zone: Zone) -> Result<String> {
    if let ScalarValue::Utf8(text) = value {
        return Ok(text.clone().unwrap_or_else(|| "null".to_owned()));
    }
    let text = cell(&value.to_array()?, 0, zone)?;
    Ok(if value.is_null() { "null".to_owned() } else { text })
}

/// A function that turns any value into the text that `show` prints.
pub(crate) fn text() -> ScalarUDF {
    ScalarUDF::new_from_impl(Text { signature: Signature::any(1, Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Text {
    signature: Signature,
}

impl ScalarUDFImpl for Text {
    fn name(&self) -> &str {
        "spark_text"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> datafusion::error::Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> datafusion::error::Result<ColumnarValue> {
        let zone = engine::dataframe::zone_in(&arguments.config_options);
        let column = arguments.args[0].to_array(arguments.number_rows)?;
        let column =
            datafusion::arrow::compute::cast(&column, &crate::schema::canonical(column.data_type()))?;
        let mut texts = StringBuilder::new();
        for row in 0..column.len() {
            match column.is_null(row) {
                true => texts.append_null(),
                false => texts.append_value(cell(&column, row, zone)?),
            }
        }
        Ok(ColumnarValue::Array(Arc::new(texts.finish())))
    }
}
