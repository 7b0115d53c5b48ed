//! What is in files: lines, which are records.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use env::Disk;

use crate::error::SourceError;
use crate::source::files::seen::failed;
use crate::source::files::waiting;
use crate::source::format::Format;
use crate::source::shape::Shape;
use crate::source::{Content, Rows, SourceRecord};

/// A file may not be larger, packed or unpacked: a batch is held in memory.
const FILE_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Files of one batch.
#[derive(Debug)]
pub(super) struct Files {
    paths: Vec<PathBuf>,
    format: Format,
    disk: Arc<dyn Disk>,
}

impl Files {
    pub(super) fn new(paths: Vec<PathBuf>, format: &Format, disk: &Arc<dyn Disk>) -> Self {
        Files { paths, format: format.clone(), disk: Arc::clone(disk) }
    }

    fn read(&self, path: &Path) -> Result<Bytes, SourceError> {
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
    fn lines(&self, path: &Path, records: &mut Vec<SourceRecord>) -> Result<(), SourceError> {
        let bytes = self.read(path)?;
        let timestamp = self.disk.modified_ms(path).unwrap_or(0);
        let topic: Arc<str> = path.to_string_lossy().into();
        let header = matches!(&self.format, Format::Csv(csv) if csv.header);
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let lines = (0_i64..).zip(text.split_inclusive(|byte| *byte == b'\n'));
        for (offset, line) in lines.skip(usize::from(header)) {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if self.format != Format::Text && line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            records.push(SourceRecord {
                topic: Arc::clone(&topic),
                partition: 0,
                offset,
                timestamp,
                key: None,
                value: Some(bytes.slice_ref(line)),
                headers: Vec::new(),
            });
        }
        Ok(())
    }
}

impl Content for Files {
    fn rows(&self, shape: &Shape) -> Result<Rows, SourceError> {
        let mut records = Vec::new();
        waiting(|| self.paths.iter().try_for_each(|path| self.lines(path, &mut records)))?;
        shape.decode(&self.format, records).map_err(SourceError::Decode)
    }
}
