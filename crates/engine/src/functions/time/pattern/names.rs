//! What people call the time of a zone, for a pattern's `z`.

use chrono::{DateTime, TimeZone as _};
use chrono_tz::OffsetName as _;

use crate::functions::time::civil::SECOND;
use crate::functions::time::zone::Zone;

/// Where the zone's name begins so, its short name and its long one.
const NAMES: &[(&str, &str, &str)] = &[
    ("America/", "PST", "Pacific Standard Time"),
    ("America/", "PDT", "Pacific Daylight Time"),
    ("America/", "MST", "Mountain Standard Time"),
    ("America/", "MDT", "Mountain Daylight Time"),
    ("America/", "CST", "Central Standard Time"),
    ("America/", "CDT", "Central Daylight Time"),
    ("America/", "EST", "Eastern Standard Time"),
    ("America/", "EDT", "Eastern Daylight Time"),
    ("Europe/London", "GMT", "Greenwich Mean Time"),
    ("Europe/London", "BST", "British Summer Time"),
    ("Europe/", "WET", "Western European Standard Time"),
    ("Europe/", "WEST", "Western European Summer Time"),
    ("Europe/", "CET", "Central European Standard Time"),
    ("Europe/", "CEST", "Central European Summer Time"),
    ("Europe/", "EET", "Eastern European Standard Time"),
    ("Europe/", "EEST", "Eastern European Summer Time"),
    ("Asia/Kolkata", "IST", "India Standard Time"),
    ("Asia/Shanghai", "CST", "China Standard Time"),
    ("Asia/Tokyo", "JST", "Japan Standard Time"),
];

/// The name of the zone's time at an instant in microseconds since 1970. Long names are known of few zones; the others
/// give their short one.
pub(super) fn name(zone: Zone, instant: i64, long: bool) -> String {
    let place = match zone {
        Zone::Fixed(0) => return if long { "Coordinated Universal Time" } else { "UTC" }.to_owned(),
        Zone::Fixed(_) => return zone.name(),
        Zone::Place(place) => place,
    };
    let time = DateTime::from_timestamp(instant.div_euclid(SECOND), 0).unwrap_or_default().naive_utc();
    let offset = place.offset_from_utc_datetime(&time);
    let short = offset.abbreviation().unwrap_or_default();
    let known = NAMES.iter().find(|(begin, known, _)| *known == short && place.name().starts_with(begin));
    known.filter(|_| long).map_or(short, |(_, _, name)| *name).to_owned()
}
