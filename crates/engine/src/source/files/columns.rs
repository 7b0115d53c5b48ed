//! The columns of files that nobody has named.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};

use crate::error::SourceError;
use crate::sink::files::partition;
use crate::source::files::content::Files;
use crate::source::files::listing::Listing;
use crate::sql::options::source::{FileFormat, FileOptions};
use crate::storage::Store;

/// Types that directories may be read as, the narrowest first; text is what is left.
const TYPES: [DataType; 5] =
    [DataType::Int32, DataType::Int64, DataType::Float64, DataType::Date32, DataType::Utf8];

/// Those of the first file, and those that the directories of all files say.
pub(crate) fn columns_of(options: &FileOptions, store: &Store) -> Result<Vec<FieldRef>, SourceError> {
    let FileFormat::Rows(container) = &options.format else {
        let reason = "lines do not say their columns; name a schema".to_owned();
        return Err(SourceError::BadFile { path: options.path.clone().into(), reason });
    };
    let mut paths: Vec<PathBuf> = paths(options, store)?;
    paths.sort();
    let Some(first) = paths.first() else {
        let reason = "has no files that could say the columns".to_owned();
        return Err(SourceError::BadFile { path: options.path.clone().into(), reason });
    };
    let bytes = Files::new(Vec::new(), &options.format, store.clone()).read(first)?.bytes;
    let malformed =
        |error| SourceError::BadFile { path: first.clone(), reason: format!("cannot be read: {error}") };
    let mut columns = container.columns(bytes).map_err(malformed)?;
    let said = partitions(options, &paths);
    columns.retain(|column| !said.iter().any(|(name, _)| name.eq_ignore_ascii_case(column.name())));
    columns
        .extend(said.into_iter().map(|(name, values)| Arc::new(Field::new(name, narrowest(&values), true))));
    Ok(columns)
}

/// The columns that the directories below say.
pub(crate) fn partitions_of(options: &FileOptions, store: &Store) -> Result<Vec<String>, SourceError> {
    let paths = paths(options, store)?;
    Ok(partitions(options, &paths).into_iter().map(|(name, _)| name).collect())
}

/// The files that there are, in the order of their names.
pub(crate) fn listed(options: &FileOptions, store: &Store) -> Result<Vec<PathBuf>, SourceError> {
    let mut paths = paths(options, store)?;
    paths.sort();
    Ok(paths)
}

/// What the directories below the path that was named say of a file; a pattern names what it matches.
pub(crate) fn below(options: &FileOptions, file: &Path) -> Vec<(String, Option<String>)> {
    let named = Path::new(options.path.strip_prefix("file://").unwrap_or(&options.path));
    let below: PathBuf = file.components().skip(named.components().count()).collect();
    partition::said(&below)
}

fn paths(options: &FileOptions, store: &Store) -> Result<Vec<PathBuf>, SourceError> {
    let mut paths = Vec::new();
    Listing::new(options)?.each(store, &mut |file| paths.push(file.path))?;
    Ok(paths)
}

/// The columns that the first file's directories say, with the values of all files.
fn partitions(options: &FileOptions, paths: &[PathBuf]) -> Vec<(String, Vec<String>)> {
    let below = |path: &PathBuf| path.strip_prefix(&options.path).unwrap_or(path).to_owned();
    let Some(first) = paths.first() else { return Vec::new() };
    let names = partition::said(&below(first)).into_iter().map(|(name, _)| name);
    let mut columns: Vec<(String, Vec<String>)> = names.map(|name| (name, Vec::new())).collect();
    for path in paths {
        for (name, value) in partition::said(&below(path)) {
            if let Some((_, values)) = columns.iter_mut().find(|(known, _)| *known == name) {
                values.extend(value);
            }
        }
    }
    columns
}

/// The narrowest type of directories' values.
pub(crate) fn narrowest(values: &[String]) -> DataType {
    let fits = |data_type: &&DataType| match data_type {
        DataType::Int32 => values.iter().all(|value| value.parse::<i32>().is_ok()),
        DataType::Int64 => values.iter().all(|value| value.parse::<i64>().is_ok()),
        DataType::Float64 => values.iter().all(|value| value.parse::<f64>().is_ok()),
        DataType::Date32 => values.iter().all(|value| value.parse::<chrono::NaiveDate>().is_ok()),
        _ => true,
    };
    TYPES.iter().find(fits).filter(|_| !values.is_empty()).cloned().unwrap_or(DataType::Utf8)
}
