//! A Python function as the planner knows it: one of its own functions, which hands each batch to a worker.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, ListArray, RecordBatch, RecordBatchOptions, StructArray, new_empty_array,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::{cast, concat};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema};
use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use tokio::runtime::{Handle, RuntimeFlavor};

use crate::python::failure::Failure;
use crate::python::function::{Function, Makes};
use crate::python::group::Groups;
use crate::python::run::Run;
use crate::python::task::{Given, Next, Task};
use crate::schema::{canonical, noted};

/// Rows that a function gets at a time, at most.
pub(super) const ROWS_MAX: usize = 10_000;

/// A call in a plan.
#[derive(Debug)]
pub(crate) struct Call {
    id: u64,
    function: Arc<Function>,
    makes: Makes,
    /// How the columns of a group are called, and which of them are its key; of each of its frames.
    groups: Vec<Groups>,
    /// What the columns of a frame are called, of a function that takes frames.
    names: Vec<String>,
    run: Arc<Run>,
    signature: Signature,
}

impl Call {
    /// The call of a function that makes values.
    pub(crate) fn values(function: Function, arguments: Vec<Expr>, run: &Arc<Run>) -> Expr {
        Call::of(function, Makes::Values, Vec::new(), Vec::new(), run).on(arguments)
    }

    /// The call of a function that makes rows of the columns, as a list.
    pub(crate) fn rows(function: Function, columns: Vec<Expr>, names: Vec<String>, run: &Arc<Run>) -> Expr {
        Call::of(function, Makes::Rows, Vec::new(), names, run).on(columns)
    }

    /// The call of a function of groups, each a list of structs.
    pub(crate) fn groups(
        function: Function,
        makes: Makes,
        lists: Vec<Expr>,
        groups: Vec<Groups>,
        run: &Arc<Run>,
    ) -> Expr {
        Call::of(function, makes, groups, Vec::new(), run).on(lists)
    }

    pub(super) fn of(
        function: Function,
        makes: Makes,
        groups: Vec<Groups>,
        names: Vec<String>,
        run: &Arc<Run>,
    ) -> Call {
        // Neither computed while planning nor computed twice.
        let signature = Signature::variadic_any(Volatility::Volatile);
        let (id, function, run) = (run.new_call(), Arc::new(function), Arc::clone(run));
        Call { id, function, makes, groups, names, run, signature }
    }

    pub(super) fn on(mut self, arguments: Vec<Expr>) -> Expr {
        self.measured_as(&arguments);
        if arguments.is_empty() {
            self.signature = Signature::nullary(Volatility::Volatile);
        }
        ScalarUDF::from(self).call(arguments)
    }

    /// Its profile is that of these arguments.
    pub(super) fn measured_as(&mut self, arguments: &(impl Hash + ?Sized)) {
        if let Some(number) = self.run.profile(&self.function, arguments) {
            Arc::make_mut(&mut self.function).profile = number;
        }
    }

    /// The calls of Python in an expression.
    pub(crate) fn within(expr: &Expr) -> Vec<&Expr> {
        let mut found = Vec::new();
        // Walking cannot fail.
        let _ = expr.apply(|inner| {
            if Call::behind(inner).is_some() {
                found.push(inner);
            }
            Ok(TreeNodeRecursion::Continue)
        });
        found
    }

    fn behind(expr: &Expr) -> Option<&Call> {
        match expr {
            Expr::ScalarFunction(call) => call.func.inner().downcast_ref::<Call>(),
            _ => None,
        }
    }

    /// Whether an expression calls a function that may give another value for the same arguments.
    pub(crate) fn is_random(expr: &Expr) -> bool {
        Call::within(expr).into_iter().any(|call| Call::behind(call).is_some_and(|call| call.function.random))
    }

    pub(super) fn function(&self) -> &Function {
        &self.function
    }

    pub(super) fn shared(&self) -> &Arc<Function> {
        &self.function
    }

    pub(super) fn run(&self) -> &Run {
        &self.run
    }

    fn output(&self) -> DataType {
        match self.makes {
            Makes::Values | Makes::Aggregate => self.function.output.clone(),
            _ => DataType::List(Arc::new(Field::new_list_field(self.function.output.clone(), true))),
        }
    }

