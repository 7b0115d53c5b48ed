//! Instants as RFC 3339 has them, read and written by arithmetic: JSON brings one or more in every row.

/// Reads instants, one after the other: most are of the minute of the one before.
pub(crate) struct Reader {
    /// How a minute is written, and when it begins, in microseconds since 1970.
    minute: [u8; 16],
    begin: i64,
}

impl Reader {
    pub(crate) fn new() -> Self {
        Reader { minute: *b"1970-01-01T00:00", begin: 0 }
    }

    /// The instant of `2023-11-14T22:13:20.123Z`, in microseconds since 1970: of four digits of the year, `T` or a space,
    /// at most six digits behind the second, and `Z`, `+01:00` or no zone, which is UTC. `None` for all else, right or
    /// wrong: ask a slower reader.
    pub(crate) fn read(&mut self, text: &[u8]) -> Option<i64> {
        let (minute, rest) = text.split_first_chunk()?;
        if *minute != self.minute {
            *self = Reader { minute: *minute, begin: minute_begin(minute)? };
        }
        let ([colon, tens, ones], rest) = rest.split_first_chunk()?;
        let (tens, ones) = (digit(*tens), digit(*ones));
        if *colon != b':' || tens > 5 || ones > 9 {
            return None;
        }
        let (rest, ahead) = zone(rest)?;
        Some(self.begin + (i64::from(10 * tens + ones) - ahead) * SECOND_US + fraction(rest)?)
    }
}

/// When the minute of `2023-11-14T22:13` begins, in microseconds since 1970.
fn minute_begin(at: &[u8; 16]) -> Option<i64> {
    let pairs = [0, 2, 5, 8, 11, 14].map(|begin| (digit(at[begin]), digit(at[begin + 1])));
    let [century, year, month, day, hour, minute] = pairs.map(|(tens, ones)| 10 * tens + ones);
    let year = 100 * century + year;
    let fits = pairs.iter().all(|(tens, ones)| *tens.max(ones) <= 9)
        && [at[4], at[7], at[13]] == *b"--:"
        && matches!(at[10], b'T' | b' ')
        && matches!(month, 1..=12)
        && (1..=days_of(year, month)).contains(&day)
        && hour <= 23
        && minute <= 59;
    let seconds = i64::from(hour * 3_600 + minute * 60);
    fits.then(|| (days_before(year, month, day) * DAY_SECONDS + seconds) * SECOND_US)
}

/// What stands before `Z`, `+01:00` or nothing, and by how many seconds clocks there are ahead.
fn zone(text: &[u8]) -> Option<(&[u8], i64)> {
    if let Some((rest, [sign @ (b'+' | b'-'), zone @ ..])) = text.split_last_chunk::<6>() {
        let [ten_hours, hour, ten_minutes, minute] = [0, 1, 3, 4].map(|at| digit(zone[at]));
        let (hours, minutes) = (10 * ten_hours + hour, 10 * ten_minutes + minute);
        let fits = zone[2] == b':' && hours < 24 && minutes < 60 && hour <= 9 && minute <= 9;
        let ahead = i64::from(hours * 3_600 + minutes * 60);
        return fits.then_some((rest, if *sign == b'+' { ahead } else { -ahead }));
    }
    Some((text.strip_suffix(b"Z").unwrap_or(text), 0))
}

/// The microseconds of `.123` or nothing.
fn fraction(text: &[u8]) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    let digits = text.strip_prefix(b".").filter(|digits| (1..=6).contains(&digits.len()))?;
    let mut number = 0;
    for byte in digits {
        let digit = digit(*byte);
        number = 10 * number + i64::from(digit);
        if digit > 9 {
            return None;
        }
    }
    Some(number * TENS[6 - digits.len()])
}

/// What a digit stands for; more than 9 if it is none.
fn digit(byte: u8) -> u32 {
    u32::from(byte.wrapping_sub(b'0'))
}

