//! Spans of time as Spark writes them: `10 minutes`, `1 hour 30 minutes`, `interval 5 seconds`.

/// Microseconds of a span; `None` if it is none, or its length depends on the calendar.
pub(crate) fn micros(text: &str) -> Option<i64> {
    let lower = text.trim().to_ascii_lowercase();
    let mut words = lower.strip_prefix("interval").unwrap_or(&lower).split_whitespace();
    let mut sum: Option<i64> = None;
    while let Some(number) = words.next() {
        let (number, unit) = match number.find(|letter: char| letter.is_ascii_alphabetic()) {
            Some(at) if at > 0 => (&number[..at], number[at..].to_owned()),
            _ => (number, words.next()?.to_owned()),
        };
        sum = Some(sum.unwrap_or(0).checked_add(scaled(number, unit_micros(&unit)?)?)?);
    }
    sum
}

fn scaled(number: &str, unit: i64) -> Option<i64> {
    let Some((whole, fraction)) = number.split_once('.') else {
        return number.parse::<i64>().ok()?.checked_mul(unit);
    };
    let digits = u32::try_from(fraction.len()).ok().filter(|digits| (1..=6).contains(digits))?;
    let fraction = fraction.parse::<u32>().ok()?;
    let parts = i64::from(fraction).checked_mul(unit)? / 10_i64.pow(digits);
    let sign = if whole.starts_with('-') { -1 } else { 1 };
    whole.parse::<i64>().ok()?.checked_mul(unit)?.checked_add(sign * parts)
}

fn unit_micros(unit: &str) -> Option<i64> {
    Some(match unit.strip_suffix('s').filter(|one| one.len() > 1).unwrap_or(unit) {
        "microsecond" | "us" => 1,
        "millisecond" | "ms" => 1_000,
        "second" | "sec" | "s" => 1_000_000,
        "minute" | "min" => 60_000_000,
        "hour" | "h" => 3_600_000_000,
        "day" | "d" => 86_400_000_000,
        "week" | "w" => 604_800_000_000,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_spark_reads_them() {
        for (text, expected) in [
            ("10 minutes", Some(600_000_000)),
            ("1 hour 30 minutes", Some(5_400_000_000)),
            ("INTERVAL 5 SECONDS", Some(5_000_000)),
            ("2 seconds", Some(2_000_000)),
            ("1.5 seconds", Some(1_500_000)),
            ("100 ms", Some(100_000)),
            ("5s", Some(5_000_000)),
            ("0 seconds", Some(0)),
            ("1 month", None),
            ("10", None),
            ("minutes", None),
            ("", None),
        ] {
            assert_eq!(micros(text), expected, "{text}");
        }
    }
}
