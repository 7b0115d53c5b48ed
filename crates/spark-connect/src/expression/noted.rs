//! What is known of a value beside its type, given to an expression: a call that leaves the value as it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result as PlanResult, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};

use crate::error::{Class, Result, SparkError};
use crate::expression::{Named, Resolver};
use crate::schema::message;
use crate::schema::noted::{as_metadata, kept, user_type};
use crate::wire::types::DataType as Message;

/// Leaves its argument as it is, under a field that says more.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Noted {
    metadata: BTreeMap<String, String>,
    /// The type, if something inside of it is known, too.
    data_type: Option<DataType>,
    signature: Signature,
}

impl Noted {
    fn call(
        metadata: impl IntoIterator<Item = (String, String)>,
        data_type: Option<DataType>,
        expr: Expr,
    ) -> Expr {
        let signature = Signature::any(1, Volatility::Immutable);
        let metadata = metadata.into_iter().collect();
        ScalarUDF::from(Noted { metadata, data_type, signature }).call(vec![expr])
    }
}

impl ScalarUDFImpl for Noted {
    fn name(&self) -> &'static str {
        "noted"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> PlanResult<DataType> {
        internal_err!("what it gives is said by its field")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> PlanResult<FieldRef> {
        let [given] = args.arg_fields else { return internal_err!("it has one argument") };
        let data_type = self.data_type.clone().unwrap_or_else(|| given.data_type().clone());
        let mut metadata = kept(given);
        metadata.extend(self.metadata.clone());
        let known = Field::new(self.name(), data_type, given.is_nullable());
        Ok(Arc::new(known.with_metadata(metadata)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> PlanResult<ColumnarValue> {
        let rows = args.number_rows;
        let Some(value) = args.args.into_iter().next() else { return internal_err!("it has one argument") };
        let Some(wanted) = &self.data_type else { return Ok(value) };
        Ok(ColumnarValue::Array(cast(&value.into_array(rows)?, wanted)?))
    }
}

/// The expression with a script's notes about it.
pub(crate) fn with_notes(expr: Expr, notes: &str) -> Expr {
    let metadata = as_metadata(notes);
    if metadata.is_empty() { expr } else { Noted::call(metadata, None, expr) }
}

impl Resolver<'_> {
    /// A list of values as a list of what they are.
    pub(super) fn list_of(&self, list: Expr, item: &Expr) -> Result<Expr> {
        let known = kept(&item.to_field(self.schema)?.1);
        if known.is_empty() {
            return Ok(list);
        }
        let DataType::List(plain) = self.type_of(&list)? else { return Ok(list) };
        let item = plain.as_ref().clone().with_metadata(known);
        Ok(Noted::call([], Some(DataType::List(Arc::new(item))), list))
    }

    /// A value as one of a script's own type, which it must be already.
    pub(super) fn as_user_type(&self, value: &Named, wanted: &Message) -> Result<()> {
        let Some(user) = message::user_type(wanted) else { return Ok(()) };
        let field = value.expr.to_field(self.schema)?.1;
        if user_type(&field).as_ref() == Some(&user) {
            return Ok(());
        }
        let text = format!(
            "Cannot resolve \"{}\" due to data type mismatch: cannot cast \"{}\" to the user's type `{}`.",
            value.name,
            crate::schema::name(field.data_type()),
            user.python_class.or(user.jvm_class).unwrap_or_default()
        );
        let condition = "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION";
        Err(SparkError::new(Class::Analysis, condition, "42K09", text))
    }
}