fn days_of(year: u32, month: u32) -> u32 {
    let leaps = || year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leaps() => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

const TENS: [i64; 6] = [1, 10, 100, 1_000, 10_000, 100_000];
const SECOND_US: i64 = 1_000_000;
const DAY_SECONDS: i64 = 86_400;
const MINUTE_US: i64 = 60 * SECOND_US;
const DAY_MINUTES: i64 = 1_440;

/// Days of 400 years, after which the calendar comes round.
const ERA: u32 = 146_097;

/// From 0000-03-01 to 1970-01-01: counted in years that begin in March, the leap day is the last.
const MARCH_DAYS: i64 = 719_468;

/// Days from 1970-01-01 to this one, in a year from 0 on.
fn days_before(year: u32, month: u32, day: u32) -> i64 {
    // An era more, so that no number is below 0.
    let (year, march) = if month > 2 { (year + 400, month - 3) } else { (year + 399, month + 9) };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * march + 2) / 5 + day - 1;
    let days = era * ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    i64::from(days) - i64::from(ERA) - MARCH_DAYS
}

/// Year, month and day of so many days after -0400-03-01.
fn civil(days: u32) -> (u32, u32, u32) {
    let (era, of_era) = (days / ERA, days % ERA);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / (ERA - 1)) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march + 2) / 5 + 1;
    let month = if march < 10 { march + 3 } else { march - 9 };
    (era * 400 + year + u32::from(month <= 2) - 400, month, day)
}

/// Where years have four digits and no sign: 0000-01-01 to 9999-12-31, in days since 1970.
const PLAIN_DAYS: std::ops::RangeInclusive<i64> = -719_528..=2_932_896;

/// The digits of every number below 100.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

/// Writes instants, one after the other: most are of the minute of the one before.
pub(crate) struct Writer {
    /// In minutes since 1970,
    minute: i64,
    /// and as it is written, with room for the rest.
    text: [u8; 32],
}

impl Writer {
    pub(crate) fn new() -> Self {
        Writer { minute: 0, text: *b"1970-01-01T00:00:00.000000Z     " }
    }

    /// Writes microseconds since 1970 with as many groups of three digits behind the second as there are; false, and
    /// nothing written, for a year that has not four digits.
    #[must_use]
    pub(crate) fn write(&mut self, us: i64, out: &mut Vec<u8>) -> bool {
        let (minute, rest) = (us.div_euclid(MINUTE_US), us.rem_euclid(MINUTE_US));
        if minute != self.minute && !self.begins(minute) {
            return false;
        }
        let mut text = self.text;
        // Less than a minute.
        let rest = u32::try_from(rest).unwrap_or(0);
        let (second, fraction) = (rest / 1_000_000, rest % 1_000_000);
        let pairs = [(17, second), (20, fraction / 10_000), (22, fraction / 100 % 100), (24, fraction % 100)];
        put_pairs(&mut text, pairs);
        let end = match fraction {
            0 => 19,
            _ if fraction % 1_000 == 0 => 23,
            _ => 26,
        };
        text[end] = b'Z';
        // To copy all of it and cut it takes less than to copy as much as is wanted.
        let end = out.len() + end + 1;
        out.extend_from_slice(&text);
        out.truncate(end);
        true
    }

    /// Writes another minute, if its year has four digits.
    fn begins(&mut self, minute: i64) -> bool {
        let (days, of_day) = (minute.div_euclid(DAY_MINUTES), minute.rem_euclid(DAY_MINUTES));
        if !PLAIN_DAYS.contains(&days) {
            return false;
        }
        // Neither is below 0 or long now.
        let narrow = |number: i64| u32::try_from(number).unwrap_or(0);
        let of_day = narrow(of_day);
        let (year, month, day) = civil(narrow(days + MARCH_DAYS + i64::from(ERA)));
        let pairs =
            [(0, year / 100), (2, year % 100), (5, month), (8, day), (11, of_day / 60), (14, of_day % 60)];
        put_pairs(&mut self.text, pairs);
        self.minute = minute;
        true
    }
}

