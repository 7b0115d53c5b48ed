//! `df.write`: rows into files.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use datafusion::common::file_options::file_type::FileType;
use datafusion::datasource::file_format::csv::CsvFormatFactory;
use datafusion::datasource::file_format::format_as_file_type;
use datafusion::datasource::file_format::json::JsonFormatFactory;
use datafusion::logical_expr::LogicalPlanBuilder;

use crate::error::{Class, Result, SparkError};
use crate::plan::Planner;
use crate::session::Session;
use crate::wire::command::{SaveType, WriteOperation};

/// `SaveMode`s of the message.
const APPEND: i32 = 1;
const OVERWRITE: i32 = 2;
const IGNORE: i32 = 4;

/// Writes a frame into a directory, one file or several, as Spark does.
pub(crate) async fn write(session: &Arc<Session>, operation: WriteOperation) -> Result<()> {
    let Some(SaveType::Path(path)) = &operation.save_type else {
        return Err(SparkError::unsupported("writing into a table; CREATE STREAMING TABLE makes one"));
    };
    if !operation.partitioning_columns.is_empty() || operation.bucket_by.is_some() {
        return Err(SparkError::unsupported("partitionBy and bucketBy"));
    }
    let format = operation.source.as_deref().unwrap_or("parquet").to_lowercase();
    let (file_type, options) = file_type(&format, &operation)?;
    let input = crate::plan::input(&operation.input, "input")?;
    let mut planner = Planner::new(session);
    let mut frame = planner.relation(input).await?;
    if engine::streaming::is_streaming(&frame.plan) {
        let text = "The method `write` can not be called on streaming Dataset/DataFrame.";
        return Err(SparkError::new(Class::Analysis, "CALL_ON_STREAMING_DATASET_UNSUPPORTED", "42KDE", text)
            .with("methodName", "`write`"));
    }
    let names = frame.names();
    if let Some(twice) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
        let text = format!("The column `{}` already exists. Choose another name.", twice.1);
        return Err(SparkError::new(Class::Analysis, "COLUMN_ALREADY_EXISTS", "42711", text));
    }
    if !prepared(Path::new(path), operation.mode)? {
        return Ok(());
    }
    let exprs = frame.columns.iter().map(|column| column.expr().alias(&column.name));
    let plan = LogicalPlanBuilder::from(frame.plan).project(exprs.collect::<Vec<_>>())?.build()?;
    let directory = format!("{}/", path.trim_end_matches('/'));
    frame.plan =
        LogicalPlanBuilder::copy_to(plan, directory.clone(), file_type, options, Vec::new())?.build()?;
    let mut rows = planner.frames.run(frame.plan).await?;
    while let Some(count) = rows.next().await {
        count?;
    }
    // The mark of a whole directory, which Spark's readers know.
    std::fs::write(format!("{directory}_SUCCESS"), []).map_err(|error| failed(path, &error))
}

fn file_type(
    format: &str,
    operation: &WriteOperation,
) -> Result<(Arc<dyn FileType>, HashMap<String, String>)> {
    let mut options = HashMap::new();
    let given = crate::plan::options(&operation.options);
    match format {
        "csv" => {
            let header = given.get("header").map_or("false", String::as_str);
            options.insert("format.has_header".to_owned(), header.to_owned());
            if let Some(separator) = given.get("sep").or_else(|| given.get("delimiter")) {
                options.insert("format.delimiter".to_owned(), separator.clone());
            }
            Ok((format_as_file_type(Arc::new(CsvFormatFactory::new())), options))
        }
        "json" => Ok((format_as_file_type(Arc::new(JsonFormatFactory::new())), options)),
        other => Err(SparkError::unsupported(format!("writing files of {other}"))),
    }
}

/// Makes room; false if there is nothing to do.
fn prepared(path: &Path, mode: i32) -> Result<bool> {
    let shown = path.display().to_string();
    if path.exists() {
        match mode {
            APPEND => {}
            IGNORE => return Ok(false),
            OVERWRITE => std::fs::remove_dir_all(path).map_err(|error| failed(&shown, &error))?,
            _ => {
                let text = format!(
                    "Path {shown} already exists. Set mode as \"overwrite\" to overwrite the existing path."
                );
                let error = SparkError::new(Class::Analysis, "PATH_ALREADY_EXISTS", "42K04", text);
                return Err(error.with("outputPath", shown));
            }
        }
    }
    std::fs::create_dir_all(path).map_err(|error| failed(&path.display().to_string(), &error))?;
    Ok(true)
}

fn failed(path: &str, error: &std::io::Error) -> SparkError {
    SparkError::new(Class::Spark, "FAILED_WRITE_FILE", "58030", format!("Write {path}: {error}."))
}
