//! Time zones by the names that Spark knows, and the one that a session counts in.

use chrono::{DateTime, Datelike as _, LocalResult, NaiveDate, NaiveDateTime, Offset as _, TimeZone as _};
use chrono_tz::Tz;
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;

use super::civil::SECOND;
use super::no_zone;

/// A zone: seconds east of Greenwich, or a place where that changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// Seconds ahead, always.
    Fixed(i64),
    /// A place.
    Place(Tz),
}

/// The last year whose changes of clocks are written down; later ones are those of a year that has the same days.
const LAST_YEAR: i32 = 2_099;

const DAY_SECONDS: i64 = 86_400;

/// What Java's `ZoneId.SHORT_IDS` means, besides what is the name of a zone anyway.
const SHORT: &[(&str, &str)] = &[
    ("ACT", "Australia/Darwin"),
    ("AET", "Australia/Sydney"),
    ("AGT", "America/Argentina/Buenos_Aires"),
    ("ART", "Africa/Cairo"),
    ("AST", "America/Anchorage"),
    ("BET", "America/Sao_Paulo"),
    ("BST", "Asia/Dhaka"),
    ("CAT", "Africa/Harare"),
    ("CNT", "America/St_Johns"),
    ("CST", "America/Chicago"),
    ("CTT", "Asia/Shanghai"),
    ("EAT", "Africa/Addis_Ababa"),
    ("ECT", "Europe/Paris"),
    ("EST", "-05:00"),
    ("HST", "-10:00"),
    ("IET", "America/Indiana/Indianapolis"),
    ("IST", "Asia/Kolkata"),
    ("JST", "Asia/Tokyo"),
    ("MIT", "Pacific/Apia"),
    ("MST", "-07:00"),
    ("NET", "Asia/Yerevan"),
    ("NST", "Pacific/Auckland"),
    ("PLT", "Asia/Karachi"),
    ("PNT", "America/Phoenix"),
    ("PRT", "America/Puerto_Rico"),
    ("PST", "America/Los_Angeles"),
    ("SST", "Pacific/Guadalcanal"),
    ("VST", "Asia/Ho_Chi_Minh"),
];

impl Zone {
    /// Clocks are ahead by nothing.
    pub const UTC: Zone = Zone::Fixed(0);

    /// The zone that the session counts in: UTC if none is set.
    ///
    /// # Errors
    /// The name is none of a zone.
    pub(crate) fn of(options: &ConfigOptions) -> Result<Zone> {
        match options.execution.time_zone.as_deref() {
            None | Some("UTC") => Ok(Zone::UTC),
            Some(name) => Zone::parse(name).map_or_else(|| no_zone(name), Ok),
        }
    }

    /// `UTC`, `Z`, `+02:00`, `GMT+2`, `Europe/Berlin`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Zone> {
        let name = name.trim();
        let bare =
            name.strip_prefix("UTC").or_else(|| name.strip_prefix("GMT")).or_else(|| name.strip_prefix("UT"));
        match bare.unwrap_or(name) {
            "" | "Z" | "z" if !name.is_empty() => return Some(Zone::UTC),
            offset if offset.starts_with(['+', '-']) => return offset_of(offset).map(Zone::Fixed),
            _ => {}
        }
        let meant = SHORT.iter().find(|(known, _)| *known == name).map_or(name, |(_, meant)| *meant);
        offset_of(meant).map(Zone::Fixed).or_else(|| meant.parse().ok().map(Zone::Place))
    }

    pub(crate) fn is_utc(self) -> bool {
        self == Zone::UTC
    }

    /// What clocks there show, in microseconds since 1970 as they count them, at an instant in microseconds since
    /// 1970; at the end of time, the instant.
    pub(crate) fn local(self, instant: i64) -> i64 {
        if self.is_utc() {
            return instant;
        }
        instant.checked_add(self.offset_at(instant.div_euclid(SECOND)) * SECOND).unwrap_or(instant)
    }

    /// The instant at which clocks there show this, both in microseconds; see [`Zone::offset_when`]. `None` beyond the
    /// end of time.
    pub(crate) fn instant(self, local: i64) -> Option<i64> {
        if self.is_utc() {
            return Some(local);
        }
        local.checked_sub(self.offset_when(local.div_euclid(SECOND)) * SECOND)
    }

    /// The same; of two such instants, the one at which clocks are as far ahead as they are at `near`.
    pub(crate) fn instant_near(self, local: i64, near: i64) -> Option<i64> {
        if self.is_utc() {
            return Some(local);
        }
        let ahead = self.offset_at(near.div_euclid(SECOND));
        let same = local.checked_sub(ahead * SECOND)?;
        if self.offset_at(same.div_euclid(SECOND)) == ahead { Some(same) } else { self.instant(local) }
    }

    /// Seconds east of Greenwich at an instant, in seconds since 1970.
    pub(crate) fn offset_at(self, seconds: i64) -> i64 {
        match self {
            Zone::Fixed(offset) => offset,
            Zone::Place(place) => {
                let time = known(DateTime::from_timestamp(seconds, 0).unwrap_or_default().naive_utc());
                i64::from(place.offset_from_utc_datetime(&time).fix().local_minus_utc())
            }
        }
    }

    /// Seconds east of Greenwich when clocks there show this; as Java does, the earlier of two, and the time
    /// that clocks leap over is as long after the leap.
    pub(crate) fn offset_when(self, local: i64) -> i64 {
        let Zone::Place(place) = self else { return self.offset_at(local) };
        let Some(time) = DateTime::from_timestamp(local, 0) else { return 0 };
        match place.offset_from_local_datetime(&known(time.naive_utc())) {
            LocalResult::Single(offset) | LocalResult::Ambiguous(offset, _) => {
                i64::from(offset.fix().local_minus_utc())
            }
            // As it was before the leap.
            LocalResult::None => self.offset_at(local - self.offset_at(local + DAY_SECONDS)),
        }
    }

    /// What a pattern's `V` calls the zone.
    pub(super) fn name(self) -> String {
        match self {
            Zone::Fixed(0) => "UTC".to_owned(),
            Zone::Fixed(seconds) => super::pattern::format::offset(seconds, true),
            Zone::Place(place) => place.name().to_owned(),
        }
    }
}

