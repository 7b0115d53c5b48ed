//! The time of the batch: every row of a batch has the same, also when the batch runs again.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::zone::Zone;
use crate::functions::own::instant;
use crate::operator::scope::Scope;
use crate::sql::types::UTC;

/// `current_timestamp`, `localtimestamp` and `current_date`, over the scope that knows the time, and `current_timezone`.
pub(in crate::functions) fn functions(scope: &Arc<Scope>) -> [ScalarUDF; 4] {
    let make = |name, aliases: &[&str], gives| {
        let aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
        // Not to be folded when the query is planned: the plan outlives the batch.
        let signature = Signature::nullary(Volatility::Volatile);
        ScalarUDF::from(Now { name, aliases, gives, signature, scope: Arc::clone(scope) })
    };
    [
        make("current_timestamp", &["now"], instant()),
        make("localtimestamp", &[], DataType::Timestamp(TimeUnit::Microsecond, None)),
        make("current_date", &["curdate"], DataType::Date32),
        make("current_timezone", &[], DataType::Utf8),
    ]
}

#[derive(Debug)]
struct Now {
    name: &'static str,
    aliases: Vec<String>,
    gives: DataType,
    signature: Signature,
    scope: Arc<Scope>,
}

impl PartialEq for Now {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && Arc::ptr_eq(&self.scope, &other.scope)
    }
}

impl Eq for Now {}

impl Hash for Now {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Now {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.gives.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let now = self.scope.time_ms().checked_mul(1_000);
        let zone = Zone::of(&args.config_options)?;
        let local = now.map(|now| zone.local(now));
        Ok(ColumnarValue::Scalar(match self.gives {
            DataType::Date32 => ScalarValue::Date32(local.and_then(super::day_of)),
            DataType::Utf8 => {
                let name = args.config_options.execution.time_zone.clone();
                ScalarValue::Utf8(Some(name.unwrap_or_else(|| UTC.to_owned())))
            }
            DataType::Timestamp(_, None) => ScalarValue::TimestampMicrosecond(local, None),
            _ => ScalarValue::TimestampMicrosecond(now, Some(UTC.into())),
        }))
    }
}
