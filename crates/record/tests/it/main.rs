//! Record batches through the public interface.

mod batches;
mod control;
mod golden;
mod legacy;
mod oracle;

use bytes::Bytes;
use record::{Batch, BatchBuilder, Compression, Header, Producer, Record};

const LIMIT: usize = 1 << 20;

/// Writes records into one batch.
fn build(compression: Compression, records: &[Record]) -> Bytes {
    let mut builder = BatchBuilder::new(compression, Producer::NONE);
    for r in records {
        builder.push(r.timestamp, r.key.as_deref(), r.value.as_deref(), &r.headers);
    }
    builder.build()
}

/// Reads them back, after every check there is.
fn read(bytes: &Bytes) -> Vec<Record> {
    let mut out = Vec::new();
    for batch in record::batches(bytes) {
        let batch = batch.expect("a whole batch");
        batch.verify_crc().expect("a true checksum");
        batch.validate(LIMIT).expect("dense, whole records");
        out.extend(batch.records(LIMIT).expect("readable").map(|record| record.expect("a whole record")));
    }
    out
}

fn only(bytes: &Bytes) -> Batch {
    Batch::parse(bytes).expect("a whole batch")
}

fn header(key: &'static str, value: Option<&'static str>) -> Header {
    (Bytes::from(key), value.map(Bytes::from))
}

fn text(offset: i64, timestamp: i64, key: Option<&'static str>, value: Option<&'static str>) -> Record {
    Record {
        offset,
        timestamp,
        key: key.map(Bytes::from),
        value: value.map(Bytes::from),
        headers: Vec::new(),
    }
}