    fn called(&self, columns: &[ArrayRef], given: &[FieldRef], rows: usize) -> Result<ArrayRef, Failure> {
        match self.makes {
            Makes::Values => self.each_value(&noted_as(batch(columns, None, rows), given), rows),
            Makes::Rows => {
                let batch = batch(columns, Some(&self.names), rows);
                let made = self.whole(&[0], &batch.schema(), [Ok(Given::Rows(framed(&batch)))])?;
                self.listed(&made, rows)
            }
            Makes::Aggregate => {
                let made = self.grouped(columns, rows)?;
                self.column(&made, rows)
            }
            Makes::Table => self.rows_of_each(columns, rows),
            Makes::TableOfTable => self.rows_of_tables(columns, rows),
            Makes::GroupRows | Makes::PairRows | Makes::States => {
                let made = self.grouped(columns, rows)?;
                self.listed(&made, rows)
            }
        }
    }

    /// A value for each row, by a task that lives as long as the plan: functions may keep what they learnt.
    fn each_value(&self, whole: &RecordBatch, rows: usize) -> Result<ArrayRef, Failure> {
        let arguments: Vec<usize> = (0..whole.num_columns()).collect();
        let mut parts = Vec::new();
        for start in (0..rows).step_by(ROWS_MAX) {
            let part = whole.slice(start, ROWS_MAX.min(rows - start));
            let made = self.begun(&arguments, &part.schema(), |task, next, made| {
                if next == Next::Finished {
                    return Ok(next);
                }
                task.feed(&part)?;
                let next = task.wait(made)?;
                if next == Next::Wants && count(made) < part.num_rows() {
                    // It reads ahead: what it owes comes when nothing follows.
                    task.end()?;
                    return task.wait(made);
                }
                Ok(next)
            })?;
            parts.push(self.column(&made, part.num_rows())?);
        }
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        concat(&parts).map_err(|error| self.arrow(error))
    }

    /// Lets a task work: one that waits for this call, or a new one.
    pub(super) fn begun(
        &self,
        arguments: &[usize],
        input: &Schema,
        work: impl FnOnce(&mut Task, Next, &mut Vec<RecordBatch>) -> Result<Next, Failure>,
    ) -> Result<Vec<RecordBatch>, Failure> {
        let (mut task, next) = match self.run.parked(self.id) {
            Some(task) => (task, Next::Wants),
            None => Task::begin(&self.function, arguments, input, &self.run)?,
        };
        let mut made = Vec::new();
        match work(&mut task, next, &mut made) {
            Ok(Next::Wants) => self.run.park(self.id, task),
            Ok(Next::Finished) => self.run.finish(task),
            Err(failure) => {
                self.run.lost(task);
                return Err(self.run.reason(failure));
            }
        }
        Ok(made)
    }

    /// What the function makes of groups.
    fn grouped(&self, lists: &[ArrayRef], rows: usize) -> Result<Vec<RecordBatch>, Failure> {
        let lists = self.groups.iter().zip(lists).map(|(groups, list)| groups.lists(list, &self.function));
        let lists = lists.collect::<Result<Vec<_>, Failure>>()?;
        let arguments = Groups::arguments(&self.groups, self.makes);
        let empty =
            |row: &usize| self.makes == Makes::GroupRows && lists.iter().all(|list| list.is_null(*row));
        let mut left = (0..rows).filter(|row| !empty(row));
        let mut ended = false;
        let given = std::iter::from_fn(|| {
            let mut bytes = Vec::new();
            while !ended && bytes.len() < Groups::BYTES_AT_ONCE {
                let Some(row) = left.next() else {
                    ended = true;
                    bytes.extend(0_i32.to_be_bytes());
                    break;
                };
                bytes.extend(i32::try_from(lists.len()).unwrap_or(i32::MAX).to_be_bytes());
                for list in &lists {
                    if let Err(error) = list.write(row, self.run.zone(), &mut bytes) {
                        return Some(Err(self.arrow(error)));
                    }
                }
            }
            (!bytes.is_empty()).then_some(Ok(Given::Bytes(bytes)))
        });
        self.whole(&arguments, &Schema::empty(), given)
    }

    fn whole(
        &self,
        arguments: &[usize],
        input: &Schema,
        given: impl IntoIterator<Item = Result<Given, Failure>>,
    ) -> Result<Vec<RecordBatch>, Failure> {
        Ok(self.run.whole(&self.function, arguments, input, given)?.0)
    }

    /// The first columns of the batches, as one of these many values.
    pub(super) fn column(&self, made: &[RecordBatch], rows: usize) -> Result<ArrayRef, Failure> {
        if count(made) != rows {
            return Err(self.shape(format!("{} values", count(made)), format!("{rows}")));
        }
        self.joined(made)
    }

