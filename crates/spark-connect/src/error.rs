//! How Spark says no: an exception's class, an error condition with its SQLSTATE, and a message.

use std::collections::BTreeMap;

use datafusion::error::DataFusionError;
use engine::{ErrorKind, SqlError};
use prost::Message;
use tonic::{Code, Status};

use crate::python::Failure;
use crate::wire::expression::Expression;
use crate::wire::types::{OriginKind, PythonOrigin};

mod condition;

pub(crate) type Result<T, E = SparkError> = std::result::Result<T, E>;

/// Characters of an error that come with it.
const SHOWN_MAX: usize = 400;

/// The exception that the client raises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Analysis,
    Parse,
    IllegalArgument,
    Unsupported,
    NoSuchElement,
    Runtime,
    Arithmetic,
    NumberFormat,
    DateTime,
    ArrayIndex,
    Python,
    /// A function of a stream's batches that cannot be read.
    Runner,
    Spark,
    StreamingQuery,
}

impl Class {
    /// The names that the client looks for, the most special one first.
    pub(crate) fn hierarchy(self) -> &'static [&'static str] {
        match self {
            Class::Analysis => &["org.apache.spark.sql.AnalysisException", "java.lang.Exception"],
            Class::Parse => &[
                "org.apache.spark.sql.catalyst.parser.ParseException",
                "org.apache.spark.sql.AnalysisException",
                "java.lang.Exception",
            ],
            Class::IllegalArgument => &["java.lang.IllegalArgumentException", "java.lang.RuntimeException"],
            Class::Unsupported => &["java.lang.UnsupportedOperationException", "java.lang.RuntimeException"],
            Class::NoSuchElement => {
                &["org.apache.spark.SparkNoSuchElementException", "java.util.NoSuchElementException"]
            }
            Class::Runner => &[
                "org.apache.spark.sql.execution.streaming.runtime.StreamingPythonRunner$StreamingPythonRunnerInitializationException",
                "$StreamingPythonRunnerInitializationException",
                "java.lang.Exception",
            ],
            Class::Runtime => &["org.apache.spark.SparkRuntimeException", "java.lang.RuntimeException"],
            Class::Arithmetic => {
                &["org.apache.spark.SparkArithmeticException", "java.lang.ArithmeticException"]
            }
            Class::NumberFormat => &[
                "org.apache.spark.SparkNumberFormatException",
                "java.lang.NumberFormatException",
                "java.lang.IllegalArgumentException",
            ],
            Class::DateTime => &["org.apache.spark.SparkDateTimeException", "java.time.DateTimeException"],
            Class::ArrayIndex => &[
                "org.apache.spark.SparkArrayIndexOutOfBoundsException",
                "java.lang.ArrayIndexOutOfBoundsException",
            ],
            Class::Python => &["org.apache.spark.api.python.PythonException", "java.lang.RuntimeException"],
            Class::Spark => &["org.apache.spark.SparkException", "java.lang.Exception"],
            Class::StreamingQuery => {
                &["org.apache.spark.sql.streaming.StreamingQueryException", "java.lang.Exception"]
            }
        }
    }
}

/// An error as the client shall see it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SparkError {
    pub(crate) class: Class,
    /// The error condition: `UNRESOLVED_COLUMN.WITH_SUGGESTION`.
    pub(crate) condition: &'static str,
    pub(crate) sql_state: &'static str,
    /// Without the condition before and the SQLSTATE behind it.
    pub(crate) text: String,
    pub(crate) parameters: BTreeMap<String, String>,
    /// The call of the script that made what is wrong.
    pub(crate) origin: Option<Box<PythonOrigin>>,
}

impl SparkError {
    pub(crate) fn new(
        class: Class,
        condition: &'static str,
        sql_state: &'static str,
        text: impl Into<String>,
    ) -> Self {
        SparkError {
            class,
            condition,
            sql_state,
            text: text.into(),
            parameters: BTreeMap::new(),
            origin: None,
        }
    }

