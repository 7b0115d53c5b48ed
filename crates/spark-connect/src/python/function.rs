//! A Python function as a client sends it.

use std::hash::{Hash, Hasher};

use bytes::Bytes;
use datafusion::arrow::datatypes::DataType;

use crate::error::{Class, Result, SparkError};
use crate::python::table::Table;
use crate::schema::message;
use crate::schema::noted::UserType;
use crate::wire::expression::{ExprType, FunctionCode, InlineFunction};

/// How PySpark calls the ways in which a function can be called.
pub(crate) mod kind {
    /// A value for each row, pickled rows.
    pub(crate) const BATCHED: i32 = 100;
    /// A value for each row.
    pub(crate) const ARROW_BATCHED: i32 = 101;
    pub(crate) const SCALAR_PANDAS: i32 = 200;
    pub(crate) const GROUPED_MAP_PANDAS: i32 = 201;
    pub(crate) const GROUPED_AGG_PANDAS: i32 = 202;
    pub(crate) const WINDOW_AGG_PANDAS: i32 = 203;
    pub(crate) const SCALAR_PANDAS_ITER: i32 = 204;
    pub(crate) const MAP_PANDAS_ITER: i32 = 205;
    pub(crate) const COGROUPED_MAP_PANDAS: i32 = 206;
    pub(crate) const MAP_ARROW_ITER: i32 = 207;
    pub(crate) const GROUPED_MAP_PANDAS_WITH_STATE: i32 = 208;
    pub(crate) const GROUPED_MAP_ARROW: i32 = 209;
    pub(crate) const COGROUPED_MAP_ARROW: i32 = 210;
    pub(crate) const TRANSFORM_WITH_STATE_PANDAS: i32 = 211;
    /// The same with rows of what the states begin with.
    pub(crate) const TRANSFORM_WITH_STATE_PANDAS_INIT: i32 = 212;
    pub(crate) const TRANSFORM_WITH_STATE_ROW: i32 = 213;
    pub(crate) const TRANSFORM_WITH_STATE_ROW_INIT: i32 = 214;
    pub(crate) const GROUPED_MAP_ARROW_ITER: i32 = 215;
    pub(crate) const GROUPED_MAP_PANDAS_ITER: i32 = 216;
    pub(crate) const GROUPED_AGG_PANDAS_ITER: i32 = 217;
    pub(crate) const SCALAR_ARROW: i32 = 250;
    pub(crate) const SCALAR_ARROW_ITER: i32 = 251;
    pub(crate) const GROUPED_AGG_ARROW: i32 = 252;
    pub(crate) const WINDOW_AGG_ARROW: i32 = 253;
    pub(crate) const GROUPED_AGG_ARROW_ITER: i32 = 254;
    /// Rows of a row or of a table, pickled.
    pub(crate) const TABLE: i32 = 300;
    pub(crate) const ARROW_TABLE: i32 = 301;
    /// The same of a function that takes Arrow's arrays and batches.
    pub(crate) const ARROW_UDTF: i32 = 302;
}

/// The function, and how it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// The pickled function and its return type.
    pub(crate) command: Bytes,
    /// The Python that pickled it: `3.11`.
    pub(crate) python: String,
    pub(crate) eval_type: i32,
    /// Names of the arguments that are given by name.
    pub(crate) names: Vec<Option<String>>,
    pub(crate) output: DataType,
    /// The script's own type that its values are of.
    pub(crate) user: Option<UserType>,
    /// What it remembers of a key, as JSON, if it remembers.
    pub(crate) state: Option<String>,
    /// Over which rows it is called, if it stands over a window: `bounded` or `unbounded`.
    pub(crate) window: Option<&'static str>,
    /// How it makes a table, if it makes one.
    pub(crate) table: Option<Table>,
    /// It may give another value for the same arguments.
    pub(crate) random: bool,
    /// The number under which its profile is told.
    pub(crate) profile: i64,
    /// How many processors it is told to have, as in Spark; here it has what the others leave it.
    pub(crate) cpus: u32,
}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.command.hash(state);
    }
}

/// Refuses arguments behind those with names, and a name that stands twice.
pub(crate) fn each_once(function: &str, names: &[Option<String>]) -> Result<()> {
    let refused = |condition, text| Err(SparkError::new(Class::Analysis, condition, "4274K", text));
    for (at, name) in names.iter().enumerate() {
        let before = names[..at].iter().flatten();
        match name {
            Some(name) if before.clone().any(|known| known.eq_ignore_ascii_case(name)) => {
                let text = format!("The call of `{function}` says its argument `{name}` more than once.");
                let condition = "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.DOUBLE_NAMED_ARGUMENT_REFERENCE";
                return refused(condition, text);
            }
            None if before.clone().next().is_some() => {
                let named = before.last().cloned().unwrap_or_default();
                let text = format!(
                    "The call of `{function}` has an argument without a name behind `{named}`; such arguments come first."
                );
                return refused("UNEXPECTED_POSITIONAL_ARGUMENT", text);
            }
            _ => {}
        }
    }
    Ok(())
}

