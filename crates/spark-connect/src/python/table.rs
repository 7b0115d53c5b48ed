//! Table functions of Python: `udtf`.
//!
//! Called with columns, the function makes rows of each row. Called with a table, it gets the rows of the table one after
//! the other, those of a partition behind each other: a group comes as a list of structs, and PySpark's worker sees by the
//! columns that say the partition, the last ones of each row, where the next one begins.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, ListArray, RecordBatch, UInt32Array, new_empty_array,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::{concat, take};
use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::ipc::writer::StreamWriter;
use datafusion::logical_expr::Expr;
use serde::Deserialize;
use serde_json::json;

use crate::error::{Result, SparkError};
use crate::python::call::{Call, ROWS_MAX, batch};
use crate::python::failure::Failure;
use crate::python::function::{Function, Makes, kind};
use crate::python::run::Run;
use crate::python::task::{Given, Next};
use crate::python::worker::Word;
use crate::schema;
use crate::wire::function::{PythonTableFunction, TableFunction};

/// How a function is called that makes a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Table {
    /// Which of its arguments is a table.
    pub(crate) place: Option<usize>,
    /// Which columns of that say the partition.
    pub(crate) partition: Vec<usize>,
    /// The declared type of its rows, as PySpark reads it.
    pub(crate) declared: Option<String>,
    /// What `analyze` returned, pickled, in hexadecimal digits.
    pub(crate) analyzed: Option<String>,
    /// Rows without any rows of the function stay, with nulls.
    pub(crate) outer: bool,
}

/// What `analyze` says of a call.
#[derive(Debug, Deserialize)]
pub(crate) struct Analyzed {
    pub(crate) schema: String,
    pub(crate) analyzed: String,
    /// All rows of the table are one partition.
    pub(crate) single: bool,
    /// Expressions over the table.
    pub(crate) partition: Vec<String>,
    pub(crate) order: Vec<Ordered>,
    pub(crate) select: Vec<Selected>,
}

/// What rows of a partition are ordered by.
#[derive(Debug, Deserialize)]
pub(crate) struct Ordered {
    pub(crate) name: String,
    pub(crate) ascending: bool,
    /// 1 if nulls come first, 2 if they come last, 0 if nothing is said.
    pub(crate) nulls: i32,
}

/// A column that the function wants of the table.
#[derive(Debug, Deserialize)]
pub(crate) struct Selected {
    pub(crate) name: String,
    pub(crate) alias: String,
}

/// An argument as `analyze` gets it.
#[derive(Debug)]
pub(crate) struct Argument {
    pub(crate) name: Option<String>,
    pub(crate) data_type: DataType,
    pub(crate) is_table: bool,
}

impl Function {
    /// The call of a table function that makes rows of this type.
    pub(crate) fn of_table(
        message: &TableFunction,
        names: Vec<Option<String>>,
        output: Fields,
        table: Table,
    ) -> Result<Function> {
        let code = code(message)?;
        Ok(Function {
            name: message.function_name.clone(),
            command: code.command.clone(),
            python: code.python_ver.clone(),
            eval_type: match code.eval_type {
                known @ (kind::TABLE | kind::ARROW_TABLE | kind::ARROW_UDTF) => known,
                other => {
                    let what = format!("the table function {} of kind {other}", message.function_name);
                    return Err(SparkError::unsupported(what));
                }
            },
            names,
            output: DataType::Struct(output),
            user: None,
            state: None,
            window: None,
            table: Some(table),
            random: false,
            profile: 0,
            cpus: 1,
        })
    }
}

/// The function's code.
pub(crate) fn code(message: &TableFunction) -> Result<&PythonTableFunction> {
    message.python_udtf.as_ref().ok_or_else(|| SparkError::missing("python_udtf"))
}

impl Call {
    /// The call of a table function: the rows it makes of each row, or of each group in the list that stands among the
    /// arguments, as a list.
    pub(crate) fn table(function: Function, arguments: Vec<Expr>, run: &Arc<Run>) -> Expr {
        let whole = function.table.as_ref().is_some_and(|table| table.place.is_some());
        let makes = if whole { Makes::TableOfTable } else { Makes::Table };
        Call::of(function, makes, Vec::new(), Vec::new(), run).on(arguments)
    }

