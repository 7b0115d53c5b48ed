//! How a function of ours is written: what it takes, what it gives, and how a batch of rows is answered.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, PrimitiveArray, StringArray,
};
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, DataType, Field, FieldRef, Float64Type, Int32Type, Int64Type, TimeUnit,
    TimestampMicrosecondType,
};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::functions::time::Zone;
use crate::sql::types::{UTC, type_name};

/// What an argument is made into before the function sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Int,
    Long,
    Double,
    Boolean,
    /// As it comes.
    Any,
}

/// What is known when the query is planned.
pub(super) struct Planned<'a> {
    pub(super) name: &'static str,
    pub(super) types: Vec<DataType>,
    pub(super) constants: &'a [Option<&'a ScalarValue>],
}

/// A batch of rows to answer.
pub(super) struct Call {
    pub(super) name: &'static str,
    pub(super) arguments: Vec<ArrayRef>,
    pub(super) rows: usize,
    /// The type of the answer.
    pub(super) gives: DataType,
    /// What the session counts in.
    pub(super) zone: Zone,
}

/// A row of a [`Call`].
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    call: &'a Call,
    index: usize,
}

type Gives = fn(&Planned<'_>) -> Result<DataType>;
type Run = fn(&Call) -> Result<ArrayRef>;

/// A function.
#[derive(Clone, Copy)]
pub(super) struct Own {
    name: &'static str,
    aliases: &'static [&'static str],
    takes: &'static [Kind],
    /// How many of `takes` may be left out.
    optional: usize,
    /// The last of `takes` may come any number of times.
    variadic: bool,
    gives: Gives,
    run: Run,
}

impl Own {
    pub(super) const fn new(name: &'static str, takes: &'static [Kind], gives: Gives, run: Run) -> Self {
        Own { name, aliases: &[], takes, optional: 0, variadic: false, gives, run }
    }

    pub(super) const fn optional(mut self, count: usize) -> Self {
        self.optional = count;
        self
    }

    pub(super) const fn variadic(mut self) -> Self {
        self.variadic = true;
        self
    }

    pub(super) const fn also(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    pub(super) fn function(self) -> ScalarUDF {
        let aliases = self.aliases.iter().map(|alias| (*alias).to_owned()).collect();
        let signature = if self.takes.is_empty() {
            Signature::nullary(Volatility::Immutable)
        } else {
            Signature::user_defined(Volatility::Immutable)
        };
        ScalarUDF::from(Function { own: self, aliases, signature })
    }
}

struct Function {
    own: Own,
    aliases: Vec<String>,
    signature: Signature,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.own.name)
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.own.name == other.own.name
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.own.name.hash(state);
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.own.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let constants = vec![None; types.len()];
        (self.own.gives)(&Planned { name: self.own.name, types: types.to_vec(), constants: &constants })
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let planned = Planned { name: self.own.name, types, constants: args.scalar_arguments };
        Ok(Arc::new(Field::new(self.own.name, (self.own.gives)(&planned)?, true)))
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let Own { name, takes, optional, variadic, .. } = self.own;
        coerced(name, types, takes, optional, variadic)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let arguments = args.args.into_iter().map(|argument| argument.into_array(rows));
        let call = Call {
            name: self.own.name,
            arguments: arguments.collect::<Result<_>>()?,
            rows,
            gives: args.return_field.data_type().clone(),
            zone: Zone::of(&args.config_options)?,
        };
        let answer = (self.own.run)(&call)?;
        if constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&answer, 0)?));
        }
        Ok(ColumnarValue::Array(answer))
    }
}

/// The types of the arguments once they are what a function takes; `optional` of them may be missing.
pub(super) fn coerced(
    name: &str,
    types: &[DataType],
    takes: &[Kind],
    optional: usize,
    variadic: bool,
) -> Result<Vec<DataType>> {
    if types.len() + optional < takes.len() || (!variadic && types.len() > takes.len()) {
        let (least, most) = (takes.len() - optional, takes.len());
        let expected = match (variadic, least == most) {
            (true, _) => format!("{least} or more"),
            (false, true) => least.to_string(),
            (false, false) => format!("{least} to {most}"),
        };
        return wrong(format!("{name} takes {expected} arguments, not {}", types.len()));
    }
    let last = takes.len().saturating_sub(1);
    let kinds = (0..types.len()).map(|index| takes[index.min(last)]);
    types.iter().zip(kinds).map(|(given, kind)| taken(name, given, kind)).collect()
}

fn taken(name: &str, given: &DataType, kind: Kind) -> Result<DataType> {
    let wanted = match kind {
        Kind::Text => DataType::Utf8,
        Kind::Int => DataType::Int32,
        Kind::Long => DataType::Int64,
        Kind::Double => DataType::Float64,
        Kind::Boolean => DataType::Boolean,
        Kind::Any => return Ok(plain(given)),
    };
    let fits = match kind {
        Kind::Text => !given.is_nested(),
        Kind::Boolean => matches!(given, DataType::Boolean | DataType::Null) || is_text(given),
        _ => given.is_numeric() || is_text(given) || given.is_null(),
    };
    if fits {
        return Ok(wanted);
    }
    wrong(format!("{name} takes {} here, not {}", type_name(&wanted), type_name(given)))
}

/// Strings and bytes have one form inside of our functions.
pub(super) fn plain(given: &DataType) -> DataType {
    match given {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
        other => other.clone(),
    }
}

pub(super) fn is_text(given: &DataType) -> bool {
    matches!(given, DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8)
}

pub(super) fn is_bytes(given: &DataType) -> bool {
    matches!(given, DataType::Binary | DataType::BinaryView | DataType::LargeBinary)
}

/// Spark's `TIMESTAMP`.
pub(super) fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()))
}

