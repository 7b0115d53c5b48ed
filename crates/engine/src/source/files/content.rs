//! What is in files: lines, which are records, or rows of their own.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use env::Disk;

use crate::error::SourceError;
use crate::operator::scope::Refusals;
use crate::sink::files::partition::{filled, is_partition};
use crate::source::files::seen::failed;
use crate::source::files::waiting;
use crate::source::format::Format;
use crate::source::format::container::Container;
use crate::source::shape::Shape;
use crate::source::{Content, Rows, SourceRecord};
use crate::sql::options::source::FileFormat;

/// A file may not be larger, packed or unpacked: a batch is held in memory.
const FILE_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Files of one batch.
#[derive(Debug)]
pub(super) struct Files {
    paths: Vec<PathBuf>,
    format: FileFormat,
    disk: Arc<dyn Disk>,
}

impl Files {
    pub(super) fn new(paths: Vec<PathBuf>, format: &FileFormat, disk: &Arc<dyn Disk>) -> Self {
        Files { paths, format: format.clone(), disk: Arc::clone(disk) }
    }

    pub(super) fn read(&self, path: &Path) -> Result<Bytes, SourceError> {
        let too_large = || SourceError::BadFile {
            path: path.to_owned(),
            reason: format!("is larger than the {FILE_BYTES_MAX} bytes that are taken; split it"),
        };
        if self.disk.len(path).map_err(failed("read", path))? > FILE_BYTES_MAX {
            return Err(too_large());
        }
        let bytes = self.disk.read(path).map_err(failed("read", path))?;
        if path.extension().is_none_or(|extension| extension != "gz") {
            return Ok(bytes.into());
        }
        let mut unpacked = Vec::new();
        let unpacking = flate2::read::MultiGzDecoder::new(bytes.as_slice());
        unpacking.take(FILE_BYTES_MAX + 1).read_to_end(&mut unpacked).map_err(failed("unpack", path))?;
        if unpacked.len() as u64 > FILE_BYTES_MAX { Err(too_large()) } else { Ok(unpacked.into()) }
    }

    /// One record per line.
    fn lines(
        &self,
        format: &Format,
        path: &Path,
        records: &mut Vec<SourceRecord>,
    ) -> Result<(), SourceError> {
        let bytes = self.read(path)?;
        let record = self.records_of(path);
        let header = matches!(format, Format::Csv(csv) if csv.header);
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let lines = (0_i64..).zip(text.split_inclusive(|byte| *byte == b'\n'));
        for (offset, line) in lines.skip(usize::from(header)) {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if *format != Format::Text && line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            records.push(record(offset, Some(bytes.slice_ref(line))));
        }
        Ok(())
    }

    /// Makes records of a file.
    fn records_of(&self, path: &Path) -> impl Fn(i64, Option<Bytes>) -> SourceRecord + use<> {
        let timestamp = self.disk.modified_ms(path).unwrap_or(0);
        let topic: Arc<str> = path.to_string_lossy().into();
        move |offset, value| SourceRecord {
            topic: Arc::clone(&topic),
            partition: 0,
            offset,
            timestamp,
            key: None,
            value,
            headers: Vec::new(),
        }
    }

    /// The rows of all files, each a record without a value.
    fn contained(&self, container: Container, shape: &Shape) -> Result<Rows, SourceError> {
        let (mut batches, mut records) = (Vec::new(), Vec::new());
        for path in &self.paths {
            let malformed = |error| SourceError::BadFile {
                path: path.clone(),
                reason: format!("cannot be read: {error}"),
            };
            let rows = container.read(self.read(path)?, shape.values()).map_err(malformed)?;
            let count: usize = rows.iter().map(RecordBatch::num_rows).sum();
            let record = self.records_of(path);
            records.extend((0_i64..).take(count).map(|offset| record(offset, None)));
            batches.extend(rows);
        }
        let values = concat_batches(shape.values(), &batches).map_err(SourceError::Decode)?;
        let every: Vec<usize> = (0..records.len()).collect();
        let batch = shape.widen(&values, &records, &every).map_err(SourceError::Decode)?;
        Ok(Rows { batch, records, refused: Refusals::new() })
    }
}

impl Content for Files {
    fn rows(self: Box<Self>, shape: &Shape) -> Result<Rows, SourceError> {
        let rows = self.held(shape)?;
        if !self.paths.iter().any(|path| path.components().any(says)) {
            return Ok(rows);
        }
        let Rows { batch, records, refused } = rows;
        let good = records.iter().enumerate().filter(|(number, _)| !refused.contains_key(number));
        let batch =
            filled(&batch, good.map(|(_, record)| record.topic.as_ref())).map_err(SourceError::Decode)?;
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
        let mut records = Vec::new();
        waiting(|| self.paths.iter().try_for_each(|path| self.lines(format, path, &mut records)))?;
        shape.decode(format, records).map_err(SourceError::Decode)
    }
}