    /// What is wrong is in this expression, unless it is known already in which one within.
    pub(crate) fn at(mut self, expression: &Expression) -> Self {
        let origin = expression.common.as_ref().and_then(|common| common.origin.as_ref());
        if let (None, Some(OriginKind::PythonOrigin(python))) =
            (&self.origin, origin.and_then(|origin| origin.function.as_ref()))
        {
            self.origin = Some(Box::new(python.clone()));
        }
        self
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.parameters.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn unsupported(what: impl Into<String>) -> Self {
        let what = what.into();
        let text = format!("The feature is not supported: {what}.");
        SparkError::new(Class::Unsupported, "UNSUPPORTED_FEATURE", "0A000", text).with("feature", what)
    }

    pub(crate) fn invalid(text: impl Into<String>) -> Self {
        SparkError::new(Class::Analysis, "INVALID_PLAN_INPUT", "42000", text)
    }

    pub(crate) fn argument(text: impl Into<String>) -> Self {
        SparkError::new(Class::IllegalArgument, "INVALID_PARAMETER_VALUE", "22023", text)
    }

    pub(crate) fn parse(near: impl Into<String>) -> Self {
        let near = near.into();
        let text = format!("Syntax error: {near}.");
        SparkError::new(Class::Parse, "PARSE_SYNTAX_ERROR", "42601", text).with("error", near)
    }

    /// A refusal that has no condition in Spark either.
    pub(crate) fn illegal(text: impl Into<String>) -> Self {
        SparkError::new(Class::IllegalArgument, "", "", text)
    }

    pub(crate) fn internal(text: impl Into<String>) -> Self {
        SparkError::new(Class::Spark, "INTERNAL_ERROR", "XX000", text)
    }

    pub(crate) fn cancelled() -> Self {
        let text = "Operation has been canceled.";
        SparkError::new(Class::Spark, "OPERATION_CANCELED", "HY008", text)
    }

    pub(crate) fn missing(what: &str) -> Self {
        SparkError::invalid(format!("The message lacks its part \"{what}\"."))
    }

    pub(crate) fn column(name: &str, known: &[String]) -> Self {
        let proposal = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let start =
            format!("A column, variable, or function parameter with name `{name}` cannot be resolved.");
        let (condition, text) = if known.is_empty() {
            ("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", start)
        } else {
            let text = format!("{start} Did you mean one of the following? [{proposal}].");
            ("UNRESOLVED_COLUMN.WITH_SUGGESTION", text)
        };
        SparkError::new(Class::Analysis, condition, "42703", text)
            .with("objectName", format!("`{name}`"))
            .with("proposal", proposal)
    }

    /// Whether a name stands for nothing here; it may stand for something around.
    pub(crate) fn is_about_a_column(&self) -> bool {
        self.condition.starts_with("UNRESOLVED_COLUMN")
    }

    pub(crate) fn table(name: &str) -> Self {
        let text = format!(
            "The table or view `{name}` cannot be found. Verify the spelling and correctness of the schema and \
             catalog."
        );
        SparkError::new(Class::Analysis, "TABLE_OR_VIEW_NOT_FOUND", "42P01", text)
            .with("relationName", format!("`{name}`"))
    }

    /// As PySpark prints it.
    pub(crate) fn message(&self) -> String {
        // Conditions that Spark only counts are not shown.
        if self.condition.is_empty() || self.condition.starts_with("_LEGACY") {
            return self.text.clone();
        }
        format!("[{}] {} SQLSTATE: {}", self.condition, self.text, self.sql_state)
    }

    /// As gRPC carries it; the details can be asked for by `id`.
    pub(crate) fn status(&self, id: &str) -> Status {
        let json = |value: serde_json::Value| value.to_string();
        let message = short(&self.message());
        let parameters: BTreeMap<&String, String> =
            self.parameters.iter().map(|(name, value)| (name, short(value))).collect();
        let mut metadata = BTreeMap::from([
            ("classes".to_owned(), json(self.class.hierarchy().into())),
            ("messageParameters".to_owned(), json(serde_json::json!(parameters))),
            ("errorId".to_owned(), id.to_owned()),
        ]);
        for (name, value) in [("errorClass", self.condition), ("sqlState", self.sql_state)] {
            if !value.is_empty() {
                metadata.insert(name.to_owned(), value.to_owned());
            }
        }
        let info = ErrorInfo {
            reason: self.class.hierarchy()[0].to_owned(),
            domain: "org.apache.spark".to_owned(),
            metadata,
        };
        let details = RpcStatus {
            code: Code::Internal as i32,
            message: message.clone(),
            details: vec![Any {
                type_url: "type.googleapis.com/google.rpc.ErrorInfo".to_owned(),
                value: info.encode_to_vec(),
            }],
        };
        Status::with_details(Code::Internal, message, details.encode_to_vec().into())
    }
}

impl std::fmt::Display for SparkError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message())
    }
}