/// An array of `item`.
pub(super) fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item, true)))
}

/// What the caller did wrong, or a value that Spark refuses too.
pub(super) fn wrong<T>(reason: impl Into<String>) -> Result<T> {
    Err(DataFusionError::Execution(reason.into()))
}

/// What Spark refuses too, with the name of Spark's error condition.
pub(super) fn refused<T>(condition: &str, reason: &str) -> Result<T> {
    wrong(format!("[{condition}] {reason}"))
}

pub(super) fn text(_: &Planned<'_>) -> Result<DataType> {
    Ok(DataType::Utf8)
}

pub(super) fn int(_: &Planned<'_>) -> Result<DataType> {
    Ok(DataType::Int32)
}

pub(super) fn long(_: &Planned<'_>) -> Result<DataType> {
    Ok(DataType::Int64)
}

pub(super) fn double(_: &Planned<'_>) -> Result<DataType> {
    Ok(DataType::Float64)
}

pub(super) fn boolean(_: &Planned<'_>) -> Result<DataType> {
    Ok(DataType::Boolean)
}

pub(super) fn bytes(_: &Planned<'_>) -> Result<DataType> {
    Ok(DataType::Binary)
}

pub(super) fn date(_: &Planned<'_>) -> Result<DataType> {
    Ok(DataType::Date32)
}

pub(super) fn timestamp(_: &Planned<'_>) -> Result<DataType> {
    Ok(instant())
}

pub(super) fn texts(_: &Planned<'_>) -> Result<DataType> {
    Ok(list_of(DataType::Utf8))
}

/// The type of the first argument.
pub(super) fn first(planned: &Planned<'_>) -> Result<DataType> {
    planned.types.first().cloned().map_or_else(|| wrong("an argument is missing"), Ok)
}

impl Call {
    /// The same call with another type to give.
    pub(super) fn with_gives(&self, gives: DataType) -> Call {
        Call { gives, arguments: self.arguments.clone(), ..*self }
    }

    pub(super) fn row(&self, index: usize) -> Row<'_> {
        Row { call: self, index }
    }

    /// The rows, `None` where an argument is NULL.
    pub(super) fn complete(&self) -> impl Iterator<Item = Option<Row<'_>>> {
        (0..self.rows).map(|index| {
            let known = self.arguments.iter().all(|argument| argument.is_valid(index));
            known.then(|| self.row(index))
        })
    }

    /// One string per row; NULL where an argument is.
    pub(super) fn texts(
        &self,
        mut answer: impl FnMut(Row<'_>) -> Result<Option<String>>,
    ) -> Result<ArrayRef> {
        let rows = self.complete().map(|row| row.map_or(Ok(None), &mut answer));
        Ok(Arc::new(rows.collect::<Result<StringArray>>()?))
    }

    /// One truth value per row; NULL where an argument is.
    pub(super) fn booleans(
        &self,
        mut answer: impl FnMut(Row<'_>) -> Result<Option<bool>>,
    ) -> Result<ArrayRef> {
        let rows = self.complete().map(|row| row.map_or(Ok(None), &mut answer));
        Ok(Arc::new(rows.collect::<Result<BooleanArray>>()?))
    }

    /// One byte string per row; NULL where an argument is.
    pub(super) fn bytes(
        &self,
        mut answer: impl FnMut(Row<'_>) -> Result<Option<Vec<u8>>>,
    ) -> Result<ArrayRef> {
        let rows = self.complete().map(|row| row.map_or(Ok(None), &mut answer));
        let rows = rows.collect::<Result<Vec<_>>>()?;
        Ok(Arc::new(rows.iter().map(Option::as_deref).collect::<BinaryArray>()))
    }

    /// One number, date or time per row; NULL where an argument is.
    pub(super) fn numbers<T: ArrowPrimitiveType>(
        &self,
        mut answer: impl FnMut(Row<'_>) -> Result<Option<T::Native>>,
    ) -> Result<ArrayRef> {
        let rows = self.complete().map(|row| row.map_or(Ok(None), &mut answer));
        let array: PrimitiveArray<T> = rows.collect::<Result<Vec<_>>>()?.into_iter().collect();
        Ok(Arc::new(array.with_data_type(self.gives.clone())))
    }
}

impl<'a> Row<'a> {
    pub(super) fn index(self) -> usize {
        self.index
    }

    /// What the session counts in.
    pub(super) fn zone(self) -> Zone {
        self.call.zone
    }

    /// How many arguments were given.
    pub(super) fn count(self) -> usize {
        self.call.arguments.len()
    }

    pub(super) fn array(self, argument: usize) -> &'a ArrayRef {
        &self.call.arguments[argument]
    }

    pub(super) fn is_null(self, argument: usize) -> bool {
        self.array(argument).is_null(self.index)
    }

    pub(super) fn text(self, argument: usize) -> &'a str {
        self.array(argument).as_string::<i32>().value(self.index)
    }

    pub(super) fn bytes(self, argument: usize) -> &'a [u8] {
        self.array(argument).as_binary::<i32>().value(self.index)
    }

    pub(super) fn int(self, argument: usize) -> i32 {
        self.array(argument).as_primitive::<Int32Type>().value(self.index)
    }

    pub(super) fn long(self, argument: usize) -> i64 {
        self.array(argument).as_primitive::<Int64Type>().value(self.index)
    }

    pub(super) fn double(self, argument: usize) -> f64 {
        self.array(argument).as_primitive::<Float64Type>().value(self.index)
    }

    pub(super) fn boolean(self, argument: usize) -> bool {
        self.array(argument).as_boolean().value(self.index)
    }

    /// Microseconds since 1970.
    pub(super) fn instant(self, argument: usize) -> i64 {
        self.array(argument).as_primitive::<TimestampMicrosecondType>().value(self.index)
    }
}