/// What a function makes of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Makes {
    /// A value of each row.
    Values,
    /// A value of each group.
    Aggregate,
    /// Rows of rows.
    Rows,
    /// Rows of a group.
    GroupRows,
    /// Rows of two groups of the same key.
    PairRows,
    /// Rows of a group and of what is remembered of it.
    States,
    /// Rows of each row.
    Table,
    /// Rows of a table.
    TableOfTable,
}

impl Function {
    pub(crate) fn read(message: &InlineFunction) -> Result<Function> {
        let Some(FunctionCode::PythonUdf(code)) = &message.function else {
            return Err(SparkError::unsupported("functions of Scala and Java"));
        };
        let output = code.output_type.as_ref().ok_or_else(|| SparkError::missing("output_type"))?;
        let name = |argument: &crate::wire::expression::Expression| match &argument.expr_type {
            Some(ExprType::NamedArgumentExpression(named)) => Some(named.key.clone()),
            _ => None,
        };
        let names: Vec<Option<String>> = message.arguments.iter().map(name).collect();
        each_once(&message.function_name, &names)?;
        Ok(Function {
            name: message.function_name.clone(),
            command: code.command.clone(),
            python: code.python_ver.clone(),
            // Rows travel as Arrow in any case.
            eval_type: if code.eval_type == kind::BATCHED { kind::ARROW_BATCHED } else { code.eval_type },
            names,
            output: message::read(output)?,
            user: message::user_type(output),
            state: None,
            window: None,
            table: None,
            random: !message.deterministic,
            profile: 0,
            cpus: 1,
        })
    }

    /// What it makes, if it is of a kind that is served.
    pub(crate) fn makes(&self) -> Result<Makes> {
        Ok(match self.eval_type {
            kind::ARROW_BATCHED
            | kind::SCALAR_PANDAS
            | kind::SCALAR_PANDAS_ITER
            | kind::SCALAR_ARROW
            | kind::SCALAR_ARROW_ITER => Makes::Values,
            kind::GROUPED_AGG_PANDAS
            | kind::GROUPED_AGG_PANDAS_ITER
            | kind::GROUPED_AGG_ARROW
            | kind::GROUPED_AGG_ARROW_ITER => Makes::Aggregate,
            kind::MAP_PANDAS_ITER | kind::MAP_ARROW_ITER => Makes::Rows,
            kind::GROUPED_MAP_PANDAS | kind::GROUPED_MAP_ARROW | kind::GROUPED_MAP_ARROW_ITER => {
                Makes::GroupRows
            }
            kind::COGROUPED_MAP_PANDAS | kind::COGROUPED_MAP_ARROW => Makes::PairRows,
            kind::GROUPED_MAP_PANDAS_ITER => Makes::GroupRows,
            kind::GROUPED_MAP_PANDAS_WITH_STATE
            | kind::TRANSFORM_WITH_STATE_PANDAS
            | kind::TRANSFORM_WITH_STATE_PANDAS_INIT
            | kind::TRANSFORM_WITH_STATE_ROW
            | kind::TRANSFORM_WITH_STATE_ROW_INIT => Makes::States,
            other => {
                let what = format!("the Python function {} of kind {other}", self.name);
                return Err(SparkError::unsupported(what));
            }
        })
    }

    /// Whether PySpark's worker takes the columns inside one struct.
    pub(crate) fn takes_struct(&self) -> bool {
        matches!(
            self.eval_type,
            kind::MAP_PANDAS_ITER
                | kind::MAP_ARROW_ITER
                | kind::GROUPED_MAP_ARROW
                | kind::GROUPED_MAP_ARROW_ITER
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_without_names_come_first_and_each_name_once() {
        let condition = |names: &[&str]| {
            let names: Vec<_> =
                names.iter().map(|name| Some((*name).to_owned()).filter(|name| !name.is_empty())).collect();
            each_once("f", &names).err().map(|error| error.condition)
        };
        assert_eq!(condition(&["", "a", "b"]), None);
        let twice = "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.DOUBLE_NAMED_ARGUMENT_REFERENCE";
        assert_eq!(condition(&["a", "A"]), Some(twice));
        assert_eq!(condition(&["a", ""]), Some("UNEXPECTED_POSITIONAL_ARGUMENT"));
    }
}
