//! Functions that take a lambda: each is given all items of all rows at once.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, ListArray, UInt32Array};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::{cast, interleave, take, take_arrays};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs, HigherOrderSignature, HigherOrderUDF,
    HigherOrderUDFImpl, LambdaArgument, LambdaParametersProgress, ValueOrLambda, Volatility,
};

use crate::functions::own::{list_of, wrong};
use crate::sql::types::map_of;

mod maps;
mod sort;

/// What is done with what the lambda answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    /// `transform(a, x -> ...)` or `(x, i) -> ...`
    Transform,
    /// `filter(a, x -> ...)` or `(x, i) -> ...`
    Filter,
    /// `aggregate(a, begin, (sum, x) -> ...)`
    Aggregate,
    /// `zip_with(a, b, (x, y) -> ...)`
    ZipWith,
    /// `transform_values(m, (k, v) -> ...)`
    TransformValues,
    /// `transform_keys(m, (k, v) -> ...)`
    TransformKeys,
    /// `map_filter(m, (k, v) -> ...)`
    MapFilter,
    /// `map_zip_with(m, n, (k, v, w) -> ...)`
    MapZipWith,
    /// `array_sort(a, (x, y) -> ...)`, under a name of its own
    SortBy,
}

const KINDS: [(&str, &[&str], Kind); 9] = [
    ("transform", &[], Kind::Transform),
    ("filter", &[], Kind::Filter),
    ("aggregate", &["reduce"], Kind::Aggregate),
    ("zip_with", &[], Kind::ZipWith),
    ("transform_values", &[], Kind::TransformValues),
    ("transform_keys", &[], Kind::TransformKeys),
    ("map_filter", &[], Kind::MapFilter),
    ("map_zip_with", &[], Kind::MapZipWith),
    ("array_sort_by", &[], Kind::SortBy),
];

