//! What goes wrong in Python, on its way through the engine to the client.

use std::error::Error;
use std::path::PathBuf;

use datafusion::error::DataFusionError;

use crate::error::{Class, SparkError};

/// Why a function gave nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// It raised an exception, or PySpark's worker did.
    #[error("{traceback}")]
    Raised {
        /// As Python prints it.
        traceback: String,
    },
    /// The process is gone.
    #[error("the Python worker exited unexpectedly ({status}) while it ran {function}")]
    Crashed {
        /// The function's name.
        function: String,
        /// How it ended, as the system says it.
        status: String,
    },
    /// It said nothing for longer than the session lets it.
    #[error("Python worker process terminated due to idle timeout (timeout: {seconds} seconds)")]
    Idle {
        /// How long it was waited for.
        seconds: u64,
    },
    /// No process could be started.
    #[error("start {}: name a Python that has pyspark-client in the setting spark.pyspark.python", program.display())]
    Start {
        /// The Python.
        program: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// All workers are busy.
    #[error("there are {max} busy Python workers already")]
    TooMany {
        /// How many there may be.
        max: usize,
    },
    /// The plan ended meanwhile.
    #[error("the operation was stopped")]
    Stopped,
    /// It gave what it cannot have given.
    #[error("{function} gave {given}, but {wanted} were expected")]
    Shape {
        /// The function's name.
        function: String,
        /// What came.
        given: String,
        /// What should have come.
        wanted: String,
    },
    /// Rows could not be written or read.
    #[error("the rows of {function}")]
    Arrow {
        /// The function's name.
        function: String,
        /// What Arrow said.
        source: datafusion::arrow::error::ArrowError,
    },
}

impl Failure {
    /// The failure that an error of the engine was made from.
    pub(crate) fn behind<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e Failure> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(failure) = error.downcast_ref::<Failure>() {
                return Some(failure);
            }
            if let Some(DataFusionError::External(inner)) =
                error.downcast_ref::<DataFusionError>().map(DataFusionError::find_root)
            {
                return Failure::behind(inner.as_ref());
            }
            cause = error.source();
        }
        None
    }

    /// As the client shall see it.
    pub(crate) fn error(&self) -> SparkError {
        let mut text = self.to_string();
        let mut cause = Error::source(self);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        match self {
            Failure::Raised { .. } => SparkError::new(Class::Python, "PYTHON_EXCEPTION", "39000", text),
            Failure::Stopped => SparkError::cancelled(),
            _ => SparkError::new(Class::Spark, "FAILED_EXECUTE_UDF", "39000", text),
        }
    }
}

impl From<Failure> for DataFusionError {
    fn from(failure: Failure) -> Self {
        DataFusionError::External(Box::new(failure))
    }
}
