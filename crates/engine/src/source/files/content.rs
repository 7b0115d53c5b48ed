//! What is in files: lines, which are records, or rows of their own.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use record::Located;

use crate::error::SourceError;
use crate::operator::scope::Refusals;
use crate::sink::files::partition::{filled, is_partition};
use crate::source::files::seen::failed;
use crate::source::format::Format;
use crate::source::format::container::Container;
use crate::source::records::SourceRecords;
use crate::source::shape::Shape;
use crate::source::{Content, Rows};
use crate::sql::options::source::FileFormat;
use crate::storage::{Held, Store, waiting};

/// A file may not be larger, packed or unpacked: a batch is held in memory.
const FILE_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Files of one batch.
#[derive(Debug)]
pub(super) struct Files {
    paths: Vec<PathBuf>,
    format: FileFormat,
    store: Store,
}

impl Files {
    pub(super) fn new(paths: Vec<PathBuf>, format: &FileFormat, store: Store) -> Self {
        Files { paths, format: format.clone(), store }
    }

    /// A file, unpacked.
    pub(super) fn read(&self, path: &Path) -> Result<Held, SourceError> {
        opened(path, self.store.read(path, FILE_BYTES_MAX))
    }

    /// Gives all files, unpacked, in their order.
    fn each(
        &self,
        mut give: impl FnMut(&PathBuf, Held) -> Result<(), SourceError>,
    ) -> Result<(), SourceError> {
        for paths in self.paths.chunks(self.store.side_by_side()) {
            let read = self.store.read_all(paths, FILE_BYTES_MAX);
            paths.iter().zip(read).try_for_each(|(path, held)| give(path, opened(path, held)?))?;
        }
        Ok(())
    }

    /// The rows of all files, each a record without a value.
    fn contained(&self, container: Container, shape: &Shape) -> Result<Rows, SourceError> {
        let (mut batches, mut records) = (Vec::new(), SourceRecords::default());
        self.each(|path, held| {
            let malformed = |error| SourceError::BadFile {
                path: path.clone(),
                reason: format!("cannot be read: {error}"),
            };
            let Held { bytes, modified_ms } = held;
            let rows = container.read(bytes, shape.values()).map_err(malformed)?;
            let count: usize = rows.iter().map(RecordBatch::num_rows).sum();
            records.begin(&name(path), 0, Bytes::new());
            let without = |offset| Located { offset, timestamp: modified_ms, ..Located::default() };
            (0_i64..).take(count).for_each(|offset| records.push(without(offset)));
            batches.extend(rows);
            Ok(())
        })?;
        let values = concat_batches(shape.values(), &batches).map_err(SourceError::Decode)?;
        let every: Vec<usize> = (0..records.len()).collect();
        let batch = shape.widen(&values, &records, &every).map_err(SourceError::Decode)?;
        Ok(Rows { batch, records, refused: Refusals::new() })
    }
}

/// What was read, unpacked if its name says that it is packed.
fn opened(path: &Path, held: io::Result<Held>) -> Result<Held, SourceError> {
    let too_large = || SourceError::BadFile {
        path: path.to_owned(),
        reason: format!("is larger than the {FILE_BYTES_MAX} bytes that are taken; split it"),
    };
    let held = match held {
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => return Err(too_large()),
        held => held.map_err(failed("read", path))?,
    };
    if path.extension().is_none_or(|extension| extension != "gz") {
        return Ok(held);
    }
    let mut unpacked = Vec::new();
    let unpacking = flate2::read::MultiGzDecoder::new(held.bytes.as_ref());
    unpacking.take(FILE_BYTES_MAX + 1).read_to_end(&mut unpacked).map_err(failed("unpack", path))?;
    if unpacked.len() as u64 > FILE_BYTES_MAX {
        return Err(too_large());
    }
    Ok(Held { bytes: unpacked.into(), ..held })
}

/// A file as a stream of bytes, unpacked if its name says that it is packed.
pub(crate) fn read_through(store: &Store, path: &Path) -> Result<Box<dyn Read + Send>, SourceError> {
    let file = store.open(path, FILE_BYTES_MAX).map_err(failed("read", path))?;
    let packed = path.extension().is_some_and(|extension| extension == "gz");
    Ok(if packed { Box::new(flate2::read::MultiGzDecoder::new(file)) } else { file })
}

/// One record per line.
fn lines(format: &Format, (path, held): (&Path, Held), records: &mut SourceRecords) {
    let Held { bytes, modified_ms } = held;
    records.begin(&name(path), 0, bytes.clone());
    let header = matches!(format, Format::Csv(csv) if csv.header);
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let mut next = bytes.len() - text.len();
    let lines = (0_i64..).zip(text.split_inclusive(|byte| *byte == b'\n'));
    for (offset, line) in lines {
        let start = next;
        next += line.len();
        if header && offset == 0 {
            continue;
        }
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if *format != Format::Text && line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let value = Some(start..start + line.len());
        records.push(Located { offset, timestamp: modified_ms, value, ..Located::default() });
    }
}

/// What records of a file have in place of a topic.
fn name(path: &Path) -> Arc<str> {
    path.to_string_lossy().into()
}

impl Content for Files {
    fn rows(self: Box<Self>, shape: &Shape) -> Result<Rows, SourceError> {
        let rows = self.held(shape)?;
        if !self.paths.iter().any(|path| path.components().any(says)) {
            return Ok(rows);
        }
        let Rows { batch, records, refused } = rows;
        let good = records.iter().enumerate().filter(|(number, _)| !refused.contains_key(number));
        let batch = filled(&batch, good.map(|(_, record)| record.topic)).map_err(SourceError::Decode)?;
        Ok(Rows { batch, records, refused })
    }
}

fn says(component: std::path::Component<'_>) -> bool {
    component.as_os_str().to_str().is_some_and(is_partition)
}

impl Files {
    /// The rows without what directories say.
    fn held(&self, shape: &Shape) -> Result<Rows, SourceError> {
        let format = match &self.format {
            FileFormat::Rows(container) => return waiting(|| self.contained(*container, shape)),
            FileFormat::Lines(format) => format,
        };
        let mut records = SourceRecords::default();
        waiting(|| {
            self.each(|path, held| {
                lines(format, (path, held), &mut records);
                Ok(())
            })
        })?;
        shape.decode(format, records).map_err(SourceError::Decode)
    }
}
