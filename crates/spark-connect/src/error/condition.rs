//! What the engine's functions refuse, under the names that Spark gives it: `[DIVIDE_BY_ZERO] ...`.

use crate::error::{Class, SparkError};

/// Conditions with their SQLSTATE, as Spark's own list has them, and the class that Spark raises.
const KNOWN: &[(&str, &str, Class)] = &[
    ("ARITHMETIC_OVERFLOW", "22003", Class::Arithmetic),
    ("AVRO_INCORRECT_TYPE", "22000", Class::Analysis),
    ("CAST_INVALID_INPUT", "22018", Class::NumberFormat),
    ("CAST_OVERFLOW", "22003", Class::Arithmetic),
    ("COMPARATOR_RETURNS_NULL", "22004", Class::Runtime),
    ("DATETIME_FIELD_OUT_OF_BOUNDS", "22023", Class::DateTime),
    ("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "42K09", Class::Analysis),
    ("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "42K09", Class::Analysis),
    ("DIVIDE_BY_ZERO", "22012", Class::Arithmetic),
    ("DUPLICATED_MAP_KEY", "23505", Class::Runtime),
    ("HLL_INVALID_INPUT_SKETCH_BUFFER", "22546", Class::Runtime),
    ("HLL_INVALID_LG_K", "22546", Class::Runtime),
    ("HLL_UNION_DIFFERENT_LG_K", "22000", Class::Runtime),
    ("INVALID_ARRAY_INDEX", "22003", Class::ArrayIndex),
    ("INVALID_ARRAY_INDEX_IN_ELEMENT_AT", "22003", Class::ArrayIndex),
    ("INVALID_BITMAP_POSITION", "22003", Class::Runtime),
    ("INVALID_INDEX_OF_ZERO", "22003", Class::Runtime),
    ("INVALID_PARAMETER_VALUE.AES_CRYPTO_ERROR", "22023", Class::Runtime),
    ("INVALID_PARAMETER_VALUE.AES_IV_LENGTH", "22023", Class::Runtime),
    ("INVALID_PARAMETER_VALUE.AES_KEY_LENGTH", "22023", Class::Runtime),
    ("MALFORMED_AVRO_MESSAGE", "KD000", Class::Runtime),
    ("NULL_MAP_KEY", "2200E", Class::Runtime),
    ("NUMERIC_VALUE_OUT_OF_RANGE", "22003", Class::Arithmetic),
    ("SCALAR_SUBQUERY_TOO_MANY_ROWS", "21000", Class::Runtime),
    ("UNSUPPORTED_FEATURE.AES_MODE", "0A000", Class::Runtime),
    ("UNSUPPORTED_FEATURE.AES_MODE_AAD", "0A000", Class::Runtime),
    ("UNSUPPORTED_FEATURE.AES_MODE_IV", "0A000", Class::Runtime),
    ("USER_RAISED_EXCEPTION", "P0001", Class::Runtime),
];

/// The error that a text names, if it does.
pub(super) fn named(text: &str) -> Option<SparkError> {
    let begin = text.find('[')?;
    let (name, reason) = text[begin + 1..].split_once(']')?;
    let (condition, state, class) = KNOWN.iter().find(|(known, ..)| *known == name)?;
    let reason = reason.trim();
    let class = match class {
        Class::NumberFormat
            if ["DATE", "TIMESTAMP"].iter().any(|time| reason.contains(&format!("to {time}"))) =>
        {
            Class::DateTime
        }
        class => *class,
    };
    Some(SparkError::new(class, condition, state, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_engine_refuses_has_sparks_class_and_state() {
        let of =
            |text: &str| named(text).map(|error| (error.class, error.condition, error.sql_state, error.text));
        let zero = of("run the query: Execution error: [DIVIDE_BY_ZERO] use try_divide").unwrap();
        assert_eq!(zero, (Class::Arithmetic, "DIVIDE_BY_ZERO", "22012", "use try_divide".to_owned()));
        let cast = |to: &str| of(&format!("[CAST_INVALID_INPUT] 'x' cannot be cast to {to}; ...")).unwrap().0;
        assert_eq!((cast("INT"), cast("DATE")), (Class::NumberFormat, Class::DateTime));
        assert_eq!(of("[SOMETHING_ELSE] x"), None);
        assert_eq!(of("no condition"), None);
    }
}