/// Puts numbers below 100 where they belong.
fn put_pairs<const N: usize>(text: &mut [u8; 32], pairs: [(usize, u32); N]) {
    for (at, number) in pairs {
        text[at..at + 2].copy_from_slice(&PAIRS[number as usize % PAIRS.len()]);
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, SecondsFormat, Utc};
    use datafusion::arrow::compute::kernels::cast_utils::string_to_datetime;
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<i64> {
        Reader::new().read(text.as_bytes())
    }

    /// In the words of chrono.
    fn peer(us: i64) -> String {
        DateTime::from_timestamp_micros(us).unwrap().to_rfc3339_opts(SecondsFormat::AutoSi, true)
    }

    fn check(us: i64) {
        let mut text = Vec::new();
        assert!(Writer::new().write(us, &mut text), "{us}");
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text, peer(us));
        assert_eq!(read(&text), Some(us), "{text}");
    }

    #[test]
    fn the_ends_of_what_is_plain_are_as_chrono_has_them() {
        let day = DAY_SECONDS * SECOND_US;
        let (first, last) = (PLAIN_DAYS.start() * day, (PLAIN_DAYS.end() + 1) * day - 1);
        for us in [first, first + 1, last, last - 1, -1, 0, 1, 951_782_400_000_000, 951_868_799_999_999] {
            check(us);
        }
        let mut writer = Writer::new();
        assert!(!writer.write(first - 1, &mut Vec::new()) && !writer.write(last + 1, &mut Vec::new()));
    }

    #[test]
    fn a_reader_remembers_no_minute_but_the_last() {
        let texts = [
            "2023-11-14T22:13:20Z",
            "2023-11-14T22:13:59.5Z",
            "2023-11-14T22:14:00Z",
            "2023-11-14 22:14:00",
            "2023-11-14T22:61:00Z",
            "2023-11-14T22:61:01Z",
            "2023-11-14T22:14:01Z",
            "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0:00Z",
        ];
        let mut reader = Reader::new();
        for text in texts {
            assert_eq!(reader.read(text.as_bytes()), read(text), "{text}");
        }
        assert_eq!(reader.read(b"1970-01-01T00:00:01Z"), Some(SECOND_US));
    }

    #[test]
    fn a_writer_remembers_no_minute_but_the_last() {
        let minute = 28_333_333 * MINUTE_US;
        let instants = [
            minute,
            minute + 59_999_999,
            minute - 1,
            minute,
            i64::MAX,
            minute + 1,
            minute + MINUTE_US,
            0,
            -1,
        ];
        let mut writer = Writer::new();
        for us in instants {
            let mut text = Vec::new();
            if writer.write(us, &mut text) {
                assert_eq!(String::from_utf8(text).unwrap(), peer(us));
            } else {
                assert_eq!((us, text.len()), (i64::MAX, 0));
            }
        }
    }

    #[test]
    fn what_is_not_plain_is_left_to_others() {
        let others = [
            "",
            "2023-11-14",
            "2023-11-14T22:13:20+24:00",
            "2023-11-14T22:13:20+01:60",
            "2023-11-14T22:13:20+01-00",
            "2023-11-14T22:13:20+0100",
            "2023-11-14T22:13:20Z+01:00",
            "2023-11-14T22:13:20.Z",
            "2023-11-14T22:13:20.1234567Z",
        ];
        let wrong =
            ["2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2023-13-01T00:00:00Z", "2023-00-01T00:00:00Z"];
        let wrong_too =
            ["2023-01-32T00:00:00Z", "2023-01-00T00:00:00Z", "2023-01-01T24:00:00Z", "2023-01-01T00:60:00Z"];
        let odd = [
            "2023-01-01T00:00:60Z",
            "2023-01-01x00:00:00Z",
            "2023/01/01T00:00:00Z",
            "2023-01-01T00:00:00ZZ",
            "20é3-01-01T00:00:00Z",
        ];
        for text in others.iter().chain(&wrong).chain(&wrong_too).chain(&odd) {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_plain_instant_is_as_chrono_has_it(us in -62_167_219_200_000_000..253_402_300_800_000_000_i64) {
            for us in [us, us / 1_000 * 1_000, us / 1_000_000 * 1_000_000] {
                check(us);
            }
        }

        #[test]
        fn what_is_read_is_what_arrow_reads(
            text in "[0-9]{4}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-][0-2][0-9]:[0-5][0-9])?"
        ) {
            let peer = string_to_datetime(&Utc, &text).ok().map(|instant| instant.timestamp_micros());
            prop_assert_eq!(read(&text), peer, "{}", text);
        }
    }
}