impl From<DataFusionError> for SparkError {
    fn from(error: DataFusionError) -> Self {
        if let Some(failure) = Failure::behind(&error) {
            return failure.error();
        }
        let text = error.strip_backtrace();
        if let Some(refused) = condition::named(&text) {
            return refused;
        }
        match error.find_root() {
            DataFusionError::NotImplemented(_) => SparkError::unsupported(text),
            DataFusionError::Plan(_) | DataFusionError::SchemaError(..) => {
                SparkError::new(Class::Analysis, "DATATYPE_MISMATCH", "42K09", text)
            }
            DataFusionError::ArrowError(..) | DataFusionError::Execution(_) => {
                SparkError::new(Class::Runtime, "FAILED_EXECUTE", "39000", text)
            }
            _ => SparkError::internal(text),
        }
    }
}

impl From<SqlError> for SparkError {
    fn from(error: SqlError) -> Self {
        if let Some(failure) = Failure::behind(&error) {
            return failure.error();
        }
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        if let Some(refused) = condition::named(&text) {
            return refused;
        }
        match (&error, error.kind()) {
            (SqlError::Syntax { .. }, _) => SparkError::parse(text),
            (SqlError::Unsupported(_), _) => SparkError::unsupported(text),
            (_, ErrorKind::Invalid) => SparkError::invalid(text),
            (SqlError::Unknown { name, .. }, _) => SparkError::table(name),
            (_, ErrorKind::Conflict) => {
                SparkError::new(Class::Analysis, "TABLE_OR_VIEW_ALREADY_EXISTS", "42P07", text)
            }
            (SqlError::Failed { .. }, _) => SparkError::new(Class::Runtime, "FAILED_EXECUTE", "39000", text),
            _ => SparkError::internal(text),
        }
    }
}

/// The beginning of a text: clients take some kilobytes in front of an answer, and ask for the whole of it apart.
fn short(text: &str) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.ErrorInfo`.
#[derive(Clone, PartialEq, Message)]
struct ErrorInfo {
    #[prost(string, tag = "1")]
    reason: String,
    #[prost(string, tag = "2")]
    domain: String,
    #[prost(btree_map = "string, string", tag = "3")]
    metadata: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::expression::ExpressionCommon;
    use crate::wire::types::Origin;

    #[test]
    fn an_error_is_in_the_innermost_expression() {
        let call = |fragment: &str| {
            let python = PythonOrigin { fragment: fragment.to_owned(), call_site: "a.py:1".to_owned() };
            let origin = Origin { function: Some(OriginKind::PythonOrigin(python)) };
            Expression { common: Some(ExpressionCommon { origin: Some(origin) }), expr_type: None }
        };
        let error =
            SparkError::column("a", &[]).at(&Expression::default()).at(&call("col")).at(&call("__add__"));
        assert_eq!(error.origin.unwrap().fragment, "col");
    }

    #[test]
    fn a_long_error_comes_short_and_can_be_asked_for() {
        let text = "ä".repeat(100_000);
        let error = SparkError::new(Class::Python, "", "", text.clone()).with("message", text);
        let status = error.status("7");
        assert_eq!(status.message().chars().count(), SHOWN_MAX + 3);
        assert!(status.details().len() < 3_000, "{} bytes", status.details().len());
        let few = SparkError::illegal("no").status("8");
        assert_eq!(few.message(), "no");
    }
}