/// The same time of a year of which it is written down when clocks change.
fn known(time: NaiveDateTime) -> NaiveDateTime {
    let year = time.year();
    if year <= LAST_YEAR {
        return time;
    }
    let shape = |year: i32| {
        let first = NaiveDate::from_ymd_opt(year, 1, 1);
        first.map(|first| (first.weekday(), first.leap_year()))
    };
    // In 28 years without a century's end every kind of year is found.
    let alike = (LAST_YEAR - 27..=LAST_YEAR).find(|other| shape(*other) == shape(year));
    alike.and_then(|alike| time.with_year(alike)).unwrap_or(time)
}

/// `+2`, `+02`, `+0200`, `+020030`, `+02:00`, `+02:00:30`, in seconds.
pub(super) fn offset_of(text: &str) -> Option<i64> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let parts: Vec<&str> = if digits.contains(':') {
        digits.split(':').collect()
    } else if digits.len() == 6 && digits.is_ascii() {
        vec![&digits[..2], &digits[2..4], &digits[4..]]
    } else if digits.len() > 2 && digits.is_ascii() {
        let (hours, minutes) = digits.split_at(digits.len() - 2);
        vec![hours, minutes]
    } else {
        vec![digits]
    };
    let mut seconds = 0;
    for (part, worth) in parts.iter().zip([3_600, 60, 1]) {
        let within = (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        let number: i64 = if within { part.parse().ok()? } else { return None };
        if worth < 3_600 && number > 59 {
            return None;
        }
        seconds += number * worth;
    }
    (parts.len() <= 3 && seconds <= 18 * 3_600).then_some(sign * seconds)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: i64 = 3_600 * SECOND;

    fn zone(name: &str) -> Zone {
        Zone::parse(name).unwrap()
    }

    #[test]
    fn names() {
        assert_eq!(["UTC", "Z", "GMT+0", "+00:00"].map(zone), [Zone::UTC; 4]);
        assert_eq!(["+02:00", "UTC+2", "GMT+02:00", "UTC+020000"].map(zone), [Zone::Fixed(7_200); 4]);
        assert_eq!(zone("PST"), zone("America/Los_Angeles"));
        for wrong in ["", "Mars/Base", "+19:00", "+1:2:3:4", "utc+"] {
            assert_eq!(Zone::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_leap_and_an_hour_that_comes_twice() {
        let berlin = zone("Europe/Berlin");
        let at = |text: &str| crate::instant::Reader::new().read(text.as_bytes()).unwrap();
        // Java's answers.
        assert_eq!(berlin.instant(at("2024-03-31T02:30:00Z")), Some(at("2024-03-31T01:30:00Z")));
        let twice = at("2024-10-27T02:30:00Z");
        assert_eq!(berlin.instant(twice), Some(at("2024-10-27T00:30:00Z")));
        let later = at("2024-10-27T01:30:00Z");
        assert_eq!(berlin.instant_near(twice, later), Some(later));
        assert_eq!(berlin.local(at("2500-07-01T00:00:00Z")), at("2500-07-01T02:00:00Z"));
    }

    proptest! {
        #[test]
        fn there_and_back(
            instant in -4_000_000_000_i64..20_000_000_000,
            name in prop::sample::select(vec!["America/Los_Angeles", "Europe/Berlin", "Pacific/Apia", "+05:30", "UTC"]),
        ) {
            let (zone, instant) = (zone(name), instant * SECOND);
            let local = zone.local(instant);
            prop_assert_eq!(zone.instant_near(local, instant), Some(instant));
            // What clocks show is shown at the instant found, unless they leap over it.
            let found = zone.instant(local).unwrap();
            prop_assert_eq!(zone.local(found), local);
            prop_assert!(found <= instant && instant - found <= 2 * HOUR);
        }
    }
}