    /// The rows made of each row.
    pub(super) fn rows_of_each(&self, columns: &[ArrayRef], rows: usize) -> Result<ArrayRef, Failure> {
        let whole = batch(columns, None, rows);
        let arguments: Vec<usize> = (0..columns.len()).collect();
        // Batches that are made of rows can only be told apart one by one.
        let counted = matches!(self.function().eval_type, kind::TABLE | kind::ARROW_TABLE);
        let at_once = if counted { ROWS_MAX } else { 1 };
        let mut owners: Vec<usize> = Vec::new();
        let made = self.begun(&arguments, &whole.schema(), |task, mut next, made| {
            for start in (0..rows).step_by(at_once) {
                if next == Next::Finished {
                    break;
                }
                task.feed(&whole.slice(start, at_once.min(rows - start)))?;
                next = task.wait(made)?;
                if !counted {
                    owners.resize(made.len(), start);
                }
            }
            if next == Next::Wants {
                task.end()?;
                next = task.wait(made)?;
            }
            Ok(next)
        })?;
        if counted {
            owners = (0..made.len()).map(|at| at.min(rows - 1)).collect();
        }
        // What comes after the last row, of `terminate`, belongs to it.
        owners.resize(made.len(), owners.last().copied().unwrap_or(rows - 1));
        let mut lengths = vec![0; rows];
        for (owner, made) in owners.iter().zip(&made) {
            lengths[*owner] += made.num_rows();
        }
        let there = self.function().table.as_ref().is_some_and(|table| table.outer);
        let there = there.then(|| NullBuffer::from_iter(lengths.iter().map(|length| *length > 0)));
        let values = self.joined(&made)?;
        let field = Arc::new(Field::new_list_field(self.function().output.clone(), true));
        let list = ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), values, there);
        Ok(Arc::new(list.map_err(|error| self.arrow(error))?))
    }

    /// The rows made of tables, which come as lists, one for each partition.
    pub(super) fn rows_of_tables(&self, columns: &[ArrayRef], rows: usize) -> Result<ArrayRef, Failure> {
        let place = self.function().table.as_ref().and_then(|table| table.place).unwrap_or(0);
        let rows_given = given(columns, place).map_err(|error| self.arrow(error))?;
        let arguments: Vec<usize> = (0..columns.len()).collect();
        let schema = rows_given.schema();
        let parts = (0..rows_given.num_rows().max(1)).step_by(ROWS_MAX);
        let parts = parts.map(|start| {
            let length = ROWS_MAX.min(rows_given.num_rows() - start);
            Ok(Given::Rows(rows_given.slice(start, length)))
        });
        let (made, _) = self.run().whole(self.shared(), &arguments, &schema, parts)?;
        self.listed(&made, rows)
    }
}

/// A row for each row of the lists, with the other columns beside it.
fn given(columns: &[ArrayRef], place: usize) -> Result<RecordBatch, ArrowError> {
    let lists = columns[place].as_list::<i32>();
    let groups: Vec<ArrayRef> =
        (0..lists.len()).filter(|row| lists.is_valid(*row)).map(|row| lists.value(row)).collect();
    let groups: Vec<&dyn Array> = groups.iter().map(AsRef::as_ref).collect();
    let values = if groups.is_empty() { new_empty_array(&lists.value_type()) } else { concat(&groups)? };
    let mut owners = Vec::with_capacity(values.len());
    for row in (0..lists.len()).filter(|row| lists.is_valid(*row)) {
        let length = usize::try_from(lists.value_length(row)).unwrap_or(0);
        owners.extend(std::iter::repeat_n(u32::try_from(row).unwrap_or(u32::MAX), length));
    }
    let owners = UInt32Array::from(owners);
    let column = |(at, column): (usize, &ArrayRef)| {
        if at == place { Ok(Arc::clone(&values)) } else { take(column, &owners, None) }
    };
    let columns = columns.iter().enumerate().map(column).collect::<Result<Vec<_>, _>>()?;
    Ok(batch(&columns, None, values.len()))
}

/// Asks the function's `analyze` about a call. `values` is a row of the arguments that are the same for every row, each
/// under its place.
pub(crate) fn analyze(
    message: &TableFunction,
    arguments: &[Argument],
    values: &RecordBatch,
    run: &Run,
) -> Result<Analyzed> {
    let failed = |failure: Failure| SparkError::from(datafusion::error::DataFusionError::from(failure));
    let code = code(message)?;
    let name = &message.function_name;
    let arrow = |source| failed(Failure::Arrow { function: name.clone(), source });
    let mut writer = StreamWriter::try_new(Vec::new(), values.schema_ref()).map_err(arrow)?;
    writer.write(values).map_err(arrow)?;
    let values = writer.into_inner().map_err(arrow)?;
    let about = json!({
        "kind": "analyze", "python": code.python_ver, "name": name, "paths": run.paths(), "files": run.files(),
        "values": values.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        "arguments": arguments.iter().map(|argument| json!({
            "name": argument.name, "table": argument.is_table, "type": schema::json::write_type(&argument.data_type),
        })).collect::<Vec<_>>(),
    });
    let (worker, first) = run.open(&about, &code.command).map_err(failed)?;
    let failure = match first {
        Ok(Word::Finished(last)) => {
            run.release(worker);
            return serde_json::from_slice(&last)
                .map_err(|error| SparkError::internal(format!("what analyze of {name} said: {error}")));
        }
        Ok(Word::Raised(traceback)) => Failure::Raised { traceback },
        _ => Failure::Crashed { function: name.clone(), status: worker.status() },
    };
    run.end(worker);
    let (text, condition) = match failure {
        Failure::Raised { traceback } => {
            let last = traceback.trim_end().lines().last().unwrap_or_default().to_owned();
            let text = format!("Failed to analyze the Python user defined table function: {last}");
            (text, "TABLE_VALUED_FUNCTION_FAILED_TO_ANALYZE_IN_PYTHON")
        }
        other => return Err(failed(run.reason(other))),
    };
    Err(SparkError::new(crate::error::Class::Analysis, condition, "38000", text))
}

impl Table {
    /// What PySpark's worker is told of it.
    pub(super) fn about(&self, function: &Function) -> serde_json::Value {
        let fields = match &function.output {
            DataType::Struct(fields) => fields.clone(),
            _ => Fields::empty(),
        };
        json!({
            "name": function.name, "partition": self.partition, "analyzed": self.analyzed,
            "schema": self.declared.clone().unwrap_or_else(|| schema::json::write_schema(&Schema::new(fields)).to_string()),
            "offsets": self.place.map(|place| place.to_string()).unwrap_or_default(),
        })
    }
}
