//! Rows on the terminal, as Spark shows them.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::error::ArrowError;
use futures::future::BoxFuture;

use crate::error::SinkError;
use crate::show::{self, Shown};
use crate::sink::{Delivery, Sink, rows_of};

/// Where the console's rows are printed: the standard output of the process, unless it is told otherwise.
#[derive(Clone)]
pub struct Console(Arc<Mutex<dyn Write + Send>>);

impl Console {
    /// Prints to the writer.
    pub fn to(writer: impl Write + Send + 'static) -> Self {
        Console(Arc::new(Mutex::new(writer)))
    }

    fn print(&self, text: &str) -> io::Result<()> {
        let mut writer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        writer.write_all(text.as_bytes())?;
        writer.flush()
    }
}

impl Default for Console {
    fn default() -> Self {
        Console::to(io::stdout())
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Console")
    }
}

/// Prints each batch. One that runs again after a crash is printed again.
#[derive(Debug)]
pub(crate) struct ConsoleSink {
    console: Console,
    shown: Shown,
    names: Vec<String>,
}

impl ConsoleSink {
    pub(crate) fn new(console: Console, shown: Shown, names: Vec<String>) -> Self {
        ConsoleSink { console, shown, names }
    }
}

impl Sink for ConsoleSink {
    fn description(&self) -> String {
        "console".to_owned()
    }

    fn write<'a>(
        &'a mut self,
        rows: &'a [RecordBatch],
        delivery: Delivery<'a>,
    ) -> BoxFuture<'a, Result<u64, SinkError>> {
        Box::pin(async move {
            const RULE: &str = "-------------------------------------------";
            // Spark counts batches from 0.
            let batch = delivery.batch.saturating_sub(1);
            let table = show::table(&self.names, rows, self.shown).map_err(ArrowError::from)?;
            let text = format!("{RULE}\nBatch: {batch}\n{RULE}\n{table}\n");
            match self.console.print(&text) {
                // Whoever read may have seen enough; that is no reason for the query to end.
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(SinkError::Console(error)),
                _ => Ok(rows_of(rows)),
            }
        })
    }
}
