//! Numbers as Java writes them.

/// `Double.toString`.
pub(crate) fn double(value: f64) -> String {
    java(value, format!("{value:?}"), &format!("{value:e}"))
}

/// `Float.toString`.
pub(crate) fn float(value: f32) -> String {
    java(f64::from(value), format!("{value:?}"), &format!("{value:e}"))
}

fn java(value: f64, plain: String, scientific: &str) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if value == 0.0 || (1e-3..1e7).contains(&value.abs()) {
        return if plain.contains('e') { format!("{value}") } else { plain };
    }
    let (digits, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let point = if digits.contains('.') { "" } else { ".0" };
    format!("{digits}{point}E{exponent}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_java_writes_them() {
        let numbers = [0.0, -1.0, 0.001, 0.0001, 9_999_999.0, 1e7, -1.25e-9, f64::NAN, f64::NEG_INFINITY];
        let expected =
            ["0.0", "-1.0", "0.001", "1.0E-4", "9999999.0", "1.0E7", "-1.25E-9", "NaN", "-Infinity"];
        assert_eq!(numbers.map(double), expected);
        assert_eq!(float(0.1), "0.1");
    }
}
