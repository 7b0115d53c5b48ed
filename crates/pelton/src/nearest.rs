//! "Did you mean": the nearest of some names to one that was mistyped.

/// Names less alike than this are no typing errors of each other.
const LIKENESS_MIN: f64 = 0.8;

/// The name most like `typed`, if one is like it at all.
///
/// ```
/// assert_eq!(pelton::nearest("oders", ["orders", "payments"].into_iter()), Some("orders"));
/// assert_eq!(pelton::nearest("zebra", ["orders", "payments"].into_iter()), None);
/// ```
#[must_use]
pub fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|name| (likeness(typed, name), name))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, name)| name)
}

fn likeness(typed: &str, name: &str) -> f64 {
    if typed.eq_ignore_ascii_case(name) {
        return 1.0;
    }
    strsim::jaro_winkler(&typed.to_lowercase(), &name.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_finds_its_name_and_a_stranger_finds_none() {
        let names = ["orders", "payments", "order-items"];
        assert_eq!(nearest("oders", names.into_iter()), Some("orders"));
        assert_eq!(nearest("Orders", names.into_iter()), Some("orders"));
        assert_eq!(nearest("payment", names.into_iter()), Some("payments"));
        assert_eq!(nearest("zebra", names.into_iter()), None);
    }
}
