//! What is looked at, on the caller's thread, before batches are handed over to their partition's owner.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use record::{Batch, Compression, ErrorKind as RecordErrorKind};

use crate::partition::Core;
use crate::{AppendError, TimestampType, TopicConfig};

impl Core {
    /// Checks batches against the topic's settings, and against their own headers and checksums unless they are `built` by
    /// this program. Answers what is to be written: the same bytes, unless the topic asks for another codec.
    pub(crate) fn admit(&self, bytes: Bytes, built: bool) -> Result<Bytes, AppendError> {
        if bytes.is_empty() {
            return Err(AppendError::Invalid { rule: "there must be at least one batch", source: None });
        }
        let config = self.settings.get();
        let mut repacked = false;
        for batch in record::batches(&bytes) {
            let batch = batch.map_err(refused)?;
            self.check(&batch, &config, built)?;
            repacked |= config.compression.is_some_and(|codec| !is_packed(&batch, codec));
        }
        match config.compression {
            Some(codec) if repacked => self.repacked(&bytes, codec, &config),
            _ => Ok(bytes),
        }
    }

    fn check(&self, batch: &Batch, config: &TopicConfig, built: bool) -> Result<(), AppendError> {
        self.check_size(batch.bytes.len(), config)?;
        if !built {
            batch.verify_crc().map_err(refused)?;
        }
        if batch.header.is_control() {
            return Err(invalid("only the broker writes control batches"));
        }
        if batch.header.records_count == 0 {
            return Err(invalid("a batch holds at least one record"));
        }
        if !built {
            batch.validate(self.uncompressed_bytes_max).map_err(malformed)?;
        }
        self.check_times(batch, config)?;
        if config.cleanup.compact {
            let mut records = batch.records(self.uncompressed_bytes_max).map_err(malformed)?;
            if records.any(|record| record.is_ok_and(|record| record.key.is_none())) {
                return Err(invalid("a record of a compacted topic has a key"));
            }
        }
        Ok(())
    }

    fn check_size(&self, bytes: usize, config: &TopicConfig) -> Result<(), AppendError> {
        let max = config.message_bytes_max;
        if bytes > max {
            return Err(AppendError::TooLarge { bytes, max, topic: self.topic.to_string() });
        }
        Ok(())
    }

    /// Times of producers must not be too far from the present. A record without a time has none to be wrong.
    fn check_times(&self, batch: &Batch, config: &TopicConfig) -> Result<(), AppendError> {
        if config.timestamp_type == TimestampType::LogAppendTime {
            return Ok(());
        }
        let now_ms = self.clock.now_ms();
        let latest = now_ms.saturating_add(config.timestamp_after_max_ms);
        let earliest = now_ms.saturating_sub(config.timestamp_before_max_ms);
        let checked = |timestamp: i64| {
            if timestamp >= 0 && !(earliest..=latest).contains(&timestamp) {
                return Err(AppendError::Timestamp { timestamp, earliest, latest });
            }
            Ok(())
        };
        checked(batch.header.max_timestamp)?;
        if config.timestamp_before_max_ms == i64::MAX {
            return Ok(());
        }
        for record in batch.records(self.uncompressed_bytes_max).map_err(malformed)?.flatten() {
            checked(record.timestamp)?;
        }
        Ok(())
    }

    fn repacked(
        &self,
        bytes: &Bytes,
        codec: Compression,
        config: &TopicConfig,
    ) -> Result<Bytes, AppendError> {
        let mut out = BytesMut::with_capacity(bytes.len());
        for batch in record::batches(bytes) {
            let batch = batch.map_err(refused)?;
            if is_packed(&batch, codec) {
                out.extend_from_slice(&batch.bytes);
                continue;
            }
            let packed = batch.repacked(codec, self.uncompressed_bytes_max).map_err(malformed)?;
            self.check_size(packed.len(), config)?;
            out.extend_from_slice(&packed);
        }
        Ok(out.freeze())
    }
}

fn is_packed(batch: &Batch, codec: Compression) -> bool {
    batch.header.compression().is_ok_and(|of_batch| of_batch == codec)
}

fn invalid(rule: &'static str) -> AppendError {
    AppendError::Invalid { rule, source: None }
}

fn refused(error: record::Error) -> AppendError {
    match error.kind() {
        RecordErrorKind::Corrupt => AppendError::Corrupt(Arc::new(error)),
        RecordErrorKind::Invalid => malformed(error),
    }
}

fn malformed(error: record::Error) -> AppendError {
    AppendError::Invalid { rule: "records are whole and as many as said", source: Some(Arc::new(error)) }
}
