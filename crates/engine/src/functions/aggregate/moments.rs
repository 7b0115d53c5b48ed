//! `skewness` and `kurtosis`, from central moments that are kept up row by row (Pébay, SAND2008-6212).

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::{Begun, Own};
use crate::functions::own::Kind;

pub(super) const FUNCTIONS: &[Own] = &[function("skewness"), function("kurtosis")];

const fn function(name: &'static str) -> Own {
    Own {
        name,
        aliases: &[],
        takes: &[Kind::Double],
        optional: 0,
        gives: |_| Ok(DataType::Float64),
        state: |_| vec![DataType::Float64; 5],
        begin,
    }
}

fn begin(begun: &Begun<'_>) -> Result<Box<dyn Accumulator>> {
    Ok(Box::new(Moments { kurtosis: begun.name == "kurtosis", ..Moments::default() }))
}

#[derive(Debug, Default)]
struct Moments {
    kurtosis: bool,
    count: f64,
    mean: f64,
    /// Sums of the second, third and fourth powers of what lies between the values and their mean.
    sums: [f64; 3],
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let delta = value - self.mean;
        let step = delta / self.count;
        let (delta2, step2) = (delta * delta, step * step);
        self.mean += step;
        self.sums[0] += delta * (delta - step);
        self.sums[1] = self.sums[1] - 3.0 * step * self.sums[0] + delta * (delta2 - step2);
        self.sums[2] = self.sums[2] - 4.0 * step * self.sums[1] - 6.0 * step2 * self.sums[0]
            + delta * (delta * delta2 - step * step2);
    }

    fn merge(&mut self, count: f64, mean: f64, sums: [f64; 3]) {
        if count == 0.0 {
            return;
        }
        let (n, m, total) = (self.count, count, self.count + count);
        let delta = mean - self.mean;
        let step = delta / total;
        let [second, third, fourth] = self.sums;
        self.count = total;
        self.mean += step * m;
        self.sums = [
            second + sums[0] + delta * step * n * m,
            third + sums[1] + step * step * delta * n * m * (n - m) + 3.0 * step * (n * sums[0] - m * second),
            fourth
                + sums[2]
                + step * step * step * delta * n * m * (n * n - n * m + m * m)
                + 6.0 * step * step * (n * n * sums[0] + m * m * second)
                + 4.0 * step * (n * sums[1] - m * third),
        ];
    }

    /// `None` where all values are the same.
    fn answer(&self) -> Option<f64> {
        let [second, third, fourth] = self.sums;
        if self.count == 0.0 || second == 0.0 {
            return None;
        }
        Some(if self.kurtosis {
            self.count * fourth / (second * second) - 3.0
        } else {
            self.count.sqrt() * third / (second * second * second).sqrt()
        })
    }
}

impl Accumulator for Moments {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        values[0].as_primitive::<Float64Type>().iter().flatten().for_each(|value| self.add(value));
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for row in (0..states[0].len()).filter(|row| states[0].is_valid(*row)) {
            let part = |part: usize| states[part].as_primitive::<Float64Type>().value(row);
            self.merge(part(0), part(1), [part(2), part(3), part(4)]);
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let parts = [self.count, self.mean].into_iter().chain(self.sums);
        Ok(parts.map(ScalarValue::from).collect())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(self.answer()))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}
