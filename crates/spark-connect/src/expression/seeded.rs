//! Random functions with a seed: the numbers are those that Spark makes of it in its first partition, in the order
//! in which the rows come.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{ArrayRef, Float64Array, StringArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result as PlanResult, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use datafusion::prelude::cast;

use crate::error::{Class, Result, SparkError};
use crate::expression::{Named, Resolver};

/// The seed with which Spark hashes seeds: that of arrays in Scala's hash.
const ARRAY_SEED: u32 = 0x3C07_4A61;

/// Letters of a random text: digits, small ones, large ones.
const LETTERS: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Marsaglia's xorshift generator, as Spark begins and steps it (`XORShiftRandom`).
#[derive(Debug, Clone)]
struct XorShift {
    state: u64,
    /// The second of two normal numbers.
    spare: Option<f64>,
}

impl XorShift {
    fn new(seed: i64) -> Self {
        let bytes = seed.to_be_bytes();
        let low = murmur(&bytes, ARRAY_SEED);
        let high = murmur(&bytes, low);
        XorShift { state: u64::from(high) << 32 | u64::from(low), spare: None }
    }

    fn bits(&mut self, bits: u32) -> u64 {
        let mut next = self.state ^ (self.state << 21);
        next ^= next >> 35;
        next ^= next << 4;
        self.state = next;
        next & ((1 << bits) - 1)
    }

    /// Evenly between 0 and 1.
    fn share(&mut self) -> f64 {
        ((self.bits(26) << 27) + self.bits(27)) as f64 / (1_u64 << 53) as f64
    }

    /// Of mean 0 and variance 1, by Marsaglia's polar method.
    fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let (x, y) = (2.0 * self.share() - 1.0, 2.0 * self.share() - 1.0);
            let length = x * x + y * y;
            if length < 1.0 && length != 0.0 {
                let factor = (-2.0 * length.ln() / length).sqrt();
                self.spare = Some(y * factor);
                return x * factor;
            }
        }
    }

    fn letter(&mut self) -> char {
        let number = i64::from(self.bits(32) as u32 as i32);
        let place = usize::try_from((number % 62).unsigned_abs()).unwrap_or(0);
        char::from(LETTERS[place])
    }
}

/// MurmurHash3 of 32 bits.
fn murmur(bytes: &[u8; 8], seed: u32) -> u32 {
    let (words, _) = bytes.as_chunks::<4>();
    let mut hash = seed;
    for word in words {
        let mixed =
            u32::from_le_bytes(*word).wrapping_mul(0xCC9E_2D51).rotate_left(15).wrapping_mul(0x1B87_3593);
        hash = (hash ^ mixed).rotate_left(13).wrapping_mul(5).wrapping_add(0xE654_6B64);
    }
    hash ^= 8;
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85EB_CA6B);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xC2B2_AE35);
    hash ^ (hash >> 16)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Makes {
    Shares,
    Normals,
    Texts(usize),
}

/// A function of no arguments that goes on where it stopped.
#[derive(Debug)]
struct Seeded {
    makes: Makes,
    seed: i64,
    chance: Arc<Mutex<XorShift>>,
    signature: Signature,
}

impl PartialEq for Seeded {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.chance, &other.chance)
    }
}

impl Eq for Seeded {}

impl Hash for Seeded {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.makes, self.seed).hash(state);
    }
}