    pub(super) fn joined(&self, made: &[RecordBatch]) -> Result<ArrayRef, Failure> {
        let wanted = &self.function.output;
        let columns = made.iter().map(|batch| match batch.columns() {
            [column] if column.data_type() == wanted => Ok(Arc::clone(column)),
            [column] => cast(column, wanted).map_err(|error| self.arrow(error)),
            columns => Err(self.shape(format!("{} columns", columns.len()), "1".to_owned())),
        });
        let columns = columns.collect::<Result<Vec<_>, Failure>>()?;
        let parts: Vec<&dyn Array> = columns.iter().map(AsRef::as_ref).collect();
        if parts.is_empty() {
            return Ok(new_empty_array(wanted));
        }
        concat(&parts).map_err(|error| self.arrow(error))
    }

    /// All rows in the list of the first row; the others' are empty.
    pub(super) fn listed(&self, made: &[RecordBatch], rows: usize) -> Result<ArrayRef, Failure> {
        let values = self.joined(made)?;
        let lengths = std::iter::once(values.len()).chain(std::iter::repeat(0)).take(rows);
        let field = Arc::new(Field::new_list_field(self.function.output.clone(), true));
        let list = ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), values, None);
        Ok(Arc::new(list.map_err(|error| self.arrow(error))?))
    }

    /// Whose instants the function is given.
    pub(super) fn zone(&self) -> &str {
        self.run.zone()
    }

    pub(super) fn arrow(&self, source: datafusion::arrow::error::ArrowError) -> Failure {
        Failure::Arrow { function: self.function.name.clone(), source }
    }

    fn shape(&self, given: String, wanted: String) -> Failure {
        Failure::Shape { function: self.function.name.clone(), given, wanted }
    }
}

/// A column in a type that Python has.
pub(super) fn fitted(column: ArrayRef) -> Result<ArrayRef> {
    let wanted = canonical(column.data_type());
    Ok(if wanted == *column.data_type() { column } else { cast(&column, &wanted)? })
}

pub(super) fn count(batches: &[RecordBatch]) -> usize {
    batches.iter().map(RecordBatch::num_rows).sum()
}

/// The columns as a batch, under these names or as PySpark numbers them.
pub(super) fn batch(columns: &[ArrayRef], names: Option<&[String]>, rows: usize) -> RecordBatch {
    let name = |at: usize| names.and_then(|names| names.get(at).cloned()).unwrap_or_else(|| format!("_{at}"));
    let field = |(at, column): (usize, &ArrayRef)| Field::new(name(at), column.data_type().clone(), true);
    let schema = Schema::new(columns.iter().enumerate().map(field).collect::<Vec<_>>());
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(schema), columns.to_vec(), &options)
        .expect("the schema is made of the columns, which have one length")
}

/// The batch with what is known of the columns that it is made of.
fn noted_as(batch: RecordBatch, given: &[FieldRef]) -> RecordBatch {
    let schema = batch.schema();
    let field =
        |(field, given): (&FieldRef, &FieldRef)| field.as_ref().clone().with_metadata(noted::kept(given));
    let fields: Vec<Field> = schema.fields().iter().zip(given).map(field).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let columns = batch.columns().to_vec();
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options).unwrap_or(batch)
}

/// A batch inside one struct, as functions of frames take it.
pub(super) fn framed(batch: &RecordBatch) -> RecordBatch {
    let fields: Fields = batch.schema().fields().clone();
    let frame = StructArray::try_new_with_length(fields, batch.columns().to_vec(), None, batch.num_rows())
        .expect("the columns are of a batch");
    self::batch(&[Arc::new(frame) as ArrayRef], None, batch.num_rows())
}

/// Waits for Python without keeping others from this thread.
pub(super) fn blocking<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

impl PartialEq for Call {
    fn eq(&self, other: &Self) -> bool {
        (self.makes, &self.function, &self.names) == (other.makes, &other.function, &other.names)
            && self.groups == other.groups
    }
}

impl Eq for Call {}

impl Hash for Call {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.hash(state);
    }
}

impl ScalarUDFImpl for Call {
    fn name(&self) -> &str {
        &self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.output())
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let made = Field::new(self.name(), self.output(), true);
        let user =
            self.function.user.as_ref().filter(|_| matches!(self.makes, Makes::Values | Makes::Aggregate));
        Ok(Arc::new(noted::typed(made, user)))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = call.number_rows;
        if rows == 0 {
            return Ok(ColumnarValue::Array(new_empty_array(&self.output())));
        }
        let given = call.arg_fields;
        let columns = call.args.into_iter().map(|argument| fitted(argument.into_array(rows)?));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        Ok(ColumnarValue::Array(blocking(|| self.called(&columns, &given, rows))?))
    }
}
