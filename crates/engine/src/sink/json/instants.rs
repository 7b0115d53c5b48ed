//! Instants as JSON strings. Arrow's writer asks chrono and a time zone's table for each; here it is arithmetic, which
//! is a tenth of the time, and what is written is the same to the byte.

use chrono::{DateTime, SecondsFormat};
use datafusion::arrow::array::{Array, AsArray, TimestampMicrosecondArray};
use datafusion::arrow::datatypes::{DataType, FieldRef, TimeUnit, TimestampMicrosecondType};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::writer::NullableEncoder;
use datafusion::arrow::json::{Encoder, EncoderFactory, EncoderOptions};

use crate::sql::types::UTC;

const SECOND_US: i64 = 1_000_000;
const DAY_SECONDS: i64 = 86_400;

/// Where years have four digits and no sign: 0000-01-01 to 9999-12-31, in days since 1970.
const PLAIN_DAYS: std::ops::RangeInclusive<i64> = -719_528..=2_932_896;

/// Writes microseconds in UTC, and leaves all other columns to Arrow.
#[derive(Debug)]
pub(super) struct Instants;

impl EncoderFactory for Instants {
    fn make_default_encoder<'a>(
        &self,
        _: &'a FieldRef,
        array: &'a dyn Array,
        _: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        match array.data_type() {
            DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) if **zone == *UTC => {
                let instants = array.as_primitive::<TimestampMicrosecondType>();
                Ok(Some(NullableEncoder::new(Box::new(Column(instants)), array.nulls().cloned())))
            }
            _ => Ok(None),
        }
    }
}

struct Column<'a>(&'a TimestampMicrosecondArray);

impl Encoder for Column<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        out.push(b'"');
        write_instant(self.0.value(row), out);
        out.push(b'"');
    }
}

/// As RFC 3339, with as many groups of three digits behind the second as there are.
fn write_instant(us: i64, out: &mut Vec<u8>) {
    let (seconds, fraction) = (us.div_euclid(SECOND_US), us.rem_euclid(SECOND_US));
    let (days, second) = (seconds.div_euclid(DAY_SECONDS), seconds.rem_euclid(DAY_SECONDS));
    if !PLAIN_DAYS.contains(&days) {
        let instant = DateTime::from_timestamp_micros(us);
        let text = instant.map(|instant| instant.to_rfc3339_opts(SecondsFormat::AutoSi, true));
        return out.extend_from_slice(text.unwrap_or_default().as_bytes());
    }
    let (year, month, day) = civil(days);
    for (digits, value, after) in [
        (4, year, b'-'),
        (2, month, b'-'),
        (2, day, b'T'),
        (2, second / 3_600, b':'),
        (2, second / 60 % 60, b':'),
    ] {
        write_digits(value, digits, out);
        out.push(after);
    }
    write_digits(second % 60, 2, out);
    if fraction != 0 {
        out.push(b'.');
        if fraction % 1_000 == 0 {
            write_digits(fraction / 1_000, 3, out);
        } else {
            write_digits(fraction, 6, out);
        }
    }
    out.push(b'Z');
}

/// The last `digits` digits of a number.
fn write_digits(value: i64, digits: u32, out: &mut Vec<u8>) {
    for place in (0..digits).rev() {
        let digit = value / 10_i64.pow(place) % 10;
        out.push(b'0' + u8::try_from(digit).unwrap_or(0));
    }
}

/// Year, month and day of a day since 1970-01-01, in years that begin in March: the leap day is the last.
fn civil(days: i64) -> (i64, i64, i64) {
    const ERA: i64 = 146_097;
    // From 0000-03-01.
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / (ERA - 1)) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march + 2) / 5 + 1;
    let month = if march < 10 { march + 3 } else { march - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{ArrayRef, RecordBatch};
    use datafusion::arrow::json::WriterBuilder;
    use datafusion::arrow::json::writer::LineDelimited;
    use proptest::prelude::*;

    use super::*;

    fn written(builder: WriterBuilder, instants: &[Option<i64>]) -> String {
        let column: ArrayRef =
            Arc::new(TimestampMicrosecondArray::from(instants.to_vec()).with_timezone(UTC));
        let batch = RecordBatch::try_from_iter_with_nullable([("at", column, true)]).unwrap();
        let mut writer = builder.build::<_, LineDelimited>(Vec::new());
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        String::from_utf8(writer.into_inner()).unwrap()
    }

    fn check(instants: &[Option<i64>]) {
        let ours = WriterBuilder::new().with_encoder_factory(Arc::new(Instants));
        assert_eq!(written(ours, instants), written(WriterBuilder::new(), instants));
    }

    #[test]
    fn the_ends_of_what_is_plain_are_written_as_arrow_does() {
        let day = DAY_SECONDS * SECOND_US;
        let ends = [*PLAIN_DAYS.start() * day, (*PLAIN_DAYS.end() + 1) * day];
        let around = ends.iter().flat_map(|end| [end - 1, *end, end + 1]);
        check(&around.chain([0, -1, 951_782_400_000_000, 951_868_799_999_999]).map(Some).collect::<Vec<_>>());
        check(&[None, Some(1_700_000_000_000_000), Some(1_700_000_000_001_000), Some(1_700_000_000_000_001)]);
    }

    proptest! {
        #[test]
        fn every_instant_is_written_as_arrow_does(
            far in -8_334_601_228_800_000_000..8_210_266_876_799_000_000_i64,
            near in -62_167_219_200_000_000..253_402_300_800_000_000_i64,
            seconds in -62_167_219_200..253_402_300_800_i64,
        ) {
            check(&[Some(far), Some(near), Some(seconds * SECOND_US), Some(near / 1_000 * 1_000)]);
        }
    }
}
