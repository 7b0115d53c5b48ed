//! Instants as JSON strings. Arrow's writer asks chrono and a time zone's table for each; here it is arithmetic, and what
//! is written is the same to the byte.

use chrono::{DateTime, SecondsFormat};
use datafusion::arrow::array::{Array, AsArray, TimestampMicrosecondArray};
use datafusion::arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use datafusion::arrow::json::Encoder;
use datafusion::arrow::json::writer::NullableEncoder;

use crate::instant;
use crate::sql::types::UTC;

/// Who writes microseconds in UTC.
pub(super) fn column(array: &dyn Array) -> Option<NullableEncoder<'_>> {
    match array.data_type() {
        DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) if **zone == *UTC => {
            let instants = array.as_primitive::<TimestampMicrosecondType>();
            let column = Column { instants, writer: instant::Writer::new() };
            Some(NullableEncoder::new(Box::new(column), array.nulls().cloned()))
        }
        _ => None,
    }
}

struct Column<'a> {
    instants: &'a TimestampMicrosecondArray,
    writer: instant::Writer,
}

impl Encoder for Column<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        let us = self.instants.value(row);
        out.push(b'"');
        if !self.writer.write(us, out) {
            let far = DateTime::from_timestamp_micros(us);
            let text = far.map(|far| far.to_rfc3339_opts(SecondsFormat::AutoSi, true));
            out.extend_from_slice(text.unwrap_or_default().as_bytes());
        }
        out.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::ArrayRef;
    use proptest::prelude::*;

    use super::*;
    use crate::sink::json::tests::check_column;

    fn check(instants: &[Option<i64>]) {
        let column: ArrayRef =
            Arc::new(TimestampMicrosecondArray::from(instants.to_vec()).with_timezone(UTC));
        check_column(column);
    }

    #[test]
    fn nulls_and_years_of_more_digits_are_written_as_arrow_does() {
        check(&[None, Some(0), Some(-62_167_219_200_000_001), Some(253_402_300_800_000_000)]);
    }

    proptest! {
        #[test]
        fn every_instant_is_written_as_arrow_does(
            far in -8_334_601_228_800_000_000..8_210_266_876_799_000_000_i64,
            near in -62_167_219_200_000_000..253_402_300_800_000_000_i64,
        ) {
            check(&[Some(far), Some(near), Some(near / 1_000 * 1_000), Some(near / 1_000_000 * 1_000_000)]);
        }
    }
}