/// Every function that takes a lambda and is ours.
pub(super) fn functions() -> impl Iterator<Item = HigherOrderUDF> {
    KINDS.into_iter().map(|(name, aliases, kind)| {
        let values = if matches!(kind, Kind::Aggregate | Kind::ZipWith | Kind::MapZipWith) { 2 } else { 1 };
        let mut takes = vec![ValueOrLambda::Value(()); values];
        takes.push(ValueOrLambda::Lambda(()));
        let aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
        let signature = HigherOrderSignature::exact(takes, Volatility::Immutable);
        HigherOrderUDF::new_from_impl(Function { name, aliases, kind, signature })
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Function {
    name: &'static str,
    aliases: Vec<String>,
    kind: Kind,
    signature: HigherOrderSignature,
}

fn item_of(name: &str, given: &DataType) -> Result<DataType> {
    match given {
        DataType::List(item) => Ok(item.data_type().clone()),
        _ => wrong(format!("{name} takes an array here")),
    }
}

fn parts_of(name: &str, given: &DataType) -> Result<(DataType, DataType)> {
    match given {
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(parts) => Ok((parts[0].data_type().clone(), parts[1].data_type().clone())),
            _ => wrong("a map has entries"),
        },
        _ => wrong(format!("{name} takes a map")),
    }
}

impl Function {
    /// The types of the lambda's parameters.
    fn parameters(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(match self.kind {
            Kind::Transform | Kind::Filter => vec![item_of(self.name, &given[0])?, DataType::Int32],
            Kind::Aggregate => vec![given[1].clone(), item_of(self.name, &given[0])?],
            Kind::ZipWith => vec![item_of(self.name, &given[0])?, item_of(self.name, &given[1])?],
            Kind::TransformKeys | Kind::TransformValues | Kind::MapFilter => {
                let (key, value) = parts_of(self.name, &given[0])?;
                vec![key, value]
            }
            Kind::MapZipWith => {
                let (key, value) = parts_of(self.name, &given[0])?;
                vec![key, value, parts_of(self.name, &given[1])?.1]
            }
            Kind::SortBy => vec![item_of(self.name, &given[0])?; 2],
        })
    }
}

impl HigherOrderUDFImpl for Function {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }

    fn coerce_value_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn lambda_parameters(
        &self,
        _: usize,
        fields: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) -> Result<LambdaParametersProgress> {
        let given: Vec<DataType> = fields
            .iter()
            .filter_map(|field| match field {
                ValueOrLambda::Value(field) => Some(field.data_type().clone()),
                ValueOrLambda::Lambda(_) => None,
            })
            .collect();
        let parameters = self.parameters(&given)?.into_iter();
        let parameters = parameters.map(|given| Arc::new(Field::new("", given, true)));
        Ok(LambdaParametersProgress::Complete(vec![parameters.collect()]))
    }

    fn return_field_from_args(&self, args: HigherOrderReturnFieldArgs<'_>) -> Result<FieldRef> {
        let mut given = Vec::new();
        let mut answer = DataType::Null;
        for field in args.arg_fields {
            match field {
                ValueOrLambda::Value(field) => given.push(field.data_type().clone()),
                ValueOrLambda::Lambda(field) => answer = field.data_type().clone(),
            }
        }
        let gives = match self.kind {
            Kind::Transform | Kind::ZipWith => list_of(answer),
            Kind::Filter | Kind::MapFilter | Kind::SortBy => given[0].clone(),
            Kind::Aggregate => given[1].clone(),
            Kind::TransformValues | Kind::MapZipWith => map_of(parts_of(self.name, &given[0])?.0, answer),
            Kind::TransformKeys => map_of(answer, parts_of(self.name, &given[0])?.1),
        };
        Ok(Arc::new(Field::new(self.name, gives, true)))
    }

    fn invoke_with_args(&self, args: HigherOrderFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let (mut values, mut lambda) = (Vec::new(), None);
        for argument in &args.args {
            match argument {
                ValueOrLambda::Value(value) => values.push(value.to_array(rows)?),
                ValueOrLambda::Lambda(found) => lambda = Some(found),
            }
        }
        let Some(lambda) = lambda else { return wrong(format!("{} takes a lambda", self.name)) };
        let gives = args.return_field.data_type();
        let answer = match self.kind {
            Kind::Transform => transform(&values[0], lambda, gives),
            Kind::Filter => filter(&values[0], lambda),
            Kind::Aggregate => aggregate(&values[0], &values[1], lambda),
            Kind::ZipWith => zip_with(&values, lambda, gives),
            Kind::TransformValues => maps::transform_values(&values[0], lambda, gives),
            Kind::TransformKeys => maps::transform_keys(&values[0], lambda, gives),
            Kind::MapFilter => maps::filter(&values[0], lambda),
            Kind::MapZipWith => maps::zip_with(&values, lambda, gives),
            Kind::SortBy => sort::by(&values[0], lambda),
        };
        Ok(ColumnarValue::Array(answer?))
    }
}

/// The items of all rows: where they lie, their number in their row, and the row.
struct Spread {
    places: Vec<u32>,
    positions: Vec<i32>,
    rows: Vec<u32>,
    lengths: Vec<usize>,
    nulls: NullBuffer,
}

fn spread(given: &dyn Array, offsets: &[i32]) -> Spread {
    let (mut places, mut positions, mut rows, mut lengths) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let known: Vec<bool> = (0..given.len()).map(|row| given.is_valid(row)).collect();
    for row in 0..given.len() {
        let range = if known[row] { offsets[row]..offsets[row + 1] } else { 0..0 };
        lengths.push(range.len());
        for (position, place) in (0..).zip(range) {
            places.push(place.cast_unsigned());
            positions.push(position);
            rows.push(u32::try_from(row).unwrap_or(u32::MAX));
        }
    }
    Spread { places, positions, rows, lengths, nulls: NullBuffer::from(known) }
}

/// What the lambda answers to these parameters, an answer for each.
fn ask(lambda: &LambdaArgument, parameters: &[ArrayRef], rows: &[u32]) -> Result<ArrayRef> {
    let parameters: Vec<_> = parameters.iter().map(|given| || Ok(Arc::clone(given))).collect();
    let parameters: Vec<&dyn Fn() -> Result<ArrayRef>> =
        parameters.iter().map(|given| given as &dyn Fn() -> Result<ArrayRef>).collect();
    let answer = lambda.evaluate(&parameters, |captured| {
        Ok(take_arrays(captured, &UInt32Array::from(rows.to_vec()), None)?)
    })?;
    answer.into_array(rows.len())
}

fn list(given: &ArrayRef) -> Result<&ListArray> {
    given.as_list_opt::<i32>().map_or_else(|| wrong("an array is wanted here"), Ok)
}

fn listed(gives: &DataType, items: &ArrayRef, lengths: Vec<usize>, nulls: NullBuffer) -> Result<ArrayRef> {
    let DataType::List(item) = gives else { return wrong("the answer is no array") };
    let items = cast(items, item.data_type())?;
    Ok(Arc::new(ListArray::try_new(
        Arc::clone(item),
        OffsetBuffer::from_lengths(lengths),
        items,
        Some(nulls),
    )?))
}

fn items(given: &ArrayRef) -> Result<(Spread, ArrayRef, ArrayRef)> {
    let list = list(given)?;
    let spread = spread(list, list.value_offsets());
    let values = take(list.values(), &UInt32Array::from(spread.places.clone()), None)?;
    let positions: ArrayRef = Arc::new(Int32Array::from(spread.positions.clone()));
    Ok((spread, values, positions))
}

fn transform(given: &ArrayRef, lambda: &LambdaArgument, gives: &DataType) -> Result<ArrayRef> {
    let (spread, values, positions) = items(given)?;
    let answers = ask(lambda, &[values, positions], &spread.rows)?;
    listed(gives, &answers, spread.lengths, spread.nulls)
}

/// Which items stay, and how many of each row.
fn kept(spread: &Spread, answers: &ArrayRef) -> Result<(UInt32Array, Vec<usize>)> {
    let Some(answers) = answers.as_boolean_opt() else { return wrong("the lambda answers no truth value") };
    let answers: &BooleanArray = answers;
    let (mut places, mut lengths) = (Vec::new(), vec![0; spread.lengths.len()]);
    for (index, place) in spread.places.iter().enumerate() {
        if answers.is_valid(index) && answers.value(index) {
            places.push(*place);
            lengths[spread.rows[index] as usize] += 1;
        }
    }
    Ok((UInt32Array::from(places), lengths))
}

fn filter(given: &ArrayRef, lambda: &LambdaArgument) -> Result<ArrayRef> {
    let (spread, values, positions) = items(given)?;
    let answers = ask(lambda, &[values, positions], &spread.rows)?;
    let (places, lengths) = kept(&spread, &answers)?;
    listed(given.data_type(), &take(list(given)?.values(), &places, None)?, lengths, spread.nulls)
}

/// One item of every row at a time.
fn aggregate(given: &ArrayRef, begin: &ArrayRef, lambda: &LambdaArgument) -> Result<ArrayRef> {
    let list = list(given)?;
    let mut sums = Arc::clone(begin);
    let length = |row: usize| if list.is_valid(row) { list.value_length(row) } else { 0 };
    let longest = (0..list.len()).map(length).max().unwrap_or(0);
    for position in 0..longest {
        let rows: Vec<u32> = (0..list.len())
            .filter(|row| length(*row) > position)
            .filter_map(|row| u32::try_from(row).ok())
            .collect();
        let places = rows.iter().map(|row| (list.value_offsets()[*row as usize] + position).cast_unsigned());
        let values = take(list.values(), &UInt32Array::from_iter_values(places), None)?;
        let before = take(&sums, &UInt32Array::from(rows.clone()), None)?;
        let after = cast(&ask(lambda, &[before, values], &rows)?, begin.data_type())?;
        let mut picked: Vec<(usize, usize)> = (0..list.len()).map(|row| (0, row)).collect();
        for (index, row) in rows.iter().enumerate() {
            picked[*row as usize] = (1, index);
        }
        sums = interleave(&[sums.as_ref(), after.as_ref()], &picked)?;
    }
    let none = ScalarValue::try_from(begin.data_type())?.to_array()?;
    let picked: Vec<(usize, usize)> =
        (0..list.len()).map(|row| if list.is_valid(row) { (0, row) } else { (1, 0) }).collect();
    Ok(interleave(&[sums.as_ref(), none.as_ref()], &picked)?)
}

/// The shorter array goes on with NULL.
fn zip_with(given: &[ArrayRef], lambda: &LambdaArgument, gives: &DataType) -> Result<ArrayRef> {
    let sides = [list(&given[0])?, list(&given[1])?];
    let (mut places, mut rows, mut lengths, mut known) =
        ([Vec::new(), Vec::new()], Vec::new(), Vec::new(), Vec::new());
    for row in 0..sides[0].len() {
        let valid = sides.iter().all(|side| side.is_valid(row));
        known.push(valid);
        let longest = sides.iter().map(|side| side.value_length(row)).max().unwrap_or(0);
        let length = if valid { longest } else { 0 };
        for (side, places) in sides.iter().zip(&mut places) {
            let start = side.value_offsets()[row];
            places
                .extend((0..length).map(|place| {
                    (place < side.value_length(row)).then_some((start + place).cast_unsigned())
                }));
        }
        rows.extend((0..length).map(|_| u32::try_from(row).unwrap_or(u32::MAX)));
        lengths.push(usize::try_from(length).unwrap_or(0));
    }
    let [one, other] = places;
    let one = take(sides[0].values(), &UInt32Array::from(one), None)?;
    let other = take(sides[1].values(), &UInt32Array::from(other), None)?;
    let answers = ask(lambda, &[one, other], &rows)?;
    listed(gives, &answers, lengths, NullBuffer::from(known))
}