impl ScalarUDFImpl for Seeded {
    fn name(&self) -> &'static str {
        "seeded"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> PlanResult<DataType> {
        Ok(match self.makes {
            Makes::Texts(_) => DataType::Utf8,
            _ => DataType::Float64,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> PlanResult<ColumnarValue> {
        let mut chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = 0..args.number_rows;
        let answer: ArrayRef = match self.makes {
            Makes::Shares => Arc::new(Float64Array::from_iter_values(rows.map(|_| chance.share()))),
            Makes::Normals => Arc::new(Float64Array::from_iter_values(rows.map(|_| chance.normal()))),
            Makes::Texts(length) => {
                let texts = rows.map(|_| (0..length).map(|_| chance.letter()).collect::<String>());
                Arc::new(StringArray::from_iter_values(texts))
            }
        };
        Ok(ColumnarValue::Array(answer))
    }
}

/// Numbers between 0 and 1, one for each row.
pub(crate) fn shares(seed: i64) -> Expr {
    seeded(Makes::Shares, seed)
}

fn seeded(makes: Makes, seed: i64) -> Expr {
    let chance = Arc::new(Mutex::new(XorShift::new(seed)));
    let signature = Signature::nullary(Volatility::Volatile);
    ScalarUDF::from(Seeded { makes, seed, chance, signature }).call(Vec::new())
}

/// A call of a random function, if it is one; `fresh` is a seed for those that are given none.
pub(super) fn call(
    resolver: &Resolver<'_>,
    name: &str,
    arguments: &[Named],
    fresh: impl Fn() -> i64,
) -> Result<Option<Expr>> {
    let seed = |place: usize| match arguments.get(place) {
        Some(argument) => whole(resolver, name, argument).map(|seed| seed.unwrap_or(0)),
        None => Ok(fresh()),
    };
    Ok(Some(match (name, arguments.len()) {
        ("rand" | "random", 1) => seeded(Makes::Shares, seed(0)?),
        ("randn", 1) => seeded(Makes::Normals, seed(0)?),
        ("uniform", 2 | 3) => between(resolver, arguments, seed(2)?)?,
        ("randstr", 1 | 2) => {
            let length = constant(resolver, name, &arguments[0])?.cast_to(&DataType::Int64)?;
            let ScalarValue::Int64(Some(length)) = length else {
                return Err(mismatch("NON_FOLDABLE", "the length of randstr is a number"));
            };
            let length = usize::try_from(length);
            let length = length.map_err(|_| mismatch("RANGE", "the length of randstr is not below 0"))?;
            seeded(Makes::Texts(length), seed(1)?)
        }
        _ => return Ok(None),
    }))
}

fn mismatch(kind: &str, text: &str) -> SparkError {
    let condition = match kind {
        "NON_FOLDABLE" => "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
        "RANGE" => "INVALID_PARAMETER_VALUE.LENGTH",
        _ => "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
    };
    SparkError::new(Class::Analysis, condition, "42K09", text)
}

fn constant(resolver: &Resolver<'_>, name: &str, argument: &Named) -> Result<ScalarValue> {
    if resolver.type_of(&argument.expr)? == DataType::Utf8 {
        return Err(mismatch("TYPE", &format!("{name} takes numbers")));
    }
    let value = crate::expression::literal::folded(argument.expr.clone(), resolver.context);
    value.ok_or_else(|| {
        mismatch("NON_FOLDABLE", &format!("the arguments of {name} are the same for all rows"))
    })
}

/// A seed; NULL is none.
fn whole(resolver: &Resolver<'_>, name: &str, argument: &Named) -> Result<Option<i64>> {
    let value = constant(resolver, name, argument)?;
    let kind = value.data_type();
    if !matches!(kind, DataType::Null | DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64)
    {
        return Err(mismatch("TYPE", &format!("the seed of {name} is an INT or a BIGINT")));
    }
    match value.cast_to(&DataType::Int64)? {
        ScalarValue::Int64(seed) => Ok(seed),
        _ => Ok(None),
    }
}

/// Evenly between two numbers, in the wider of their types.
fn between(resolver: &Resolver<'_>, arguments: &[Named], seed: i64) -> Result<Expr> {
    let (low, high) =
        (constant(resolver, "uniform", &arguments[0])?, constant(resolver, "uniform", &arguments[1])?);
    let (a, b) = (low.data_type(), high.data_type());
    let wanted = match (&a, &b) {
        (DataType::Null, _) | (_, DataType::Null) => DataType::Float64,
        (a, b) if a.is_floating() || b.is_floating() => {
            if [a, b].contains(&&DataType::Float64) {
                DataType::Float64
            } else {
                DataType::Float32
            }
        }
        (DataType::Decimal128(p, s), DataType::Decimal128(q, t)) => {
            DataType::Decimal128(*p.max(q), *s.max(t))
        }
        (decimal @ DataType::Decimal128(..), _) | (_, decimal @ DataType::Decimal128(..)) => decimal.clone(),
        (DataType::Int64, _) | (_, DataType::Int64) => DataType::Int64,
        (DataType::Int32, _) | (_, DataType::Int32) => DataType::Int32,
        (DataType::Int16, _) | (_, DataType::Int16) => DataType::Int16,
        (DataType::Int8, DataType::Int8) => DataType::Int8,
        _ => return Err(mismatch("TYPE", "uniform takes two numbers")),
    };
    if low.is_null() || high.is_null() {
        let kind = if low.is_null() { a } else { b };
        let kind = if kind.is_null() { DataType::Float64 } else { kind };
        return Ok(Expr::Literal(ScalarValue::try_from(&kind)?, None));
    }
    let number = |value: &ScalarValue| match value.cast_to(&DataType::Float64) {
        Ok(ScalarValue::Float64(Some(value))) => value,
        _ => 0.0,
    };
    let (low, high) = (number(&low), number(&high));
    let value = lit(low) + lit(high - low) * seeded(Makes::Shares, seed);
    // Whole numbers lose their fraction.
    Ok(if wanted == DataType::Float64 { value } else { cast(value, wanted) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_spark() {
        // What Spark 4.0 answers to rand(0), randn(0) and randstr(10, 0).
        assert_eq!(XorShift::new(0).share(), 0.760_495_375_828_591_5);
        assert!((XorShift::new(0).normal() - 1.603_499_160_927_843_3).abs() < 1e-15);
        let mut chance = XorShift::new(0);
        let text: String = (0..10).map(|_| chance.letter()).collect();
        assert_eq!(text, "ceV0PXaR2I");
    }
}
