//! Instants as RFC 3339 has them, read and written by arithmetic: JSON brings one or more in every row.

/// The instant of `2023-11-14T22:13:20.123Z`, in microseconds since 1970: of four digits of the year, `T` or a space, at
/// most six digits behind the second, and `Z`, `+01:00` or no zone, which is UTC. `None` for all else, right or wrong: ask
/// a slower reader.
pub(crate) fn read(text: &str) -> Option<i64> {
    let text = text.as_bytes();
    let (day, rest) = text.split_at_checked(10)?;
    let (time, rest) = rest.split_at_checked(9)?;
    let plain = [day[4], day[7], time[3], time[6]] == *b"--::" && matches!(time[0], b'T' | b' ');
    let (year, month) = (pair(day, 0)? * 100 + pair(day, 2)?, pair(day, 5)?);
    let (hour, minute, second) = (pair(time, 1)?, pair(time, 4)?, pair(time, 7)?);
    let day = pair(day, 8)?;
    let fits = (1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day);
    if !plain || !fits || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (rest, ahead) = zone(rest)?;
    let seconds = days_before(year, month, day) * DAY_SECONDS + hour * 3_600 + minute * 60 + second - ahead;
    Some(seconds * SECOND_US + fraction(rest)?)
}

/// What stands before `Z`, `+01:00` or nothing, and by how many seconds clocks there are ahead.
fn zone(text: &[u8]) -> Option<(&[u8], i64)> {
    if let Some((rest, [sign @ (b'+' | b'-'), zone @ ..])) = text.split_last_chunk::<6>() {
        let (hours, minutes) = (pair(zone, 0)?, pair(zone, 3)?);
        let fits = zone[2] == b':' && hours < 24 && minutes < 60;
        let ahead = hours * 3_600 + minutes * 60;
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
    let number = digits.iter().try_fold(0, |number, byte| Some(number * 10 + digit(*byte)?))?;
    Some((digits.len()..6).fold(number, |number, _| number * 10))
}

fn digit(byte: u8) -> Option<i64> {
    byte.is_ascii_digit().then(|| i64::from(byte - b'0'))
}

/// The number of two digits.
fn pair(text: &[u8], at: usize) -> Option<i64> {
    Some(digit(text[at])? * 10 + digit(text[at + 1])?)
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

const SECOND_US: i64 = 1_000_000;
const DAY_SECONDS: i64 = 86_400;

/// Days of 400 years, after which the calendar comes round.
const ERA: i64 = 146_097;

/// From 0000-03-01 to 1970-01-01: counted in years that begin in March, the leap day is the last.
const MARCH_DAYS: i64 = 719_468;

/// Days from 1970-01-01 to this one.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let (year, march) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * march + 2) / 5 + day - 1;
    era * ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - MARCH_DAYS
}

/// Year, month and day of a day since 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + MARCH_DAYS;
    let (era, of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / (ERA - 1)) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march + 2) / 5 + 1;
    let month = if march < 10 { march + 3 } else { march - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

/// Where years have four digits and no sign: 0000-01-01 to 9999-12-31, in days since 1970.
const PLAIN_DAYS: std::ops::RangeInclusive<i64> = -719_528..=2_932_896;

/// Writes microseconds since 1970 with as many groups of three digits behind the second as there are; false, and nothing
/// written, for a year that has not four digits.
#[must_use]
pub(crate) fn write(us: i64, out: &mut Vec<u8>) -> bool {
    let (seconds, fraction) = (us.div_euclid(SECOND_US), us.rem_euclid(SECOND_US));
    let (days, second) = (seconds.div_euclid(DAY_SECONDS), seconds.rem_euclid(DAY_SECONDS));
    if !PLAIN_DAYS.contains(&days) {
        return false;
    }
    let (year, month, day) = civil(days);
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    let pairs = [
        (0, year / 100),
        (2, year % 100),
        (5, month),
        (8, day),
        (11, second / 3_600),
        (14, second / 60 % 60),
        (17, second % 60),
        (20, fraction / 10_000),
        (22, fraction / 100 % 100),
        (24, fraction % 100),
    ];
    for (at, number) in pairs {
        // Below a hundred, each of them.
        let number = u8::try_from(number).unwrap_or(0);
        text[at] += number / 10;
        text[at + 1] += number % 10;
    }
    let end = match fraction {
        0 => 19,
        _ if fraction % 1_000 == 0 => 23,
        _ => 26,
    };
    text[end] = b'Z';
    out.extend_from_slice(&text[..=end]);
    true
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, SecondsFormat, Utc};
    use datafusion::arrow::compute::kernels::cast_utils::string_to_datetime;
    use proptest::prelude::*;

    use super::*;

    /// In the words of chrono.
    fn peer(us: i64) -> String {
        DateTime::from_timestamp_micros(us).unwrap().to_rfc3339_opts(SecondsFormat::AutoSi, true)
    }

    fn check(us: i64) {
        let mut text = Vec::new();
        assert!(write(us, &mut text), "{us}");
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
        assert!(!write(first - 1, &mut Vec::new()) && !write(last + 1, &mut Vec::new()));
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
